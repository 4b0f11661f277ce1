// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/command.hpp"

#include <array>

namespace daybook {
namespace {

// One overload per command: a new alternative without a name does not compile.
#define DAYBOOK_NAME_OF(Type)                       \
  constexpr std::string_view name_of(const Type*) { \
    return #Type;                                   \
  }
DAYBOOK_NAME_OF(Schedule)
DAYBOOK_NAME_OF(Claim)
DAYBOOK_NAME_OF(Renew)
DAYBOOK_NAME_OF(Complete)
DAYBOOK_NAME_OF(Fail)
DAYBOOK_NAME_OF(Snooze)
DAYBOOK_NAME_OF(Release)
DAYBOOK_NAME_OF(Cancel)
DAYBOOK_NAME_OF(Reschedule)
DAYBOOK_NAME_OF(Retry)
DAYBOOK_NAME_OF(PauseQueue)
DAYBOOK_NAME_OF(ResumeQueue)
DAYBOOK_NAME_OF(JoinWorker)
DAYBOOK_NAME_OF(LeaveWorker)
DAYBOOK_NAME_OF(AdoptBook)
DAYBOOK_NAME_OF(Configure)
DAYBOOK_NAME_OF(OpenBook)
DAYBOOK_NAME_OF(CloseBook)
DAYBOOK_NAME_OF(StepClock)
DAYBOOK_NAME_OF(BeginGeneration)
DAYBOOK_NAME_OF(ExpireLeases)
DAYBOOK_NAME_OF(ConfirmClock)
DAYBOOK_NAME_OF(RaiseFeatureLevel)
DAYBOOK_NAME_OF(DoubtClock)
DAYBOOK_NAME_OF(RecordSnapshot)
DAYBOOK_NAME_OF(RecordDrop)
DAYBOOK_NAME_OF(RecordStep)
DAYBOOK_NAME_OF(Prune)
DAYBOOK_NAME_OF(SetLimits)
DAYBOOK_NAME_OF(SetWeight)
DAYBOOK_NAME_OF(Move)
DAYBOOK_NAME_OF(Operate)
DAYBOOK_NAME_OF(PlaceHold)
DAYBOOK_NAME_OF(LiftHold)
DAYBOOK_NAME_OF(SetOnDead)
DAYBOOK_NAME_OF(SettleChildren)
DAYBOOK_NAME_OF(DeclareRecurring)
DAYBOOK_NAME_OF(SyncRecurring)
DAYBOOK_NAME_OF(PauseRecurring)
DAYBOOK_NAME_OF(ResumeRecurring)
DAYBOOK_NAME_OF(RunRecurringNow)
DAYBOOK_NAME_OF(BackfillRecurring)
DAYBOOK_NAME_OF(RemoveRecurring)
DAYBOOK_NAME_OF(FireRecurring)
DAYBOOK_NAME_OF(ReplanRecurring)
#undef DAYBOOK_NAME_OF

template <class Variant>
struct NamesOf;
template <class... Types>
struct NamesOf<std::variant<Types...>> {
  static constexpr std::array<std::string_view, sizeof...(Types)> all = {
      name_of(static_cast<const Types*>(nullptr))...};
};

}  // namespace

std::string_view type_name(const Command& command) {
  return NamesOf<Command>::all[command.index()];
}

}  // namespace daybook
