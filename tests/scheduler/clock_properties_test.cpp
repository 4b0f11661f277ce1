// SPDX-License-Identifier: Apache-2.0

// Random histories under clocks of several shapes, against the dumbest model of what is due: a job of an instant by the wall
// clock, a job of a duration by the time that really passed.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <vector>

#include "support/engine_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::EngineBook;

constexpr Duration lease = 2min;

enum class Shape { linear, periodic, step, noise };

/// How far the wall clock is off when so much time has really passed.
class Offset {
 public:
  Offset(Shape shape, std::uint64_t seed) : shape_(shape), random_(seed) {
    scale_ = Duration(static_cast<std::int64_t>(random_.next() % Duration(400 * 24h).count()));
    period_ = 1min + Duration(static_cast<std::int64_t>(random_.next() % Duration(6h).count()));
    sign_ = random_.next() % 2 == 0 ? 1 : -1;
  }
  Duration at(Duration passed) {
    switch (shape_) {
      case Shape::linear:  // up to a tenth too fast or too slow
        return sign_ * passed * (scale_.count() % 1000) / 10'000;
      case Shape::periodic:
        return Duration(static_cast<std::int64_t>(static_cast<double>((scale_ / 400).count()) *
                                                  std::sin(2 * std::numbers::pi * static_cast<double>(passed.count()) /
                                                           static_cast<double>(period_.count()))));
      case Shape::step:
        return passed < period_ ? Duration(0) : sign_ * scale_;
      case Shape::noise:
        return Duration(static_cast<std::int64_t>(random_.next() % Duration(4s).count())) - 2s;
    }
    return Duration(0);
  }

 private:
  Shape shape_;
  test::FixedRandom random_;
  Duration scale_;
  Duration period_;
  int sign_;
};

class ClockStory {
 public:
  ClockStory(Shape shape, std::uint64_t seed) : offset_(shape, seed), random_(seed ^ 0x5eed) { book_.open(); }

  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      pass(below(20min));
      switch (random_.next() % 8) {
        case 0:
        case 1:
          schedule();
          break;
        case 2:
          reopen();
          break;
        case 3:
        case 4:
          finish();
          break;
        default:
          claim();
      }
    }
  }
  [[nodiscard]] std::size_t claims() const { return claims_; }

 private:
  struct Held {
    ClaimedJob job;
    Duration ends;
  };

  Duration below(Duration most) {
    return Duration(static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(most.count())));
  }

  void pass(Duration by) {
    passed_ += by;
    book_.clock.advance(by);
    shift();
    book_.step();
    end_leases();
  }
  void shift() {
    const Duration offset = offset_.at(passed_);
    book_.clock.step_wall(offset - applied_);
    applied_ = offset;
  }

  // One that no number of attempts ends.
  static Schedule mail(When due) {
    Schedule command = EngineBook::mail(due);
    command.retry.max_attempts = limits::attempts_max;
    return command;
  }

  void schedule() {
    if (random_.next() % 2 == 0) {
      const Instant due = book_.clock.wall() + below(3h) - 1h;
      const JobId id = book_.schedule(mail(at(due)));
      of_instant_[id.sequence] = due;
    } else {
      const Duration delay = below(3h);
      const JobId id = book_.schedule(mail(after(delay)));
      of_duration_[id.sequence] = passed_ + delay;
    }
  }

  // Exactly what is due is claimed: nothing before its time, nothing late, nothing that is held or was finished.
  void claim() {
    if (book_.book().clock_doubted) {
      RC_ASSERT(book_.refusal_of(EngineBook::any(lease)) == RefusalCode::clock_doubted);
      if (random_.next() % 2 == 0) book_.ask(ConfirmClock{}).value();
      return;
    }
    std::set<Sequence> due;
    for (const auto& [id, instant] : of_instant_) {
      if (instant <= book_.clock.wall()) due.insert(id);
    }
    for (const auto& [id, time] : of_duration_) {
      if (time <= passed_) due.insert(id);
    }
    std::set<Sequence> claimed;
    for (ClaimedJob& job : book_.claim(EngineBook::any(lease))) {
      claimed.insert(job.id.sequence);
      of_instant_.erase(job.id.sequence);
      of_duration_.erase(job.id.sequence);
      held_.push_back({std::move(job), passed_ + lease});
      ++claims_;
    }
    RC_ASSERT(claimed == due);
  }

  void finish() {
    if (held_.empty()) return;
    const Held held = held_.back();
    held_.pop_back();
    if (random_.next() % 2 == 0) {
      book_.ask(Complete{held.job.id, held.job.token, {}}).value();
    } else {
      const Duration wait = below(1h);
      book_.ask(Fail{.job = held.job.id, .token = held.job.token, .retry_in = wait}).value();
      of_duration_[held.job.id.sequence] = passed_ + wait;
    }
  }

  // A lease ends when its time has really passed, and not before; the backoff then is the record's word.
  void end_leases() {
    std::erase_if(held_, [&](const Held& held) {
      const Job& job = book_.job(held.job.id);
      RC_ASSERT((job.state == JobState::running) == (passed_ < held.ends));
      if (passed_ < held.ends) return false;
      const BookTime now = book_.engine->now().book;
      of_duration_[held.job.id.sequence] = passed_ + (*job.due.after - now);
      return true;
    });
  }

  void reopen() {
    if (random_.next() % 2 == 0) {
      book_.close();
    } else {
      book_.kill();
    }
    const Duration off = below(2h);
    passed_ += off;
    book_.clock.advance(off);
    shift();
    book_.open();
    book_.step();
    end_leases();
  }

  EngineBook book_;
  Offset offset_;
  test::FixedRandom random_;
  Duration passed_{};
  Duration applied_{};
  std::map<Sequence, Instant> of_instant_;
  std::map<Sequence, Duration> of_duration_;
  std::vector<Held> held_;
  std::size_t claims_ = 0;
};

void live_under(Shape shape) {
  ClockStory story(shape, *rc::gen::arbitrary<std::uint64_t>().as("seed"));
  story.live(120);
  RC_CLASSIFY(story.claims() == 0, "nothing claimed");
}

RC_GTEST_PROP(Clocks, ThatDriftFireExactlyWhatIsDue, ()) {
  live_under(Shape::linear);
}
RC_GTEST_PROP(Clocks, ThatSwingFireExactlyWhatIsDue, ()) {
  live_under(Shape::periodic);
}
RC_GTEST_PROP(Clocks, ThatStepFireExactlyWhatIsDue, ()) {
  live_under(Shape::step);
}
RC_GTEST_PROP(Clocks, ThatAreNoisyFireExactlyWhatIsDue, ()) {
  live_under(Shape::noise);
}

}  // namespace
}  // namespace daybook
