// SPDX-License-Identifier: Apache-2.0
#include "sample_log.hpp"

#include <algorithm>
#include <array>

#include "daybook/core/error.hpp"
#include "fuzz.hpp"

namespace daybook::fuzz {
namespace {

RecordedEvent sample_event(Sequence sequence, Epoch epoch) {
  RecordedEvent event;
  event.sequence = sequence;
  event.epoch = epoch;
  event.wall = Instant(Duration(1'772'625'600'000'000 + static_cast<std::int64_t>(sequence.value())));
  event.boot = BootTime(Duration(static_cast<std::int64_t>(sequence.value())));
  event.by.reason = std::string(100 + 37 * sequence.value() % 400, static_cast<char>('a' + sequence.value() % 26));
  event.event = QueuePaused{NameId(static_cast<std::uint32_t>(sequence.value()))};
  return event;
}

void append(SegmentLog& log, std::uint32_t count, SampleLog& sample) {
  BatchEncoder encoder;
  for (std::uint32_t i = 0; i < count; ++i) {
    sample.events.push_back(sample_event(Sequence(sample.events.size() + 1), log.epoch()));
    encoder.add(sample.events.back());
  }
  require(std::holds_alternative<Committed>(log.append(log.epoch(), log.tail(), encoder.batch(), Room::reserve)),
          "the sample is written");
}

SampleLog make_sample(Ending ending) {
  SampleLog sample;
  sample.disk = std::make_unique<test::MemoryStorage>();
  test::ManualClock clock;
  test::FixedRandom random;
  LogOpening opening;
  auto log = SegmentLog::create(*sample.disk, clock, random, sample_options(), opening);
  for (const std::uint32_t count : {1u, 3u, 2u, 8u, 5u, 1u, 4u, 9u}) append(*log, count, sample);
  log.reset();  // an unclean end: what follows is of a higher epoch, in a segment of its own
  sample.disk->kill();
  log = SegmentLog::open(*sample.disk, clock, random, sample_options(), opening);
  for (const std::uint32_t count : {2u, 1u, 6u}) append(*log, count, sample);
  sample.acknowledged = sample.events.size();
  if (ending == Ending::closed) log->close();
  if (ending == Ending::in_flight) {
    const auto witness = sample.disk->content("log/witness");
    append(*log, 3, sample);
    sample.disk->write_durably("log/witness", witness);
  }
  log.reset();
  sample.disk->crash_keeping_all();
  for (const std::string& name : sample.disk->names()) {
    if (name.ends_with(".seg")) sample.segments.push_back(name);
  }
  return sample;
}

}  // namespace

LogOptions sample_options() {
  LogOptions options;
  options.segment_bytes_min = 10 * 1024;
  options.segment_bytes_max = 10 * 1024;
  return options;
}

SampleLog sample_log(Ending ending) {
  static const std::array samples{make_sample(Ending::closed), make_sample(Ending::killed),
                                  make_sample(Ending::in_flight)};
  const SampleLog& sample = samples.at(static_cast<std::size_t>(ending));
  return {sample.disk->clone(), sample.events, sample.acknowledged, sample.segments};
}

Reopened reopen(test::MemoryStorage& disk) {
  Reopened result;
  test::ManualClock clock;
  test::FixedRandom random(7);
  LogOpening opening;
  try {
    const auto log = SegmentLog::open(disk, clock, random, sample_options(), opening);
    result.opened = true;
    result.tail = opening.tail;
    log->read(Sequence(1), [&](const RecordedEvent& event) {
      result.events.push_back(event);
      return true;
    });
    require(log->tail().sequence.value() == result.events.size(), "all events up to the tail are handed out");
    log->close();
  } catch (const CorruptionError& error) {
    result.refused = error.what();
    require(!result.refused->empty(), "a refusal says why");
  }
  return result;
}

std::vector<std::pair<std::string, std::vector<std::byte>>> picture(const test::MemoryStorage& disk) {
  std::vector<std::pair<std::string, std::vector<std::byte>>> all;
  for (const std::string& name : disk.names()) all.emplace_back(name, disk.content(name));
  return all;
}

}  // namespace daybook::fuzz
