// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/decide.hpp"

#include <string>
#include <type_traits>
#include <variant>

#include "draft.hpp"
#include "rules.hpp"

// Hands a command to its judge. The judges stand in decide_book.cpp (the book, queues, workers), decide_record.cpp (the record itself: levels, clocks, snapshots),
// decide_limits.cpp (limits and weights), decide_children.cpp (jobs that wait for others), decide_job.cpp (jobs from outside), decide_operate.cpp (what operators do to them),
// decide_outcome.cpp (what a worker says of its claims), decide_recurring.cpp and recurring_firing.cpp (recurring schedules); what they
// share is in rules.cpp.

namespace daybook {
namespace {

template <class C>
constexpr bool allowed_while_held =
    std::is_same_v<C, AdoptBook> || std::is_same_v<C, Configure> || std::is_same_v<C, OpenBook> ||
    std::is_same_v<C, CloseBook> || std::is_same_v<C, StepClock> || std::is_same_v<C, BeginGeneration> ||
    std::is_same_v<C, ConfirmClock> || std::is_same_v<C, DoubtClock> || std::is_same_v<C, RaiseFeatureLevel> ||
    std::is_same_v<C, PlaceHold> || std::is_same_v<C, LiftHold>;

/// Commands whose events stand only in books of level 2 and above.
template <class C>
constexpr bool of_level_2 =
    std::is_same_v<C, DoubtClock> || std::is_same_v<C, RecordSnapshot> || std::is_same_v<C, RecordDrop> ||
    std::is_same_v<C, RecordStep> || std::is_same_v<C, Prune> || std::is_same_v<C, SetLimits> ||
    std::is_same_v<C, SetWeight> || std::is_same_v<C, Move> || std::is_same_v<C, Operate> ||
    std::is_same_v<C, DeclareRecurring> || std::is_same_v<C, SyncRecurring> || std::is_same_v<C, PauseRecurring> ||
    std::is_same_v<C, ResumeRecurring> || std::is_same_v<C, RunRecurringNow> || std::is_same_v<C, BackfillRecurring> ||
    std::is_same_v<C, RemoveRecurring> || std::is_same_v<C, FireRecurring> || std::is_same_v<C, ReplanRecurring> ||
    std::is_same_v<C, PlaceHold> || std::is_same_v<C, LiftHold> || std::is_same_v<C, SetOnDead> ||
    std::is_same_v<C, SettleChildren>;

/// What of a command needs level 2, though the command itself does not.
std::string_view level_2_part(const Schedule& command) {
  if (command.on_conflict > OnConflict::return_existing) return to_string(command.on_conflict);
  if (command.unique_scope != UniqueScope() || command.unique_for) return "the scope of a unique key";
  if (command.keep_result) return "the lifetime of a result";
  if (!command.group.empty()) return "a group";
  if (!command.parents.empty()) return "a parent";
  if (command.start_deadline || command.run_timeout || command.total_timeout) return "a deadline";
  return {};
}
template <class C>
std::string_view level_2_part(const C&) {
  return {};
}

Refusal needs_level_2(const View& view, std::string_view what) {
  return {RefusalCode::needs_upgrade, std::string(what) + ": the book has feature level " +
                                          std::to_string(view.book().feature_level) +
                                          " and this needs 2; raise it with: daybook upgrade"};
}

}  // namespace

Decision decide(const View& view, const Command& command, const Moment& now, Sequence next, const Bounds& bounds,
                const Zones& zones) {
  Draft draft(view, now, next, bounds, zones);
  Refused refused = std::visit(
      [&]<class C>(const C& asked) -> Refused {
        if (!allowed_while_held<C> && view.book().held) {
          return Refusal{RefusalCode::book_held,
                         "this book is a copy and is held: it can be read, and changes nothing until it is adopted"};
        }
        if (of_level_2<C> && view.book().feature_level < 2) {
          return needs_level_2(view, type_name(command));
        }
        const std::string_view part = level_2_part(asked);
        if (!part.empty() && view.book().feature_level < 2) return needs_level_2(view, part);
        return judge(draft, asked);
      },
      command);
  return {draft.take(), std::move(refused), draft.held_back};
}

}  // namespace daybook
