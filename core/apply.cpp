// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/apply.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apply_job.hpp"
#include "apply_recurring.hpp"
#include "daybook/core/conflict.hpp"
#include "daybook/core/limits.hpp"

// Finds the entities that an event names, changes them, and puts them back; the book's head moves with every
// event. What an event makes of a job is apply_job.cpp's. Events come from disk as well as from decide, so
// what cannot follow is reported as damage.

namespace daybook {
namespace {

class Application {
 public:
  Application(Store& store, const RecordedEvent& recorded) : store_(store), recorded_(recorded), book_(store.book()) {}

  void run() {
    if (recorded_.sequence != book_.head.next()) {
      cannot_follow(recorded_, "found sequence " + std::to_string(recorded_.sequence.value()) + ", expected " +
                                   std::to_string(book_.head.next().value()));
    }
    std::visit(*this, recorded_.event);
    book_.head = recorded_.sequence;
    book_.head_wall = recorded_.wall;
    book_.head_boot = recorded_.boot;
    if (recorded_.request) remember(*recorded_.request);
    store_.put(book_);
  }

  void operator()(const BookOpened& event) {
    if (event.epoch <= book_.epoch) {
      fail("found epoch " + std::to_string(event.epoch.value()) + ", expected more than " +
           std::to_string(book_.epoch.value()));
    }
    book_.epoch = event.epoch;
    book_.boot_id = event.boot_id;
    book_.book_offset = event.book_offset;
    book_.open = true;
    if (event.new_boot) ++book_.era;
  }

  void operator()(const BookClosed&) {
    if (!book_.open) fail("the book is not open");
    book_.open = false;
  }

  void operator()(const ClockStepped& event) {
    if (event.era <= book_.era) {
      fail("found era " + std::to_string(event.era) + ", expected more than " + std::to_string(book_.era));
    }
    book_.era = event.era;
  }

  void operator()(const ConfigurationChanged& event) { store_.put(event.setting); }

  void operator()(const NameDefined& event) {
    const std::uint32_t id = event.name.id.value();
    const bool next = id == book_.names + 1;
    // Names may be among what a gap took: then those behind it keep their ids.
    const bool fits = book_.lost_through == Sequence() ? next : id != 0 && store_.name(event.name.id) == nullptr;
    if (!fits) fail("found name " + std::to_string(id) + ", expected " + std::to_string(book_.names + 1));
    if (store_.find_name(event.name.sort, event.name.text)) fail("that name is defined already");
    book_.names = std::max(book_.names, id);
    store_.put(event.name);
  }

  void operator()(const GenerationBegun& event) {
    if (event.generation.number <= book_.generation.number) {
      fail("found generation " + std::to_string(event.generation.number) + ", expected more than " +
           std::to_string(book_.generation.number));
    }
    book_.generation = event.generation;
    book_.held = event.held;
  }

  void operator()(const BookAdopted&) {
    if (!book_.held) fail("the book is not held");
    book_.held = false;
  }

  void operator()(const FeatureLevelRaised& event) {
    if (event.before != book_.feature_level || event.after <= event.before) {
      fail("found level " + std::to_string(event.before) + " raised to " + std::to_string(event.after) +
           ", expected the book's level " + std::to_string(book_.feature_level) + " and a higher one");
    }
    book_.feature_level = event.after;
  }

  void operator()(const ClockDoubted&) {
    if (book_.clock_doubted) fail("the clock is doubted already");
    book_.clock_doubted = true;
  }

  void operator()(const ClockConfirmed&) {
    if (!book_.clock_doubted) fail("nobody doubts the clock");
    book_.clock_doubted = false;
  }

  void operator()(const SnapshotTaken& event) {
    if (event.sequence >= recorded_.sequence) fail("a snapshot of events that come later");
  }

  void operator()(const StateHashed& event) {
    if (event.sequence >= recorded_.sequence) fail("the hash of a state that comes later");
  }

  void operator()(const SegmentsDropped& event) {
    if (event.first != book_.dropped_through.next() || event.last < event.first || event.last >= recorded_.sequence) {
      fail("found events " + std::to_string(event.first.value()) + " to " + std::to_string(event.last.value()) +
           " dropped, expected them to begin with " + std::to_string(book_.dropped_through.next().value()));
    }
    book_.dropped_through = event.last;
  }

