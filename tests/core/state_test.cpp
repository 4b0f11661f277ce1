// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/state.hpp"

#include "daybook/core/limits.hpp"
#include "support/store_suite.hpp"
#include "support/store_suite_operators.hpp"
#include "support/store_suite_recurring.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(State, StoreSuite,
                         ::testing::Values(StoreUnderTest{"State", [] { return std::make_unique<State>(); }, {}}));

// The yardstick is a store too, and its own scanning must agree with the suite's stories.
INSTANTIATE_TEST_SUITE_P(ScanStore, StoreSuite,
                         ::testing::Values(StoreUnderTest{
                             "ScanStore", [] { return std::make_unique<ScanStore>(); }, {}}));

TEST(State, RequestsBehindTheWindowAreForgotten) {
  State state;
  const BookTime start(1000h);
  state.put(RequestRecord{NameId(1), "old", Sequence(1), Sequence(1), start});
  state.put(RequestRecord{NameId(1), "young", Sequence(2), Sequence(2), start + 1s});
  Book book;
  book.head_boot = BootTime(1h);
  book.book_offset = start.time_since_epoch() + limits::request_window + 1us - 1h;
  state.put(book);
  EXPECT_EQ(state.request(NameId(1), "old"), nullptr);
  EXPECT_NE(state.request(NameId(1), "young"), nullptr);
}

TEST(State, AMovedStateTakesEverythingAlong) {
  State from;
  from.put(Setting{"a", "b"});
  const State to = std::move(from);
  EXPECT_EQ(to.setting("a")->value, "b");
}

TEST(State, PointersStayValidWhileOtherJobsAreOnlyAskedFor) {
  State state;
  for (std::uint64_t id = 1; id <= 1000; ++id) state.put(Job(store_suite::Sketch(id)));
  const Job* first = state.job(Sequence(1));
  for (std::uint64_t id = 1; id <= 1000; ++id) ASSERT_NE(state.job(Sequence(id)), nullptr);
  EXPECT_EQ(first->id.sequence, Sequence(1));
}

}  // namespace
}  // namespace daybook
