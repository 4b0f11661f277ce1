// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "daybook/log/journal.hpp"
#include "event_samples.hpp"
#include "format.hpp"

// Counts every allocation of this program, so it has the program to itself.

namespace {
thread_local std::size_t allocations = 0;
}  // namespace

// Not inlined: the compiler would take malloc and delete, side by side, for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace daybook {
namespace {

TEST(Allocation, AWarmWriterAllocatesNothing) {
  auto events = sample_events();
  // Writes out its cron expression, which happens when somebody declares one, and in no other batch.
  std::erase_if(events, [](const auto& recorded) { return std::holds_alternative<RecurringDeclared>(recorded.event); });
  for (std::size_t i = 0; i < events.size(); ++i) events[i].sequence = Sequence(i + 1);
  BatchEncoder encoder;
  const auto write = [&] {
    encoder.clear();
    for (const RecordedEvent& event : events) encoder.add(event);
    format::BatchHeader header;
    header.payload_bytes = static_cast<std::uint32_t>(encoder.batch().bytes.size());
    (void)format::chain_hash(format::to_bytes(header), encoder.batch().bytes);
  };
  write();
  ASSERT_GT(allocations, 0U) << "the counter does not count";
  const std::size_t before = allocations;
  write();
  EXPECT_EQ(allocations - before, 0U);
}

}  // namespace
}  // namespace daybook
