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
#include <utility>
#include <vector>

#include "daybook/core/apply.hpp"
#include "daybook/core/state.hpp"
#include "support/histories.hpp"
#include "support/memory_book.hpp"

// Whom a claim gives what: random histories, and contests of groups, against models that are dumb and share no code with
// the rules.

namespace daybook {
namespace {

using testing::Driver;
using testing::Exchange;
using testing::MemoryBook;
using testing::Step;
using testing::Steps;

// ---- a dumb model of a claim

/// Deficit round robin over lists, and buckets reckoned anew at every look.
class Model {
 public:
  Model(const State& before, const Claim& claim, const Moment& now) : before_(before), now_(now) {
    before.each_queue([&](const Queue& queue) {
      if (!queue.paused && named(claim.queues, queue.id)) queues_.emplace(queue.id, OfQueue{queue, {}, {}, 0});
    });
    before.each_job([&](const Job& job) {
      const auto queue = queues_.find(job.spec->queue);
      if (queue == queues_.end()) return;
      if (job.state == JobState::running) {
        ++queue->second.running;
        ++queue->second.running_of[job.spec->group];
      }
      const auto reached = [&](const Due& due) { return due.after ? *due.after <= now.book : due.at <= now.wall; };
      if (job.state != JobState::waiting || !reached(job.due)) return;
      if ((job.start_by && reached(*job.start_by)) || (job.end_by && *job.end_by <= now.book)) return;
      if (!claim.kinds.empty() && !named(claim.kinds, job.spec->kind)) return;
      queue->second.ready[job.spec->group].insert({job.spec->priority, job.due.at, job.id.sequence});
    });
    before.each_group([&](const Group& group) { groups_[{group.queue, group.id}] = group; });
  }

  std::vector<Sequence> take(std::uint32_t count) {
    std::vector<Sequence> taken;
    while (taken.size() < count) {
      OfQueue* best = nullptr;
      NameId best_group;
      for (auto& [id, queue] : queues_) {
        const std::optional<NameId> group = whose_turn(queue);
        if (!group) continue;
        if (best == nullptr || *queue.ready[*group].begin() < *best->ready[best_group].begin()) {
          best = &queue;
          best_group = *group;
        }
      }
      if (best == nullptr) break;
      taken.push_back(start(*best, best_group));
    }
    return taken;
  }

 private:
  using Ready = std::set<std::tuple<Priority, Instant, Sequence>>;
  struct OfQueue {
    Queue queue;
    std::map<NameId, Ready> ready;
    std::map<NameId, std::uint64_t> running_of;
    std::uint64_t running = 0;
  };

