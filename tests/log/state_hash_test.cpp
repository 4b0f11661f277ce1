// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/state_hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "daybook/core/apply.hpp"
#include "support/histories.hpp"

// The hash that follows what changes is the hash of what is there.

namespace daybook::test {
namespace {

using daybook::testing::histories;
using daybook::testing::record;

RC_GTEST_PROP(HashedState, HasTheHashOfWhatItHoldsWheneverItIsAsked, ()) {
  HashedState state;
  for (const RecordedEvent& recorded : record(*histories()).events) {
    apply(state, recorded);
    if (*rc::gen::weightedElement<bool>({{4, false}, {1, true}})) RC_ASSERT(state.hash() == state_hash(state));
  }
  RC_ASSERT(state.hash() == state_hash(state));
}

RC_GTEST_PROP(HashedState, GoesOnWithAnyStateThatItIsGiven, ()) {
  const auto events = record(*histories()).events;
  const auto given = *rc::gen::inRange<std::size_t>(0, events.size());
  State first;
  for (std::size_t i = 0; i < given; ++i) apply(first, events[i]);
  HashedState state(std::move(first));
  RC_ASSERT(state.hash() == state_hash(state));
  for (std::size_t i = given; i < events.size(); ++i) apply(state, events[i]);
  RC_ASSERT(state.hash() == state_hash(state));
}

// A refused batch takes back what it did: what `apply` never erases is erased there.
RC_GTEST_PROP(HashedState, FollowsWhatIsTakenBack, ()) {
  HashedState state;
  daybook::testing::Driver driver(state);
  for (const daybook::testing::Step& step : *histories()) {
    (void)driver.step(step);
    if (*rc::gen::weightedElement<bool>({{4, false}, {1, true}})) RC_ASSERT(state.hash() == state_hash(state));
  }
  RC_ASSERT(state.hash() == state_hash(state));
}

TEST(HashedState, ForgetsRequestsWithTheirWindow) {
  HashedState state;
  daybook::testing::Driver driver(state);
  (void)driver.submit({{Schedule{.queue = "mail", .kind = "send"}}, {.request = RequestId{"shop", "r-1"}}});
  const Hash with_request = state.hash();
  EXPECT_EQ(with_request, state_hash(state));
  for (int day = 0; day < 3; ++day) {
    Book book = state.book();
    book.head_boot = BootTime(book.head_boot.time_since_epoch() + limits::request_window / 2 + Duration(1));
    state.put(book);
    EXPECT_EQ(state.hash(), state_hash(state)) << "half a day more: " << day;
  }
}

}  // namespace
}  // namespace daybook::test
