// SPDX-License-Identifier: Apache-2.0

// The pieces on the way of one event, without the disk.
#include <benchmark/benchmark.h>

#include <string>

#include "daybook/core/apply.hpp"
#include "daybook/core/execute.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {
namespace {

Moment at_second(std::int64_t second) {
  const Duration elapsed = std::chrono::seconds(second);
  return Moment{Instant(elapsed), BootTime(elapsed), BookTime(elapsed), static_cast<std::uint64_t>(second)};
}

Submission one(Command command) {
  return Submission{.commands = {std::move(command)}};
}

State open_book() {
  State state;
  BookOpened opening;
  opening.epoch = Epoch(1);
  GenerationBegun begun;
  begun.generation = {1, GenerationTag(7)};
  static_cast<void>(execute(state, {.commands = {OpenBook{opening}, BeginGeneration{begun}}}, at_second(1), {}));
  return state;
}

Schedule small_job() {
  return Schedule{.queue = "q", .kind = "k", .payload = std::string(64, 'p')};
}

void ExecuteFullCycleInMemory(benchmark::State& bench) {
  State state = open_book();
  const Moment now = at_second(2);
  for (auto _ : bench) {
    static_cast<void>(execute(state, one(small_job()), now, {}));
    const Outcome claimed = execute(state, one(Claim{.queues = {"q"}, .worker = "w"}), now, {});
    const ClaimedJob& job = std::get<Claimed>(claimed.answers->front()).jobs.front();
    static_cast<void>(execute(state, one(Complete{job.id, job.token}), now, {}));
  }
  bench.SetItemsProcessed(bench.iterations());
}
BENCHMARK(ExecuteFullCycleInMemory);

std::vector<RecordedEvent> cycle_events() {
  State state = open_book();
  std::vector<RecordedEvent> events;
  const auto keep = [&](Outcome outcome) {
    events.insert(events.end(), outcome.events.begin(), outcome.events.end());
    return outcome;
  };
  keep(execute(state, one(small_job()), at_second(2), {}));
  const Outcome claimed = keep(execute(state, one(Claim{.queues = {"q"}, .worker = "w"}), at_second(2), {}));
  const ClaimedJob& job = std::get<Claimed>(claimed.answers->front()).jobs.front();
  keep(execute(state, one(Complete{job.id, job.token}), at_second(2), {}));
  return events;
}

void EncodeEvent(benchmark::State& bench) {
  const auto events = cycle_events();
  BatchEncoder encoder;
  for (auto _ : bench) {
    encoder.clear();
    for (const RecordedEvent& event : events) encoder.add(event);
    benchmark::DoNotOptimize(encoder.batch().bytes.data());
  }
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(events.size()));
  bench.SetBytesProcessed(bench.iterations() * static_cast<std::int64_t>(encoder.batch().bytes.size()));
}
BENCHMARK(EncodeEvent);

void DecodeEvent(benchmark::State& bench) {
  const auto events = cycle_events();
  BatchEncoder encoder;
  for (const RecordedEvent& event : events) encoder.add(event);
  for (auto _ : bench) benchmark::DoNotOptimize(decode_batch(encoder.batch()));
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(events.size()));
}
BENCHMARK(DecodeEvent);

}  // namespace
}  // namespace daybook

BENCHMARK_MAIN();
