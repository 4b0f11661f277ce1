// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of the suite for stores that is random: whatever a store is told, it answers as scanning everything would. Included by
// store_suite.hpp.

#include "support/store_suite.hpp"

namespace daybook {

// ---- the law ------------------------------------------------------------------------------------------------------

namespace store_suite {

/// Does the same to a store and to ScanStore, at random, and compares what they answer.
class RandomSteps {
 public:
  explicit RandomSteps(const StoreUnderTest& under_test) : under_test_(under_test), store_(under_test.make()) {
    // Housekeeping is told the moment that the store stands at.
    advance(Duration(0), Duration(0));
  }

  void step() {
    switch (pick(0, 20)) {
      case 0:
      case 1:
      case 2:
        return advance(std::chrono::seconds(pick(0, 3)), std::chrono::seconds(pick(0, 3)));
      case 3:
        return advance(std::chrono::seconds(pick(-5, 0)), std::chrono::seconds(pick(0, 2)));
      case 4:
        return both([id = job_id()](Store& store) { store.erase_job(id); });
      case 5:
        if (under_test_.housekeeping) under_test_.housekeeping(store_, now_);
        return;
      case 6:
        return put_or_erase_small();
      default:
        return put_job();
    }
  }

  void compare() const {
    const auto found = differences(*store_, model_);
    if (!found.empty()) RC_FAIL(found.front());
    RC_ASSERT(store_->workers() == model_.workers());
    ReadyQuery query;
    query.any_kind = pick(0, 2) == 0;
    query.limit = static_cast<std::size_t>(pick(0, 6));
    for (const NameId queue : {mail, reports}) {
      if (pick(0, 4) != 0) query.queues.push_back(queue);
    }
    for (const NameId kind : {send, render}) {
      if (!query.any_kind && pick(0, 3) != 0) query.kinds.push_back(kind);
    }
    RC_ASSERT(store_->ready(query) == model_.ready(query));
    for (const NameId group : {NameId(), red, green}) {
      query.group = group;
      RC_ASSERT(store_->ready(query) == model_.ready(query));
      RC_ASSERT(store_->running_in(mail, group) == model_.running_in(mail, group) || group == NameId());
      for (const NameId queue : {mail, reports}) {
        const GroupQuery asked{queue, query.kinds, query.any_kind};
        RC_ASSERT(store_->next_group(asked, group) == model_.next_group(asked, group));
      }
    }
    RC_ASSERT(store_->running_in(reports) == model_.running_in(reports));
    const ReadyQuery all{{mail, reports}, {}, true, 1000};
    RC_ASSERT(store_->ready(all) == model_.ready(all));
    const BookTime until = book_noon + std::chrono::seconds(pick(-3, 30));
    RC_ASSERT(store_->expired(until, 3) == model_.expired(until, 3));
    RC_ASSERT(store_->expired(until, 1000) == model_.expired(until, 1000));
    const Timers timers = store_->timers();
    RC_ASSERT(timers.wall_due == model_.timers().wall_due);
    RC_ASSERT(timers.book_due == model_.timers().book_due);
    RC_ASSERT(timers.lease_end == model_.timers().lease_end);
    RC_ASSERT(timers.wall_deadline == model_.timers().wall_deadline);
    RC_ASSERT(timers.book_deadline == model_.timers().book_deadline);
    const Moment then{noon + std::chrono::seconds(pick(-3, 30)), {}, until, 0};
    RC_ASSERT(store_->overdue(then, 3) == model_.overdue(then, 3));
    RC_ASSERT(store_->overdue(then, 1000) == model_.overdue(then, 1000));
    RC_ASSERT(store_->unsettled(2) == model_.unsettled(2));
    RC_ASSERT(store_->unsettled(1000) == model_.unsettled(1000));
    for (std::uint64_t id = 1; id < 14; ++id) {
      RC_ASSERT(store_->has_open_children(Sequence(id)) == model_.has_open_children(Sequence(id)));
      RC_ASSERT(store_->children(Sequence(id), 2) == model_.children(Sequence(id), 2));
      RC_ASSERT(store_->children(Sequence(id), 100) == model_.children(Sequence(id), 100));
    }
    for (const char* key : {"a", "b"}) {
      RC_ASSERT(store_->key_holder(mail, key) == model_.key_holder(mail, key));
      RC_ASSERT(store_->key_holder(reports, key) == model_.key_holder(reports, key));
    }
  }