  void operator()(const GapDeclared& event) {
    if (event.last < recorded_.sequence) fail("a gap that ends before it begins");
    book_.lost_through = event.last;
    book_.feature_level = std::max(book_.feature_level, feature_level_of(recorded_.event));
  }

  void operator()(const EventLost&) {
    if (recorded_.sequence > book_.lost_through) fail("no gap was declared here");
  }

  void operator()(const EventSetAside&) {
    if (book_.lost_through == Sequence()) fail("no gap was declared before it");
  }

  void operator()(const JobMarkedUncertain& event) {
    Job job = find(event.job);
    if (is_final(job.state) && !job.key_handed_over) expect_free(job);
    put(changed(std::move(job), event, recorded_));
  }

  void operator()(const QueuePaused& event) {
    expect_name(event.queue);
    Queue queue = queue_of(event.queue);
    queue.paused = true;
    store_.put(queue);
  }

  void operator()(const QueueResumed& event) {
    if (!store_.queue(event.queue)) fail("there is no queue " + std::to_string(event.queue.value()));
    Queue queue = queue_of(event.queue);
    queue.paused = false;
    store_.put(queue);
  }

  void operator()(const LimitsSet& event) {
    expect_name(event.queue);
    Queue queue = queue_of(event.queue);
    queue.limits = event.limits;
    if (!event.limits.rate.limited()) queue.bucket.reset();
    store_.put(queue);
  }

  void operator()(const OnDeadSet& event) {
    expect_name(event.queue);
    if (event.on_dead) expect_name(event.on_dead->kind);
    if (event.on_dead) expect_name(event.on_dead->queue);
    Queue queue = queue_of(event.queue);
    queue.on_dead = event.on_dead;
    store_.put(queue);
  }

  void operator()(const WeightSet& event) {
    expect_name(event.queue);
    expect_name(event.group);
    if (event.weight == 0) fail("a weight of 0");
    Group group = group_of(event.queue, event.group);
    group.weight = event.weight;
    put(group);
  }

  void operator()(const WorkerJoined& event) {
    expect_name(event.worker.id);
    for (const NameId queue : event.worker.queues) expect_name(queue);
    for (const NameId kind : event.worker.kinds) expect_name(kind);
    store_.put(event.worker);
  }

  void operator()(const WorkerLeft& event) {
    if (!store_.worker(event.worker)) fail("there is no worker " + std::to_string(event.worker.value()));
    store_.erase_worker(event.worker);
  }

  void operator()(const JobScheduled& event) {
    Job job = scheduled(event, recorded_, now());
    expect_name(event.spec->queue);
    expect_name(event.spec->kind);
    expect_generation(event.generation);
    if (event.spec->group != NameId()) expect_name(event.spec->group);
    expect_parents(*event.spec);
    if (event.key_from) hand_key_over(*event.key_from, *event.spec);
    expect_free(job);
    if (!store_.queue(event.spec->queue)) store_.put(queue_of(event.spec->queue));
    if (event.spec->recurring != NameId()) note_made(job);
    put(std::move(job));
  }

  void operator()(const DuplicateSuppressed& event) { put(find(event.holder)); }

  void operator()(const JobClaimed& event) {
    expect_name(event.worker);
    expect_generation(event.generation);
    Job job = changed(find(event.job), event, recorded_, now());
    settle_start(*job.spec, event);
    put(std::move(job));
  }

  void operator()(const LeasesRenewed& event) {
    for (const Renewal& renewal : event.renewals) put(changed(find(renewal.job), event, renewal, recorded_));
  }

  void operator()(const AttemptFailed& event) {
    if (event.error_kind != NameId()) expect_name(event.error_kind);
    put(changed(find(event.job), event, recorded_));
  }

  void operator()(const JobReplaced& event) {
    Job job = find(event.job);
    if (event.spec) expect_name(event.spec->kind);
    if (event.spec && event.spec->group != NameId()) expect_name(event.spec->group);
    put(changed(std::move(job), event, recorded_, now()));
  }

  void operator()(const ResultsForgotten& event) {
    std::vector<Job> jobs;  // all of them are judged before the first is changed
    for (const JobId& job : event.jobs) jobs.push_back(changed(find(job), event, recorded_));
    for (Job& job : jobs) put(std::move(job));
  }