  [[nodiscard]] bool named(const std::vector<std::string>& names, NameId id) const {
    return std::find(names.begin(), names.end(), before_.name(id)->text) != names.end();
  }
  Group& group_of(const OfQueue& queue, NameId id) {
    return groups_.try_emplace({queue.queue.id, id}, Group{queue.queue.id, id}).first->second;
  }
  [[nodiscard]] std::int64_t level(const std::optional<Bucket>& bucket, const Rate& rate) const {
    const std::int64_t full = std::int64_t{rate.burst} * 1'000'000;
    if (!bucket) return full;
    const std::int64_t passed = std::max<std::int64_t>((now_.book - bucket->at).count(), 0);
    // No history lasts a million years, and its periods are whole seconds.
    if (passed / rate.per.count() > full) return full;
    return std::min(full, bucket->level + passed * rate.starts / (rate.per.count() / 1'000'000));
  }
  bool open(OfQueue& queue, NameId group) {
    const QueueLimits& limits = queue.queue.limits;
    if (limits.running != 0 && queue.running >= limits.running) return false;
    if (limits.rate.starts != 0 && level(queue.queue.bucket, limits.rate) < 1'000'000) return false;
    if (group == NameId()) return true;
    if (limits.running_per_group != 0 && queue.running_of[group] >= limits.running_per_group) return false;
    return limits.rate_per_group.starts == 0 ||
           level(group_of(queue, group).bucket, limits.rate_per_group) >= 1'000'000;
  }
  std::optional<NameId> whose_turn(OfQueue& queue) {
    std::vector<NameId> candidates;
    for (const auto& [group, jobs] : queue.ready) {
      if (!jobs.empty() && open(queue, group)) candidates.push_back(group);
    }
    if (candidates.empty()) return std::nullopt;
    const Turn& turn = queue.queue.turn;
    const bool goes_on = turn.left != 0 && std::count(candidates.begin(), candidates.end(), turn.group) != 0;
    if (goes_on) return turn.group;
    const auto next = std::upper_bound(candidates.begin(), candidates.end(), turn.group);
    return next == candidates.end() ? candidates.front() : *next;
  }
  Sequence start(OfQueue& queue, NameId group) {
    Turn& turn = queue.queue.turn;
    const bool goes_on = turn.group == group && turn.left != 0;
    turn = {group, (goes_on ? turn.left : group == NameId() ? 1 : group_of(queue, group).weight) - 1};
    const QueueLimits& limits = queue.queue.limits;
    const auto pay = [&](std::optional<Bucket>& bucket, const Rate& rate) {
      if (rate.starts != 0) bucket = Bucket{level(bucket, rate) - 1'000'000, now_.book};
    };
    pay(queue.queue.bucket, limits.rate);
    if (group != NameId()) pay(group_of(queue, group).bucket, limits.rate_per_group);
    ++queue.running;
    ++queue.running_of[group];
    const auto first = queue.ready[group].begin();
    const Sequence id = std::get<2>(*first);
    queue.ready[group].erase(first);
    return id;
  }