 private:
  /// From `least` up to but without `end`, evenly at every size.
  static int pick(int least, int end) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, end)); }
  static Sequence job_id() { return Sequence(static_cast<std::uint64_t>(pick(1, 14))); }

  template <class Change>
  void both(Change change) {
    change(*store_);
    change(model_);
  }

  void advance(Duration wall, Duration book) {
    now_.wall += wall;
    now_.boot += book;
    now_.book += book;
    both([this](Store& store) { store.advance(now_); });
  }

  /// A spec never changes while the job is there, and a key has one holder, as `decide` sees to.
  void put_job() {
    const Sequence id = job_id();
    const Job* old = model_.job(id);
    Sketch sketch(id.value());
    if (old != nullptr) {
      sketch.in(old->spec->queue).of(old->spec->kind).priority(old->spec->priority.value()).key(old->spec->unique_key);
      sketch.group(old->spec->group).after(old->spec->dependencies.parents);
    } else {
      if (pick(0, 2) == 0) {
        std::vector<JobId> parents;
        for (Sequence parent(1); parent < id; parent = parent.next()) {
          if (pick(0, 3) == 0) parents.push_back({parent, {}});
        }
        sketch.after(parents);
      }
      sketch.in(pick(0, 2) == 0 ? mail : reports).of(pick(0, 2) == 0 ? send : render).priority(pick(-1, 2));
      sketch.group(pick(0, 2) == 0 ? NameId() : pick(0, 2) == 0 ? red : green);
      if (pick(0, 3) == 0) sketch.key(pick(0, 2) == 0 ? "a" : "b");
    }
    const auto due = std::chrono::seconds(pick(-3, 8));
    if (pick(0, 2) == 0) {
      sketch.due_after(now_.book - book_noon + due);
    } else {
      sketch.due_at(now_.wall + due);
    }
    if (pick(0, 3) == 0) {
      const auto by = std::chrono::seconds(pick(-3, 12));
      sketch.starts_by(pick(0, 2) == 0 ? Due{now_.wall + by, {}} : Due{now_.wall + by, now_.book + by});
    }
    if (pick(0, 3) == 0) sketch.ends_by(now_.book + std::chrono::seconds(pick(-3, 12)));
    const int state = pick(0, 8);
    if (state == 0) sketch.ended(JobState::completed);
    if (state == 1) sketch.ended(JobState::dead);
    if (state == 2 || state == 3) sketch.running_until(now_.book + std::chrono::seconds(pick(-2, 8)));
    if (state == 4 || state == 5) sketch.awaits(static_cast<std::size_t>(pick(0, 4)));
    const Job job = sketch;
    if (!is_final(job.state) && model_.key_holder(job.spec->queue, job.spec->unique_key).value_or(id) != id) return;
    both([&](Store& store) { store.put(job); });
  }

  void put_or_erase_small() {
    const NameId id(static_cast<std::uint32_t>(pick(1, 5)));
    const std::string text(1, static_cast<char>('a' + pick(0, 3)));
    const bool flag = pick(0, 2) == 0;
    switch (pick(0, 12)) {
      case 10:
        return both([&](Store& store) { store.put(Group{id, red, flag ? 2U : 3U}); });
      case 11:
        return both([&](Store& store) { store.erase_group(id, red); });
      case 0:
        return both([&](Store& store) { store.put(Queue{id, flag}); });
      case 1:
        return both([&](Store& store) { store.put(Worker{id, Holder::handler, 2, {mail}, {}, noon, Epoch(1)}); });
      case 2:
        if (model_.name(id) != nullptr || model_.find_name(NameSort::queue, text)) return;
        return both([&](Store& store) { store.put(Name{id, NameSort::queue, text}); });
      case 3:
        return both([&](Store& store) { store.put(RequestRecord{id, text, job_id_, job_id_, now_.book}); });
      case 4:
        return both([&](Store& store) { store.put(Setting{text, flag ? "on" : "off"}); });
      case 5:
        return both([&](Store& store) { store.erase_queue(id); });
      case 6:
        return both([&](Store& store) { store.erase_worker(id); });
      case 7:
        return both([&](Store& store) { store.erase_name(id); });
      case 8:
        return both([&](Store& store) { store.erase_request(id, text); });
      default:
        return both([&](Store& store) { store.erase_setting(text); });
    }
  }

  const StoreUnderTest& under_test_;
  std::unique_ptr<Store> store_;
  ScanStore model_;
  Moment now_ = at_noon_plus(Duration(0));
  Sequence job_id_{7};
};

}  // namespace store_suite

TEST_P(StoreSuite, AnswersAsScanningEverythingWould) {
  EXPECT_TRUE(rc::check([] {
    store_suite::RandomSteps steps(GetParam());
    steps.compare();
    const int count = *rc::gen::inRange(0, 100);
    for (int i = 0; i < count; ++i) {
      steps.step();
      steps.compare();
    }
  }));
}

}  // namespace daybook
