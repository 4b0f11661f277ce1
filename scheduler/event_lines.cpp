// SPDX-License-Identifier: Apache-2.0
#include "event_lines.hpp"

#include "daybook/core/describe.hpp"
#include "daybook/core/overload.hpp"

namespace daybook {

namespace {

LogLevel level_of_end(bool dead) {
  return dead ? LogLevel::error : LogLevel::warning;
}
LogLevel level_of_end(const Next& next) {
  return level_of_end(std::holds_alternative<Dead>(next));
}

}  // namespace

std::optional<LogLevel> level_of(const Event& event) {
  using Level = std::optional<LogLevel>;
  return std::visit(Overload{
                        [](const BookOpened& opened) -> Level {
                          return opened.tail == TailStatus::torn || opened.tail == TailStatus::unclean
                                     ? LogLevel::warning
                                     : LogLevel::info;
                        },
                        [](const BookClosed&) -> Level { return LogLevel::info; },
                        [](const BookAdopted&) -> Level { return LogLevel::info; },
                        [](const GenerationBegun&) -> Level { return LogLevel::info; },
                        [](const ConfigurationChanged&) -> Level { return LogLevel::info; },
                        [](const FeatureLevelRaised&) -> Level { return LogLevel::info; },
                        [](const QueuePaused&) -> Level { return LogLevel::info; },
                        [](const QueueResumed&) -> Level { return LogLevel::info; },
                        [](const SnapshotTaken&) -> Level { return LogLevel::info; },
                        [](const SegmentsDropped&) -> Level { return LogLevel::info; },
                        [](const ClockConfirmed&) -> Level { return LogLevel::info; },
                        [](const JobRetried&) -> Level { return LogLevel::info; },
                        [](const ClockDoubted&) -> Level { return LogLevel::error; },
                        [](const ClockStepped&) -> Level { return LogLevel::warning; },
                        [](const LeaseExpired& expired) -> Level { return level_of_end(expired.next); },
                        [](const AttemptFailed& failed) -> Level {
                          return std::holds_alternative<Dead>(failed.next) ? LogLevel::error : LogLevel::debug;
                        },
                        [](const JobExpired&) -> Level { return LogLevel::error; },
                        [](const ChildDropped& dropped) -> Level { return level_of_end(!dropped.cancelled); },
                        [](const OnDeadSet&) -> Level { return LogLevel::info; },
                        [](const JobTimedOut& ended) -> Level { return level_of_end(!ended.cancelled); },
                        [](const OutcomeRefused&) -> Level { return LogLevel::warning; },
                        [](const JobMarkedUncertain&) -> Level { return LogLevel::warning; },
                        [](const GapDeclared&) -> Level { return LogLevel::warning; },
                        [](const RecurringDeclared&) -> Level { return LogLevel::info; },
                        [](const RecurringRemoved&) -> Level { return LogLevel::info; },
                        [](const RecurringReplanned&) -> Level { return LogLevel::info; },
                        [](const RecurringBackfilled&) -> Level { return LogLevel::info; },
                        [](const RecurringResumed&) -> Level { return LogLevel::info; },
                        [](const RecurringPaused& paused) -> Level {
                          return paused.problem.empty() ? LogLevel::info : LogLevel::error;
                        },
                        [](const RecurringSkipped& skipped) -> Level {
                          return skipped.reason < SkipReason::paused ? LogLevel::warning : LogLevel::info;
                        },
                        [](const auto&) -> Level { return {}; },
                    },
                    event);
}

std::string event_line(const RecordedEvent& recorded, const View* names) {
  const std::string facts = describe(recorded, names);
  return "event=" + std::string(type_name(recorded.event)) + " seq=" + std::to_string(recorded.sequence.value()) +
         " at=" + to_string(recorded.wall) + (facts.empty() ? "" : " " + facts);
}

}  // namespace daybook
