// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random histories of a book: every command, batches, repeated requests, clocks that pass and step, clean and
// unclean ends, boots, copies. A Step is symbolic ("claim, choice 17"): the driver turns it into a submission
// by what the store holds at that moment, so that a history still makes sense after shrinking has taken steps
// out of it.

#include <rapidcheck.h>

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/core/execute.hpp"

namespace daybook::testing {

struct Step {
  enum class Kind : std::uint8_t {
    schedule,
    claim,
    renew,
    complete,
    fail,
    snooze,
    release,
    cancel,
    reschedule,
    retry,
    move,
    operate,  // an operator's command, a hold placed or lifted
    pause,
    resume,
    join,
    leave,
    configure,
    limit,  // limits of a queue, or the weight of a group
    expire,
    batch,    // two to five commands of the kinds above
    repeat,   // an earlier submission that carried a request id, again
    pass,     // time passes on both clocks
    jump,     // the wall clock steps
    restart,  // clean close, open
    crash,    // open without a close
    copy,     // a new generation, held
    adopt,
    record,  // a higher feature level, a clock that is doubted or confirmed, a gap with an uncertain job
    recur,   // anything about recurring schedules
    fire,    // what of them is due
  };
  Kind kind{};
  std::uint32_t choice = 0;
  friend bool operator==(const Step&, const Step&) = default;
};
using Steps = std::vector<Step>;

[[nodiscard]] std::string_view to_string(Step::Kind kind);
std::ostream& operator<<(std::ostream& out, const Step& step);

/// A step from any number, the frequent kinds more often. `random_steps` is for tests that bring their own
/// seed.
[[nodiscard]] Step step_of(std::uint32_t kind, std::uint32_t choice);
[[nodiscard]] Steps random_steps(std::uint64_t seed, std::size_t count);

/// One submission as it went.
struct Exchange {
  Submission submission;
  Moment now;
  Sequence head_before;  // of the store
  Outcome outcome;
};

/// Drives a store through a history. Deterministic: the same steps on two correct stores give the same
/// events.
class Driver {
 public:
  /// Begins a new book in an empty store and opens it.
  explicit Driver(Store& store);

  /// Takes one step. Mostly one exchange; none when there is nothing to do it with (repeat) or only time
  /// passes.
  std::vector<Exchange> step(const Step& step);

  /// Submits something of the test's own, at the driver's time.
  Exchange submit(Submission submission);

  /// Goes on with another store that holds the same.
  void use(Store& store) { store_ = &store; }

  [[nodiscard]] const Moment& now() const { return now_; }
  [[nodiscard]] const Bounds& bounds() const { return bounds_; }
  [[nodiscard]] const std::vector<RecordedEvent>& events() const { return events_; }
  [[nodiscard]] const std::vector<std::size_t>& batch_ends() const { return batch_ends_; }

  /// The first exchange of each request id, by (client, id), as long as it recorded anything.
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, Exchange>& requests() const { return requests_; }

 private:
  class Choices;

  [[nodiscard]] Command command(Step::Kind kind, Choices& choices) const;
  [[nodiscard]] Command schedule(Choices& choices) const;
  void add_parents(Schedule& command, Choices& choices) const;
  [[nodiscard]] Prune prune(Choices& choices) const;
  [[nodiscard]] Command limit(Choices& choices) const;
  [[nodiscard]] Context context(Choices& choices);
  [[nodiscard]] std::pair<JobId, Token> claim_of(Choices& choices) const;
  [[nodiscard]] JobId job_of(Choices& choices) const;
  [[nodiscard]] OpenBook opening(bool new_boot, TailStatus tail) const;
  void pass(Duration by);
  void declare_gap(Choices& choices);
  void boot_anew(Choices& choices);

  Store* store_;
  Moment now_;
  Bounds bounds_;
  Uuid boot_id_;
  Duration book_offset_{};
  std::uint32_t requests_made_ = 0;
  std::vector<RecordedEvent> events_;
  std::vector<std::size_t> batch_ends_;          // each the number of events when a submission was through
  std::vector<JobId> jobs_;                      // ever scheduled
  std::vector<std::pair<JobId, Token>> claims_;  // ever granted
  std::vector<Submission> with_request_;
  std::map<std::pair<std::string, std::string>, Exchange> requests_;
};

/// What a log would hold.
struct RecordedHistory {
  std::vector<RecordedEvent> events;
  std::vector<std::size_t> batch_ends;  // ascending; the last is events.size()
};
[[nodiscard]] RecordedHistory record(const Steps& steps);

}  // namespace daybook::testing

namespace rc {

template <>
struct Arbitrary<daybook::testing::Step> {
  static Gen<daybook::testing::Step> arbitrary() {
    const auto number = [](std::uint32_t end) {
      return gen::resize(kNominalSize, gen::inRange<std::uint32_t>(0, end));
    };
    return gen::apply(&daybook::testing::step_of, number(100), number(1U << 20U));
  }
};

}  // namespace rc

namespace daybook::testing {

/// Longer than rapidcheck's own: several hundred steps at the end of a run.
[[nodiscard]] inline rc::Gen<Steps> histories() {
  return rc::gen::withSize([](int size) { return rc::gen::resize(5 * size, rc::gen::arbitrary<Steps>()); });
}

}  // namespace daybook::testing
