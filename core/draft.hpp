// SPDX-License-Identifier: Apache-2.0
#pragma once

// Draft: the events of one decision while it is being made. Gives each the sequence it will get, and new
// names the ids.

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "daybook/core/decide.hpp"

namespace daybook {

class Draft {
 public:
  Draft(const View& state, const Moment& moment, Sequence next, const Bounds& limits, const Zones& all_zones)
      : view(state), now(moment), bounds(limits), zones(all_zones), next_(next) {}

  const View& view;
  const Moment& now;
  const Bounds& bounds;
  const Zones& zones;

  [[nodiscard]] const Book& book() const { return view.book(); }
  [[nodiscard]] GenerationTag generation() const { return view.book().generation.tag; }

  void add(Event event) { events_.push_back(std::move(event)); }
  /// The sequence of the event that is added next.
  [[nodiscard]] Sequence next() const { return Sequence(next_.value() + events_.size()); }

  /// The id of a name, defining it first when it is new.
  [[nodiscard]] NameId name(NameSort sort, std::string_view text);

  /// Puts a refused outcome on record, unless it is there already or the job has enough of them.
  void record_refused(const Job& job, const Token& token, OutcomeKind outcome, RefusalCode reason);

  [[nodiscard]] std::vector<Event> take() { return std::move(events_); }

  HeldBack held_back;  // of a claim

 private:
  Sequence next_;
  std::vector<Event> events_;
  std::vector<Name> defined_;
  std::map<Sequence, std::vector<RefusedOutcome>> refused_;  // by this draft
};

using Refused = std::optional<Refusal>;  // nothing: the command happens

// One per command: fills the draft, or refuses it. A refused draft holds nothing but what puts the refusal on
// record.
[[nodiscard]] Refused judge(Draft& draft, const Schedule& command);
[[nodiscard]] Refused judge(Draft& draft, const Claim& command);
[[nodiscard]] Refused judge(Draft& draft, const Renew& command);
[[nodiscard]] Refused judge(Draft& draft, const Complete& command);
[[nodiscard]] Refused judge(Draft& draft, const Fail& command);
[[nodiscard]] Refused judge(Draft& draft, const Snooze& command);
[[nodiscard]] Refused judge(Draft& draft, const Release& command);
[[nodiscard]] Refused judge(Draft& draft, const Cancel& command);
[[nodiscard]] Refused judge(Draft& draft, const Reschedule& command);
[[nodiscard]] Refused judge(Draft& draft, const Retry& command);
[[nodiscard]] Refused judge(Draft& draft, const PauseQueue& command);
[[nodiscard]] Refused judge(Draft& draft, const ResumeQueue& command);
[[nodiscard]] Refused judge(Draft& draft, const SetLimits& command);
[[nodiscard]] Refused judge(Draft& draft, const SetWeight& command);
[[nodiscard]] Refused judge(Draft& draft, const JoinWorker& command);
[[nodiscard]] Refused judge(Draft& draft, const LeaveWorker& command);
[[nodiscard]] Refused judge(Draft& draft, const AdoptBook& command);
[[nodiscard]] Refused judge(Draft& draft, const Configure& command);
[[nodiscard]] Refused judge(Draft& draft, const OpenBook& command);
[[nodiscard]] Refused judge(Draft& draft, const CloseBook& command);
[[nodiscard]] Refused judge(Draft& draft, const StepClock& command);
[[nodiscard]] Refused judge(Draft& draft, const BeginGeneration& command);
[[nodiscard]] Refused judge(Draft& draft, const ExpireLeases& command);
[[nodiscard]] Refused judge(Draft& draft, const ConfirmClock& command);
[[nodiscard]] Refused judge(Draft& draft, const RaiseFeatureLevel& command);
[[nodiscard]] Refused judge(Draft& draft, const DoubtClock& command);
[[nodiscard]] Refused judge(Draft& draft, const RecordSnapshot& command);
[[nodiscard]] Refused judge(Draft& draft, const RecordDrop& command);
[[nodiscard]] Refused judge(Draft& draft, const RecordStep& command);
[[nodiscard]] Refused judge(Draft& draft, const Prune& command);
[[nodiscard]] Refused judge(Draft& draft, const Move& command);
[[nodiscard]] Refused judge(Draft& draft, const Operate& command);
[[nodiscard]] Refused judge(Draft& draft, const PlaceHold& command);
[[nodiscard]] Refused judge(Draft& draft, const DeclareRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const SyncRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const PauseRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const ResumeRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const RunRecurringNow& command);
[[nodiscard]] Refused judge(Draft& draft, const BackfillRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const RemoveRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const FireRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const ReplanRecurring& command);
[[nodiscard]] Refused judge(Draft& draft, const LiftHold& command);
[[nodiscard]] Refused judge(Draft& draft, const SetOnDead& command);
[[nodiscard]] Refused judge(Draft& draft, const SettleChildren& command);

}  // namespace daybook
