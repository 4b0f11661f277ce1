// SPDX-License-Identifier: Apache-2.0
#pragma once

// TestBook: a book for the tests of a service: no disk, no thread, and time that jumps. docs/testing_your_jobs.md shows how to use it.
//
//   daybook::testing::TestBook test;
//   my::Service service(*test);           // takes a Daybook&, makes its work loops, as in real life
//   test.advance_and_run(24h * 365);      // handlers run here, each at its time, in milliseconds
//   EXPECT_EQ(service.reports_sent(), 365);
//
// Only what does the waiting differs from real life: the rules, the log, its recovery, work loops and their heartbeats are those of every
// book. Time stands still but for advance_and_run, run_until, and members that wait; a handler that is to take an hour calls
// advance_and_run(1h), in which its lease is renewed and handlers of other slots run. Runs repeat exactly: chance comes from a seed.
// Not thread-safe: one thread calls all of it. Work loops go before the TestBook, as before a Daybook.

#include <cstdint>
#include <memory>

#include "daybook/daybook.hpp"
#include "daybook/testing/memory_storage.hpp"
#include "daybook/testing/virtual_clock.hpp"

namespace daybook::testing {

class TestBook {
 public:
  /// `options` as for Daybook::open; its ports (but for the time zones) and `driven` are set here. `seed`: of the chance in backoff and ids.
  explicit TestBook(Options options = {}, std::uint64_t seed = 1);
  TestBook(TestBook&&) noexcept;
  TestBook& operator=(TestBook&&) noexcept;
  ~TestBook();

  [[nodiscard]] Daybook& operator*();
  [[nodiscard]] Daybook* operator->();
  [[nodiscard]] VirtualClock& clock();
  [[nodiscard]] MemoryStorage& storage();

  /// Runs what is due now, and what that makes due, until nothing is. A handler that schedules itself for at once never ends it.
  void run_until_idle();

  /// Time passes, from one instant at which something is due to the next, and whatever is due runs then. A clock that is stepped meanwhile, by
  /// a handler, say, shortens or lengthens nothing.
  void advance_and_run(Duration by);
  /// Likewise, until the wall clock shows `wall`; not at all when it is past that.
  void run_until(Instant wall);

  /// Closes the book and opens it again on the same storage, at the same time. Work loops of before must be gone.
  void reopen();

  /// Another book, at the same time, with what this one's process would leave if it were killed now: every answer that was given is
  /// there, and the claims of its handlers have ended. Has a clock and a storage of its own. This one goes on unharmed.
  [[nodiscard]] TestBook as_if_killed() const;

 private:
  struct World;
  explicit TestBook(std::unique_ptr<World> world);
  std::unique_ptr<World> world_;
};

}  // namespace daybook::testing
