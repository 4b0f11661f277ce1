// SPDX-License-Identifier: Apache-2.0
#include "daybook/testing/test_book.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace daybook::testing {

namespace {

// Whoever waits lets time jump to what is waited for.
class Jump final : public Waiter {
 public:
  explicit Jump(VirtualClock& clock) : clock_(clock) {}
  void wait(std::optional<Instant> wall, std::optional<BootTime> boot) override {
    Duration by = Duration::max();
    if (wall) by = std::min(by, *wall - clock_.wall());
    if (boot) by = std::min(by, Duration(*boot - clock_.boot()));
    if (by != Duration::max()) clock_.advance(by);
  }
  void wake() override {}

 private:
  VirtualClock& clock_;
};

}  // namespace

struct TestBook::World {
  World(Options wanted, std::uint64_t seed) : random(seed), options(std::move(wanted)) {}
  World(const World& other)
      : clock(other.clock), storage(other.storage), random(other.random), options(other.options) {}
  World& operator=(const World&) = delete;
  ~World() = default;

  void open() {
    options.clock = &clock;
    options.random = &random;
    options.waiter = &waiter;
    options.driven = true;
    book.emplace(Daybook::open(storage, options));
  }

  VirtualClock clock;
  MemoryStorage storage;
  SeededRandom random;
  Jump waiter{clock};
  Options options;
  std::optional<Daybook> book;
};

TestBook::TestBook(Options options, std::uint64_t seed) : TestBook(std::make_unique<World>(std::move(options), seed)) {}
TestBook::TestBook(std::unique_ptr<World> world) : world_(std::move(world)) {
  world_->open();
}
TestBook::TestBook(TestBook&&) noexcept = default;
TestBook& TestBook::operator=(TestBook&&) noexcept = default;
TestBook::~TestBook() = default;

Daybook& TestBook::operator*() {
  return *world_->book;
}
Daybook* TestBook::operator->() {
  return &*world_->book;
}
VirtualClock& TestBook::clock() {
  return world_->clock;
}
MemoryStorage& TestBook::storage() {
  return world_->storage;
}

void TestBook::run_until_idle() {
  static_cast<void>(world_->book->drive());
}

void TestBook::advance_and_run(Duration by) {
  const BootTime end = world_->clock.boot() + by;
  while (true) {
    run_until_idle();
    const Duration left = end - world_->clock.boot();
    const std::optional<Duration> next = world_->book->until_next();
    if (!next || *next > left) break;
    world_->clock.advance(*next);
  }
  world_->clock.advance(end - world_->clock.boot());  // nothing falls due on the way
}

void TestBook::run_until(Instant wall) {
  advance_and_run(wall - world_->clock.wall());
}

void TestBook::reopen() {
  world_->book->close();
  world_->book.reset();
  world_->open();
}

TestBook TestBook::as_if_killed() const {
  return TestBook(std::make_unique<World>(*world_));
}

}  // namespace daybook::testing