  void operator()(const JobsPruned& event) {
    std::set<Sequence> ids;  // all of them are judged before the first goes
    for (const PrunedJob& pruned : event.jobs) {
      const Job job = find(pruned.job);
      if (!is_final(job.state)) fail("job " + to_string(job.id) + " is not final");
      if (!ids.insert(job.id.sequence).second) fail("job " + to_string(job.id) + " is named twice");
    }
    for (const Sequence id : ids) {
      const std::shared_ptr<const JobSpec> spec = store_.job(id)->spec;
      store_.erase_job(id);
      if (spec->group != NameId()) forget_full_bucket(*spec);
    }
  }

  void operator()(const JobRetried& event) {
    Job job = find(event.job);
    job.key_handed_over = false;
    expect_free(job);
    put(changed(std::move(job), event, recorded_));
  }

  void operator()(const JobMoved& event) {
    expect_name(event.queue);
    Job job = changed(find(event.job), event, recorded_);
    if (holds_key(job)) expect_free(job);
    if (!store_.queue(event.queue)) store_.put(queue_of(event.queue));
    put(std::move(job));
  }

  void operator()(const OperatorCommanded& event) {
    if (event.queue != NameId()) expect_name(event.queue);
  }

  void operator()(const HoldPlaced& event) {
    store_.put(Hold{recorded_.sequence, event.filter, recorded_.by.reason, recorded_.by.actor, recorded_.wall});
  }

  void operator()(const HoldLifted& event) {
    if (!store_.hold(event.hold)) fail("there is no hold " + std::to_string(event.hold.value()));
    store_.erase_hold(event.hold);
  }

  void operator()(const RecurringDeclared& event) {
    expect_name(event.recurring);
    if (event.terms) {
      expect_name(event.terms->job.queue);
      expect_name(event.terms->job.kind);
      if (event.terms->job.group != NameId()) expect_name(event.terms->job.group);
    }
    const Recurring* known = store_.recurring(event.recurring);
    store_.put(changed(known ? *known : Recurring{.id = event.recurring}, event, recurring_record()));
  }
  template <class OfRecurring>
  requires requires(const OfRecurring& event) { event.recurring; }
  void operator()(const OfRecurring& event) {
    store_.put(changed(find_recurring(event.recurring), event, recurring_record()));
  }

  void operator()(const RequestRefused&) {}

  template <class OfOneJob>
  requires requires(const OfOneJob& event) { event.job; }
  void operator()(const OfOneJob& event) { put(changed(find(event.job), event, recorded_)); }

 private:
  [[noreturn]] void fail(const std::string& found) const { cannot_follow(recorded_, found); }

  [[nodiscard]] BookTime now() const { return book_.book_time(recorded_.boot); }

  [[nodiscard]] Job find(const JobId& id) const {
    const Job* job = store_.job(id.sequence);
    if (!job || job->id != id) fail("there is no job " + to_string(id));
    return *job;
  }

  [[nodiscard]] RecurringRecord recurring_record() const { return {recorded_, book_.lost_through == Sequence()}; }

  [[nodiscard]] Recurring find_recurring(NameId id) const {
    const Recurring* recurring = store_.recurring(id);
    if (!recurring) fail("there is no recurring schedule " + std::to_string(id.value()));
    return *recurring;
  }

  void note_made(const Job& job) {
    expect_name(job.spec->recurring);
    const Recurring* known = store_.recurring(job.spec->recurring);
    if (!known && book_.lost_through != Sequence()) return;
    Recurring recurring = find_recurring(job.spec->recurring);
    recurring.last_job = job.id;
    store_.put(std::move(recurring));
  }

  /// A schedule knows which of its jobs are not final.
  void note_live(const Job& job) {
    const Recurring* known = store_.recurring(job.spec->recurring);
    const Job* before = store_.job(job.id.sequence);
    const bool was = before && !is_final(before->state);
    if (known && was == is_final(job.state)) {
      store_.put(with_live(*known, job.id.sequence, !is_final(job.state)));
    }
  }

  void put(Job job) {
    job.last_event = recorded_.sequence;
    if (!is_final(job.state)) {
      job.final_event = Sequence();
    } else if (const Job* before = store_.job(job.id.sequence);
               before && !is_final(before->state) && store_.has_open_children(job.id.sequence)) {
      job.final_event = recorded_.sequence;
    }
    if (job.spec->recurring != NameId()) note_live(job);
    if (job.spec->group != NameId() && job.state != JobState::running) forget_full_bucket(*job.spec);
    store_.put(std::move(job));
  }

