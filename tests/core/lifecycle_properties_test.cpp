// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "daybook/core/apply.hpp"
#include "daybook/core/conflict.hpp"
#include "daybook/core/state.hpp"
#include "support/histories.hpp"

// Laws that hold for every history. The histories are random (support/histories.hpp); the models here are the dumbest
// that say what is meant, and share no code with the rules.

namespace daybook {
namespace {

using testing::Driver;
using testing::Exchange;
using testing::Step;
using testing::Steps;

/// Runs a history and shows each exchange, together with the state right after it.
void live(const Steps& steps, const std::function<void(const Exchange&, const Driver&, const State&)>& look) {
  State state;
  Driver driver(state);
  for (const Step& step : steps) {
    for (const Exchange& exchange : driver.step(step)) look(exchange, driver, state);
  }
}

/// Shows each event with the states before and after it.
void retrace(const std::vector<RecordedEvent>& events,
             const std::function<void(const RecordedEvent&, const View& before,
                                      const std::function<const View&()>& step)>& look) {
  State state;
  for (const RecordedEvent& recorded : events) {
    bool applied = false;
    const auto step = [&]() -> const View& {
      if (!applied) apply(state, recorded);
      applied = true;
      return state;
    };
    look(recorded, state, step);
    step();
  }
}

void replay_into(State& state, std::span<const RecordedEvent> events) {
  for (const RecordedEvent& recorded : events) apply(state, recorded);
}

void expect_same(const View& left, const View& right) {
  const std::vector<std::string> found = differences(left, right);
  if (!found.empty()) RC_FAIL(found.front());
}

bool due_now(const Due& due, const Moment& now) {
  return due.after ? *due.after <= now.book : due.at <= now.wall;
}

const JobId* job_named_by(const Command& command) {
  return std::visit(
      [](const auto& c) -> const JobId* {
        if constexpr (requires { c.job; }) {
          return &c.job;
        } else {
          return nullptr;
        }
      },
      command);
}

const Token* token_named_by(const Command& command) {
  return std::visit(
      [](const auto& c) -> const Token* {
        if constexpr (requires { c.token; }) {
          return &c.token;
        } else {
          return nullptr;
        }
      },
      command);
}

/// Before a submission is decided, what time has ended is ended; nobody asked for that, so no request is named. A death may bring about a
/// job.
bool made_by_time(const RecordedEvent& recorded) {
  const auto* scheduled = std::get_if<JobScheduled>(&recorded.event);
  if (scheduled && scheduled->spec->dependencies.on_dead) return true;
  const bool of_time =
      std::holds_alternative<LeaseExpired>(recorded.event) || std::holds_alternative<AttemptFailed>(recorded.event) ||
      std::holds_alternative<JobExpired>(recorded.event) || std::holds_alternative<JobTimedOut>(recorded.event);
  return of_time && !recorded.request;
}

RC_GTEST_PROP(Lifecycle, ReplayingAllEventsGivesTheSameState, ()) {
  const Steps steps = *testing::histories();
  State state;
  Driver driver(state);
  for (const Step& step : steps) (void)driver.step(step);
  State replayed;
  replay_into(replayed, driver.events());
  expect_same(replayed, state);
}

RC_GTEST_PROP(Lifecycle, ReplayingAPrefixThenTheRestEqualsReplayingAll, ()) {
  const Steps steps = *testing::histories();
  const auto history = testing::record(steps);
  const std::span all(history.events);
  State whole;
  replay_into(whole, all);
  const std::size_t cut = *rc::gen::inRange<std::size_t>(0, all.size() + 1);
  State parts;
  replay_into(parts, all.first(cut));
  if (cut > 0) parts.advance(Moment{all[cut - 1].wall, {}, {}, 0});  // housekeeping in between changes nothing
  replay_into(parts, all.subspan(cut));
  expect_same(parts, whole);
}

RC_GTEST_PROP(Lifecycle, SequencesHaveNoGapsAndBatchesCoverThem, ()) {
  const Steps steps = *testing::histories();
  const auto history = testing::record(steps);
  for (std::size_t i = 0; i < history.events.size(); ++i) RC_ASSERT(history.events[i].sequence == Sequence(i + 1));
  RC_ASSERT(std::is_sorted(history.batch_ends.begin(), history.batch_ends.end()));
  RC_ASSERT(history.batch_ends.back() == history.events.size());
}

RC_GTEST_PROP(Lifecycle, AtMostOneLeaseAtATimeAndTokensRise, ()) {
  const Steps steps = *testing::histories();
  std::map<Sequence, Token> live;  // by job
  std::map<Sequence, Token> newest;
  const auto history = testing::record(steps);
  for (const RecordedEvent& recorded : history.events) {
    const auto ends = [&](const JobId& job, const Token& token) {
      RC_ASSERT(live.contains(job.sequence));
      RC_ASSERT(live[job.sequence] == token);
      live.erase(job.sequence);
    };
    if (const auto* claimed = std::get_if<JobClaimed>(&recorded.event)) {
      RC_ASSERT(!live.contains(claimed->job.sequence));
      const Token token{recorded.sequence, claimed->generation};
      RC_ASSERT(newest[claimed->job.sequence].claim < token.claim);
      live[claimed->job.sequence] = newest[claimed->job.sequence] = token;
    } else if (const auto* renewed = std::get_if<LeasesRenewed>(&recorded.event)) {
      RC_ASSERT(!renewed->renewals.empty());
      for (const Renewal& renewal : renewed->renewals) RC_ASSERT(live[renewal.job.sequence] == renewal.token);
    } else if (const auto* completed = std::get_if<JobCompleted>(&recorded.event)) {
      ends(completed->job, completed->token);
    } else if (const auto* failed = std::get_if<AttemptFailed>(&recorded.event)) {
      ends(failed->job, failed->token);
    } else if (const auto* expired = std::get_if<LeaseExpired>(&recorded.event)) {
      ends(expired->job, expired->token);
    } else if (const auto* timed_out = std::get_if<JobTimedOut>(&recorded.event)) {
      if (timed_out->token != Token{}) ends(timed_out->job, timed_out->token);
      RC_ASSERT(!live.contains(timed_out->job.sequence));
    } else if (const auto* late = std::get_if<JobExpired>(&recorded.event)) {
      RC_ASSERT(!live.contains(late->job.sequence));
    } else if (const auto* snoozed = std::get_if<JobSnoozed>(&recorded.event)) {
      ends(snoozed->job, snoozed->token);
    } else if (const auto* released = std::get_if<JobReleased>(&recorded.event)) {
      ends(released->job, released->token);
    } else if (const auto* cancelled = std::get_if<JobCancelled>(&recorded.event)) {
      RC_ASSERT(!live.contains(cancelled->job.sequence));
    } else if (const auto* marked = std::get_if<JobMarkedUncertain>(&recorded.event)) {
      live.erase(marked->job.sequence);
    }
  }
}

RC_GTEST_PROP(Lifecycle, AStaleTokenIsRefusedAndChangesNothing, ()) {
  const Steps steps = *testing::histories();
  std::size_t seen = 0;
  State before;  // one exchange behind
  std::size_t replayed = 0;
  live(steps, [&](const Exchange& exchange, const Driver& driver, const State& state) {
    const Command& command = exchange.submission.commands.front();
    const Token* token = token_named_by(command);
    const std::size_t start = exchange.head_before.value();
    replay_into(before, std::span(driver.events()).subspan(replayed, start - replayed));
    replayed = start;
    const Job* job = token ? before.job(job_named_by(command)->sequence) : nullptr;
    if (exchange.submission.commands.size() != 1 || !job || exchange.outcome.repeated) return;
    const bool stale = !job->lease || job->lease->token != *token || job->lease->ends_at <= exchange.now.book;
    if (!stale) return;
    ++seen;
    RC_ASSERT(!exchange.outcome.answers.has_value());
    Job left = *job;
    for (const RecordedEvent& recorded : exchange.outcome.events) {
      if (made_by_time(recorded)) return;  // another rule changed it
    }
    Job now = *state.job(job->id.sequence);
    left.last_event = now.last_event;
    now.refused = left.refused;
    RC_ASSERT(now == left);
  });
  RC_TAG(seen > 0 ? "stale tokens seen" : "none");
}

RC_GTEST_PROP(Lifecycle, NoLeaseOutlivesItsEnd, ()) {
  const Steps steps = *testing::histories();
  live(steps, [](const Exchange& exchange, const Driver&, const State& state) {
    const Command& first = exchange.submission.commands.front();
    const bool grants_or_limits = std::holds_alternative<OpenBook>(first) ||
                                  std::holds_alternative<BeginGeneration>(first) ||
                                  std::holds_alternative<ExpireLeases>(first);
    if (grants_or_limits || exchange.outcome.repeated || state.book().held) return;
    for (const Sequence id : state.running()) RC_ASSERT(state.job(id)->lease->ends_at > exchange.now.book);
  });
}

RC_GTEST_PROP(Lifecycle, AStaleOutcomeIsOnRecordOncePerReason, ()) {
  const Steps steps = *testing::histories();
  std::set<std::tuple<Sequence, Token, RefusalCode>> seen;
  std::map<Sequence, std::size_t> of_job;
  for (const RecordedEvent& recorded : testing::record(steps).events) {
    const auto* refused = std::get_if<OutcomeRefused>(&recorded.event);
    if (!refused) continue;
    RC_ASSERT(seen.emplace(refused->job.sequence, refused->token, refused->reason).second);
    RC_ASSERT(++of_job[refused->job.sequence] <= limits::refusals_recorded_max);
  }
}

RC_GTEST_PROP(Lifecycle, AJobIsConsistentInItself, ()) {
  const Steps steps = *testing::histories();
  live(steps, [](const Exchange&, const Driver&, const State& state) {
    state.each_job([](const Job& job) {
      RC_ASSERT(job.attempt <= job.attempts_allowed);
      RC_ASSERT(job.lease.has_value() == (job.state == JobState::running));
      RC_ASSERT(job.finalized_at.has_value() == is_final(job.state));
      RC_ASSERT(job.completed_by.has_value() == (job.state == JobState::completed));
      RC_ASSERT((job.dead_reason != DeadReason::none) == (job.state == JobState::dead));
      RC_ASSERT(!job.cancel_requested || job.state == JobState::running);
      RC_ASSERT(job.state != JobState::waiting || job.attempt < job.attempts_allowed);
      RC_ASSERT((job.awaits != Sequence()) == (job.state == JobState::awaiting));
      RC_ASSERT(job.final_event == Sequence() || is_final(job.state));
    });
  });
}

RC_GTEST_PROP(Lifecycle, AFinalJobChangesOnlyByRetry, ()) {
  const Steps steps = *testing::histories();
  retrace(testing::record(steps).events, [](const RecordedEvent& recorded, const View& before, const auto& step) {
    std::vector<Job> finals;
    for (const Sequence id : jobs_of(recorded.sequence, recorded.event)) {
      const Job* job = before.job(id);
      if (job && is_final(job->state)) finals.push_back(*job);
    }
    const View& after = step();
    for (Job& was : finals) {
      if (std::holds_alternative<JobsPruned>(recorded.event)) {
        RC_ASSERT(after.job(was.id.sequence) == nullptr);
        continue;
      }
      Job is = *after.job(was.id.sequence);
      if (std::holds_alternative<ResultsForgotten>(recorded.event)) {
        RC_ASSERT(is.result.empty() && !is.result_until);
        is.result = was.result;
        is.result_until = was.result_until;
      } else if (const auto* scheduled = std::get_if<JobScheduled>(&recorded.event)) {
        RC_ASSERT(scheduled->key_from == was.id);  // it takes the key
        was.key_handed_over = true;
      }
      if (const auto* moved = std::get_if<JobMoved>(&recorded.event)) {
        RC_ASSERT(was.state == JobState::dead && is.spec->queue == moved->queue);
        is.spec = was.spec;
      }
      if (std::holds_alternative<JobRetried>(recorded.event)) {
        RC_ASSERT(was.state == JobState::dead);
        continue;
      }
      if (std::holds_alternative<OutcomeRefused>(recorded.event)) was.refused = is.refused;
      was.last_event = is.last_event;
      RC_ASSERT(was == is);
    }
  });
}

RC_GTEST_PROP(Lifecycle, AChildIsFreedOrDroppedOnceItsParentsEndedAndStay, ()) {
  const Steps steps = *testing::histories();
  retrace(testing::record(steps).events, [](const RecordedEvent& recorded, const View& before, const auto& step) {
    const auto judged = [&](const JobId& child, bool freed) {
      const Dependencies& asked = before.job(child.sequence)->spec->dependencies;
      bool all_completed = true;
      for (const JobId& parent : asked.parents) {
        const Job* job = before.job(parent.sequence);
        if (!job) continue;  // pruned before the child was retried
        RC_ASSERT(is_final(job->state));
        all_completed = all_completed && job->state == JobState::completed;
      }
      RC_ASSERT(freed ==
                (asked.run_when == RunWhen::always || (asked.run_when == RunWhen::succeeded) == all_completed));
    };
    if (const auto* freed = std::get_if<ChildFreed>(&recorded.event)) judged(freed->job, true);
    if (const auto* dropped = std::get_if<ChildDropped>(&recorded.event)) judged(dropped->job, false);
    step().each_job([&](const Job& job) {
      RC_ASSERT(job.state != JobState::awaiting || before.job(job.awaits) || before.book().lost_through != Sequence());
    });
  });
}

RC_GTEST_PROP(Lifecycle, AnEventTouchesTheJobsItNamesAndNoOthers, ()) {
  const Steps steps = *testing::histories();
  const auto jobs_in = [](const View& view) {
    std::map<Sequence, Job> jobs;
    view.each_job([&](const Job& job) { jobs.emplace(job.id.sequence, job); });
    return jobs;
  };
  const auto events =
      testing::record(Steps(steps.begin(), steps.begin() + std::min<std::ptrdiff_t>(40, std::ssize(steps)))).events;
  retrace(events, [&](const RecordedEvent& recorded, const View& before, const auto& step) {
    auto left = jobs_in(before);
    auto now = jobs_in(step());
    for (const Sequence id : jobs_of(recorded.sequence, recorded.event)) {
      if (std::holds_alternative<JobsPruned>(recorded.event)) {
        RC_ASSERT(!now.contains(id));
      } else {
        RC_ASSERT(now.at(id).last_event == recorded.sequence);
      }
      left.erase(id);
      now.erase(id);
    }
    RC_ASSERT(left == now);
  });
}

RC_GTEST_PROP(Lifecycle, AUniqueKeyIsHeldByOneJob, ()) {
  const Steps steps = *testing::histories();
  live(steps, [](const Exchange&, const Driver&, const State& state) {
    std::map<std::pair<NameId, std::string>, Sequence> holders;
    state.each_job([&](const Job& job) {
      if (!holds_key(job)) return;
      RC_ASSERT(holders.emplace(std::pair(job.spec->queue, job.spec->unique_key), job.id.sequence).second);
    });
    for (const auto& [key, job] : holders) RC_ASSERT(state.key_holder(key.first, key.second) == job);
  });
}

RC_GTEST_PROP(Lifecycle, NothingIsClaimedBeforeItIsDue, ()) {
  const Steps steps = *testing::histories();
  live(steps, [replica = std::make_shared<State>(), replayed = std::size_t{0}](
                  const Exchange& exchange, const Driver& driver, const State&) mutable {
    for (; replayed < driver.events().size(); ++replayed) {
      const RecordedEvent& recorded = driver.events()[replayed];
      if (const auto* claimed = std::get_if<JobClaimed>(&recorded.event)) {
        RC_ASSERT(due_now(replica->job(claimed->job.sequence)->due, exchange.now));
        const Job& job = *replica->job(claimed->job.sequence);
        BookTime end = exchange.now.book + claimed->lease;
        if (job.spec->run_timeout) end = std::min(end, exchange.now.book + *job.spec->run_timeout);
        if (job.end_by) end = std::min(end, *job.end_by);
        RC_ASSERT(claimed->lease_ends_at == end);
        RC_ASSERT(!is_overdue(job, exchange.now));
      }
      apply(*replica, recorded);
    }
  });
}

RC_GTEST_PROP(Lifecycle, NoJobIsLostOrMade, ()) {
  const Steps steps = *testing::histories();
  std::uint64_t scheduled = 0;
  live(steps, [&](const Exchange& exchange, const Driver&, const State& state) {
    for (const RecordedEvent& recorded : exchange.outcome.events) {
      scheduled += std::holds_alternative<JobScheduled>(recorded.event) ? 1 : 0;
      if (const auto* pruned = std::get_if<JobsPruned>(&recorded.event)) scheduled -= pruned->jobs.size();
    }
    std::uint64_t counted = 0;
    for (const auto& [place, count] : state.counts()) counted += count;
    std::uint64_t there = 0;
    state.each_job([&](const Job&) { ++there; });
    RC_ASSERT(counted == scheduled);
    RC_ASSERT(there == scheduled);
  });
}

RC_GTEST_PROP(Lifecycle, ARefusedSubmissionLeavesOnlyTheRecordOfIt, ()) {
  const Steps steps = *testing::histories();
  State replica;
  std::size_t replayed = 0;
  live(steps, [&](const Exchange& exchange, const Driver& driver, const State& state) {
    if (exchange.outcome.answers) return;
    bool asked = false;  // behind the leases that ended first
    for (const RecordedEvent& recorded : exchange.outcome.events) {
      if (made_by_time(recorded)) {
        RC_ASSERT(!asked);
        continue;
      }
      if (std::holds_alternative<NameDefined>(recorded.event)) continue;
      asked = true;
      RC_ASSERT(std::holds_alternative<OutcomeRefused>(recorded.event) ||
                std::holds_alternative<DuplicateSuppressed>(recorded.event) ||
                std::holds_alternative<RequestRefused>(recorded.event));
    }
    replay_into(replica, std::span(driver.events()).subspan(replayed));
    replayed = driver.events().size();
    expect_same(replica, state);
  });
}

bool same_answer(const Answer& first, const Answer& again, const State& state) {
  if (first.index() != again.index()) return false;
  if (const auto* claimed = std::get_if<Claimed>(&first)) {
    const auto& jobs = std::get<Claimed>(again).jobs;
    // A job that was claimed may be replaced once the claim is over; then what it held is told by the log alone.
    const auto is_over = [&](const ClaimedJob& claim) {
      const Job* job = state.job(claim.id.sequence);
      return !job || !job->lease || job->lease->token != claim.token;
    };
    return std::equal(claimed->jobs.begin(), claimed->jobs.end(), jobs.begin(), jobs.end(),
                      [&](const ClaimedJob& a, const ClaimedJob& b) {
                        return a.id == b.id && a.token == b.token && a.attempt == b.attempt &&
                               a.lease_ends_at == b.lease_ends_at && (is_over(a) || a.payload == b.payload);
                      });
  }
  if (const auto* renewed = std::get_if<Renewed>(&first)) {
    const auto& claims = std::get<Renewed>(again).claims;
    return std::equal(renewed->claims.begin(), renewed->claims.end(), claims.begin(), claims.end(),
                      [](const Result<Renewed::One>& a, const Result<Renewed::One>& b) {
                        return a.has_value() == b.has_value() && (!a || a->lease_ends_at == b->lease_ends_at);
                      });
  }
  if (const auto* step = std::get_if<StepDone>(&first)) {
    return !step->first || *step == std::get<StepDone>(again);  // of one that was done before, the job may be gone
  }
  if (const auto* recorded = std::get_if<Recorded>(&first)) return *recorded == std::get<Recorded>(again);
  return first == again;
}

RC_GTEST_PROP(Lifecycle, ARepeatedRequestGetsItsFirstAnswerAndNoSecondEffect, ()) {
  const Steps steps = *testing::histories();
  std::size_t repeated = 0;
  live(steps, [&](const Exchange& exchange, const Driver& driver, const State& state) {
    if (!exchange.outcome.repeated) return;
    ++repeated;
    RC_ASSERT(exchange.outcome.events.empty());
    RC_ASSERT(state.book().head == exchange.head_before);
    const RequestId& id = *exchange.submission.context.request;
    const Exchange& first = driver.requests().at({id.client, id.id});
    const RequestRecord& record = *exchange.outcome.repeated;
    const auto all = std::span(driver.events());
    const auto again =
        answers(exchange.submission,
                all.subspan(record.first.value() - 1, record.last.value() - record.first.value() + 1), state);
    RC_ASSERT(again.has_value() == first.outcome.answers.has_value());
    if (!again) {
      RC_ASSERT(again.error() == first.outcome.answers.error());
      return;
    }
    RC_ASSERT(again->size() == first.outcome.answers->size());
    for (std::size_t i = 0; i < again->size(); ++i) {
      RC_ASSERT(same_answer(first.outcome.answers->at(i), again->at(i), state));
    }
  });
  RC_TAG(repeated > 0 ? "requests were repeated" : "none was");
}

TEST(Histories, ReachEveryEventAndMostRefusals) {
  std::map<std::string_view, std::size_t> events;
  std::map<std::string_view, std::size_t> refusals;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    live(testing::random_steps(seed, 150), [&](const Exchange& exchange, const Driver&, const State&) {
      if (!exchange.outcome.answers) ++refusals[to_string(exchange.outcome.answers.error().code)];
    });
    for (const RecordedEvent& recorded : testing::record(testing::random_steps(seed, 150)).events) {
      ++events[type_name(recorded.event)];
    }
  }
  for (const std::string_view name : all_event_type_names()) EXPECT_GT(events[name], 0U) << name;
  for (const RefusalCode code :
       {RefusalCode::invalid_argument, RefusalCode::no_such_job, RefusalCode::another_history, RefusalCode::lease_lost,
        RefusalCode::already_completed, RefusalCode::already_final, RefusalCode::is_running, RefusalCode::not_dead,
        RefusalCode::duplicate_key, RefusalCode::payload_too_large, RefusalCode::due_out_of_range,
        RefusalCode::lease_out_of_range, RefusalCode::attempts_out_of_range, RefusalCode::queue_unknown,
        RefusalCode::worker_unknown, RefusalCode::book_held, RefusalCode::not_held}) {
    EXPECT_GT(refusals[to_string(code)], 0U) << to_string(code);
  }
}

}  // namespace
}  // namespace daybook
