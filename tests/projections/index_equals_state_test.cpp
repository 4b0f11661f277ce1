// SPDX-License-Identifier: Apache-2.0

// The law of the index: at every sequence it answers as the book in memory does, whatever was projected, evicted,
// closed or left behind in between.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "index_fixture.hpp"
#include "support/histories.hpp"

namespace daybook {
namespace {

using testing::Driver;
using testing::Exchange;
using testing::Step;
using testing::Steps;

IndexTuning any_tuning() {
  return {.window = *rc::gen::element<std::size_t>(1, 2, 7, 1000),
          .chunk = *rc::gen::element<std::size_t>(1, 3, 100),
          .cached_jobs = *rc::gen::element<std::size_t>(0, 3, 1000),
          .promotions = *rc::gen::element<std::size_t>(1, 4, 1000),
          .map_bytes = 256 * 1024};
}

enum class Upkeep { nothing, project, close_and_open, crash_and_open, create };

Upkeep any_upkeep() {
  return *rc::gen::weightedElement<Upkeep>({{12, Upkeep::nothing},
                                            {8, Upkeep::project},
                                            {1, Upkeep::close_and_open},
                                            {1, Upkeep::crash_and_open},
                                            {1, Upkeep::create}});
}

void catch_up(JobIndex& index, const std::vector<RecordedEvent>& events, const Moment& now) {
  for (std::size_t i = index.mark().applied.value(); i < events.size(); ++i) apply(index, events[i]);
  index.advance(now);
}

/// `events` are all that happened so far, `state` what they led to.
void look_after(test::IndexFolder& index, Upkeep upkeep, const std::vector<RecordedEvent>& events, const State& state,
                const Moment& now) {
  switch (upkeep) {
    case Upkeep::nothing:
      return;
    case Upkeep::project:
      index.project(now);
      RC_ASSERT(index->unprojected() == 0U);
      return;
    case Upkeep::create:
      index.create(state);
      break;
    case Upkeep::close_and_open:
      index.close();
      RC_ASSERT(index.reopen(test::next_boot) == "");
      index.crash();  // left open, under that boot
      RC_ASSERT(index.reopen(test::next_boot) == "");
      index.close();
      RC_ASSERT(index.reopen() == "");
      break;
    case Upkeep::crash_and_open:
      index.crash();
      RC_ASSERT(index.reopen() == "");
      break;
  }
  catch_up(*index, events, now);
}

RC_GTEST_PROP(JobIndex, IndexEqualsStateAtEverySequence, (const Steps& steps)) {
  State driven;
  Driver driver(driven);
  State state;
  test::IndexFolder index(any_tuning());
  index.create(state);
  std::size_t applied = 0;
  const auto follow = [&] {
    state.advance(driver.now());
    index->advance(driver.now());
    while (applied < driver.events().size()) {
      apply(state, driver.events()[applied]);
      apply(*index, driver.events()[applied]);
      ++applied;
      RC_ASSERT(test::disagreements(state, *index, driver.now()) == std::vector<std::string>());
    }
    RC_ASSERT(test::disagreements(state, *index, driver.now()) == std::vector<std::string>());
  };
  follow();
  for (const Step& step : steps) {
    driver.step(step);
    follow();
    look_after(index, any_upkeep(), driver.events(), state, driver.now());
    RC_ASSERT(test::disagreements(state, *index, driver.now()) == std::vector<std::string>());
  }
}

RC_GTEST_PROP(JobIndex, DecidingOverTheIndexIsDecidingOverTheState, (const Steps& steps)) {
  State state;
  Driver expected(state);
  test::IndexFolder index(any_tuning());
  index.create();
  Driver driver(*index);
  for (const Step& step : steps) {
    expected.step(step);
    driver.step(step);
    RC_ASSERT(driver.events() == expected.events());
    look_after(index, any_upkeep(), driver.events(), state, driver.now());
    driver.use(*index);
    state.advance(driver.now());
    index->advance(driver.now());
    RC_ASSERT(test::disagreements(state, *index, driver.now()) == std::vector<std::string>());
  }
}

}  // namespace
}  // namespace daybook