  const State& before_;
  Moment now_;
  std::map<NameId, OfQueue> queues_;
  std::map<std::pair<NameId, NameId>, Group> groups_;
};

RC_GTEST_PROP(Fairness, ClaimsGetWhatADumbModelGivesThem, ()) {
  const Steps steps = *testing::histories();
  State state;
  State before;  // as the claim found it: leases ended, nothing claimed
  Driver driver(state);
  std::size_t replayed = 0;
  std::size_t in_groups = 0;
  for (const Step& step : steps) {
    for (const Exchange& exchange : driver.step(step)) {
      const auto* claim = std::get_if<Claim>(&exchange.submission.commands.front());
      if (exchange.submission.commands.size() != 1 || !claim || !exchange.outcome.answers ||
          exchange.outcome.repeated) {
        continue;
      }
      std::size_t start = exchange.head_before.value();
      while (start < driver.events().size() && !std::holds_alternative<JobClaimed>(driver.events()[start].event))
        ++start;
      for (; replayed < start; ++replayed) apply(before, driver.events()[replayed]);

      const std::vector<Sequence> expected = Model(before, *claim, exchange.now).take(claim->count);
      const auto& found = std::get<Claimed>(exchange.outcome.answers->front()).jobs;
      RC_ASSERT(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        RC_ASSERT(found[i].id.sequence == expected[i]);
        in_groups += found[i].group.empty() ? 0 : 1;
      }
    }
  }
  RC_TAG(in_groups > 0 ? "groups were served" : "no group was served");
}

RC_GTEST_PROP(Limits, AreNeverExceededByAnyHistory, ()) {
  const testing::RecordedHistory history = testing::record(*testing::histories());
  State state;
  std::map<std::pair<NameId, NameId>, std::vector<BookTime>> starts;  // since the queue's limits were set; group 0: all
  std::size_t limited = 0;
  for (const RecordedEvent& recorded : history.events) {
    if (const auto* set = std::get_if<LimitsSet>(&recorded.event)) {
      std::erase_if(starts, [&](const auto& entry) { return entry.first.first == set->queue; });
    }
    if (const auto* claimed = std::get_if<JobClaimed>(&recorded.event)) {
      const JobSpec spec = *state.job(claimed->job.sequence)->spec;
      const QueueLimits limits = state.queue(spec.queue)->limits;
      std::uint64_t running = 0;
      std::uint64_t in_group = 0;
      state.each_job([&](const Job& job) {
        if (job.state != JobState::running || job.spec->queue != spec.queue) return;
        ++running;
        in_group += job.spec->group == spec.group ? 1 : 0;
      });
      RC_ASSERT(running == state.running_in(spec.queue));
      RC_ASSERT(limits.running == 0 || running < limits.running);
      RC_ASSERT(limits.running_per_group == 0 || spec.group == NameId() || in_group < limits.running_per_group);
      const auto keeps = [&](NameId group, const Rate& rate) {
        std::vector<BookTime>& times = starts[{spec.queue, group}];
        times.push_back(state.book().book_time(recorded.boot));  // a timeout may end its lease sooner
        if (!rate.limited()) return;
        ++limited;
        for (std::size_t from = 0; from < times.size(); ++from) {
          const std::int64_t length = (times.back() - times[from]).count();
          RC_ASSERT(static_cast<std::int64_t>(times.size() - from) <=
                    rate.burst + length / rate.per.count() * rate.starts +
                        length % rate.per.count() * rate.starts / rate.per.count());
        }
      };
      keeps(NameId(), limits.rate);
      if (spec.group != NameId()) keeps(spec.group, limits.rate_per_group);
    }
    apply(state, recorded);
  }
  RC_TAG(limited > 0 ? "rates were put to the test" : "no rate was");
}

// ---- contests

/// Three groups with more jobs than are ever claimed, of random weights, against one worker who claims as it pleases.
RC_GTEST_PROP(Fairness, StartsOfBackloggedGroupsStayWithinATurnOfTheirWeights, ()) {
  MemoryBook book;
  book.done(RaiseFeatureLevel{});
  const std::vector<std::string> groups = {"a", "b", "c"};
  std::map<std::string, std::uint32_t> weight;
  for (const std::string& group : groups) {
    weight[group] = *rc::gen::inRange<std::uint32_t>(1, 6);
    book.done(SetWeight{"mail", group, weight[group]});
    Submission jobs;
    for (int i = 0; i < 200; ++i) jobs.commands.emplace_back(Schedule{.queue = "mail", .kind = "send", .group = group});
    RC_ASSERT(book.execute_here(jobs).answers.has_value());
  }
  std::vector<std::string> order;
  while (order.size() < 100) {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 12);
    for (const ClaimedJob& job : book.claim({.queues = {"mail"}, .worker = "w1", .count = count})) {
      order.push_back(job.group);
    }
  }
  for (std::size_t from = 0; from < order.size(); ++from) {
    std::map<std::string, int> starts;
    for (std::size_t to = from; to < order.size(); ++to) {
      ++starts[order[to]];
      // In turns: each group has had as many as any other, give or take one.
      for (const std::string& a : groups) {
        for (const std::string& b : groups) {
          const int turns_of_a = starts[a] * static_cast<int>(weight[b]);
          const int turns_of_b = starts[b] * static_cast<int>(weight[a]);
          RC_ASSERT(turns_of_a - turns_of_b <= static_cast<int>(weight[a] * weight[b]));
        }
      }
    }
  }
}

TEST(Fairness, ASingleJobBesideALongQueueWaitsForOneTurn) {
  MemoryBook book;
  book.done(RaiseFeatureLevel{});
  for (int i = 0; i < 500; ++i) book.schedule({.queue = "mail", .kind = "send", .group = "crowd"});
  for (int i = 0; i < 10; ++i) book.claim({.queues = {"mail"}, .worker = "w1"});
  book.schedule({.queue = "mail", .kind = "send", .group = "single"});
  const auto jobs = book.claim({.queues = {"mail"}, .worker = "w1", .count = 2});
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_TRUE(jobs[0].group == "single" || jobs[1].group == "single");
}

}  // namespace
}  // namespace daybook