  void put(const Group& group) {
    if (group.weight != 1 || group.bucket) {
      store_.put(group);
    } else if (store_.group(group.queue, group.id)) {
      store_.erase_group(group.queue, group.id);
    }
  }

  [[nodiscard]] Queue queue_of(NameId id) const {
    const Queue* queue = store_.queue(id);
    return queue ? *queue : Queue{.id = id};
  }

  [[nodiscard]] Group group_of(NameId queue, NameId id) const {
    const Group* group = store_.group(queue, id);
    return group ? *group : Group{.queue = queue, .id = id};
  }

  void settle_start(const JobSpec& spec, const JobClaimed& event) {
    if (event.turn_left || event.queue_bucket) {
      Queue queue = queue_of(spec.queue);
      if (event.turn_left) queue.turn = Turn{spec.group, *event.turn_left};
      if (event.queue_bucket) queue.bucket = event.queue_bucket;
      store_.put(queue);
    }
    if (event.group_bucket && spec.group != NameId()) {
      Group group = group_of(spec.queue, spec.group);
      group.bucket = event.group_bucket;
      put(group);
    }
  }

  // Or every group that ever started a job would be kept for ever.
  void forget_full_bucket(const JobSpec& spec) {
    const Group* known = store_.group(spec.queue, spec.group);
    if (!known || !known->bucket) return;
    const Rate rate = queue_of(spec.queue).limits.rate_per_group;
    if (rate.limited() && !is_full(refilled(known->bucket, rate, book_.book_time(recorded_.boot)), rate)) return;
    Group group = *known;
    group.bucket.reset();
    put(group);
  }

  void expect_name(NameId id) const {
    const bool lost = book_.lost_through != Sequence() && store_.name(id) == nullptr;
    if (id == NameId() || id.value() > book_.names || lost) {
      fail("name " + std::to_string(id.value()) + " is not defined");
    }
  }

  // A parent may be among what a gap took.
  void expect_parents(const JobSpec& spec) const {
    for (const JobId& parent : spec.dependencies.parents) {
      const Job* job = store_.job(parent.sequence);
      const bool known = job ? job->id == parent : book_.lost_through != Sequence();
      if (known && parent.sequence != Sequence() && parent.sequence < recorded_.sequence) continue;
      fail("there is no job " + to_string(parent) + ", which it names as a parent");
    }
  }

  void expect_generation(GenerationTag found) const {
    if (found == book_.generation.tag) return;
    // The beginning of the first history may be among what a gap took: then its events say its tag.
    if (book_.generation.number == 0 && book_.lost_through != Sequence()) return;
    fail("found generation tag " + std::to_string(found.value()) + ", expected " +
         std::to_string(book_.generation.tag.value()));
  }

  void expect_free(const Job& job) const {
    if (job.spec->unique_key.empty()) return;
    const auto holder = store_.key_holder(job.spec->queue, job.spec->unique_key);
    if (holder && *holder != job.id.sequence) fail("its unique key is held by job " + std::to_string(holder->value()));
  }

  void hand_key_over(const JobId& from, const JobSpec& to) {
    Job job = find(from);
    if (job.spec->queue != to.queue || job.spec->unique_key != to.unique_key || !holds_key(job)) {
      fail("job " + to_string(from) + " does not hold its unique key");
    }
    job.key_handed_over = true;
    put(std::move(job));
  }

  // An id that is used again after the window names another request, whether the store still remembers the
  // first or not.
  void remember(const RequestRef& ref) {
    const BookTime now = this->now();
    const RequestRecord* known = store_.request(ref.client, ref.id);
    RequestRecord record{ref.client, ref.id, recorded_.sequence, recorded_.sequence, now};
    if (known && now - known->recorded_at <= limits::request_window) {
      record = *known;
      record.last = recorded_.sequence;
    }
    store_.put(std::move(record));
  }

  Store& store_;
  const RecordedEvent& recorded_;
  Book book_;
};

}  // namespace

void apply(Store& store, const RecordedEvent& recorded) {
  Application(store, recorded).run();
}

}  // namespace daybook
