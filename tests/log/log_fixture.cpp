// SPDX-License-Identifier: Apache-2.0
#include "log_fixture.hpp"

#include <algorithm>
#include <span>

#include "format.hpp"

namespace daybook::test {

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes_min = 10 * 1024;
  options.segment_bytes_max = 20 * 1024;
  return options;
}

RecordedEvent some_event(Sequence sequence, Epoch epoch, std::size_t text_bytes) {
  RecordedEvent event;
  event.sequence = sequence;
  event.epoch = epoch;
  event.wall = Instant(Duration(1'772'625'600'000'000 + static_cast<std::int64_t>(sequence.value())));
  event.boot = BootTime(Duration(static_cast<std::int64_t>(sequence.value())));
  event.by.reason = std::string(text_bytes, static_cast<char>('a' + sequence.value() % 26));
  event.event = QueuePaused{NameId(static_cast<std::uint32_t>(sequence.value()))};
  return event;
}

std::vector<std::uint64_t> batch_ends(const MemoryStorage& disk, const std::string& segment) {
  const auto content = disk.content(segment);
  std::vector<std::uint64_t> ends;
  std::uint64_t at = format::segment_header_bytes;
  while (true) {
    const auto header =
        format::parse_batch_header(std::span(content).subspan(std::min<std::uint64_t>(at, content.size())));
    if (!header || header->seal) return ends;
    at += format::batch_header_bytes + header->payload_bytes;
    ends.push_back(at);
  }
}

LogBook::LogBook(const LogBook& other)
    : disk(other.disk->clone()),
      clock(other.clock),
      random(other.random),
      acknowledged(other.acknowledged),
      in_flight(other.in_flight),
      options_(other.options_) {}

void LogBook::create() {
  log = SegmentLog::create(*disk, clock, random, options_, opening);
}

void LogBook::open() {
  log = SegmentLog::open(*disk, clock, random, options_, opening);
  EXPECT_EQ(opening.head, log->tail());
  // From here on the batch in flight is a part of the book, or it never was.
  if (log->tail().sequence.value() == acknowledged.size() + in_flight.size()) {
    acknowledged.insert(acknowledged.end(), in_flight.begin(), in_flight.end());
  }
  in_flight.clear();
}

void LogBook::open_or_create() {
  if (log_exists(*disk)) {
    open();
  } else {
    create();
  }
}

void LogBook::close() {
  log->close();
  log.reset();
}

AppendResult LogBook::append(std::uint32_t events, std::size_t text_bytes, Room room) {
  const bool taken = log->writable();  // otherwise an earlier batch stays the one in flight
  BatchEncoder encoder;
  std::vector<RecordedEvent> handed_over;
  for (std::uint32_t i = 0; i < events; ++i) {
    handed_over.push_back(some_event(Sequence(log->tail().sequence.value() + 1 + i), log->epoch(), text_bytes));
    encoder.add(handed_over.back());
  }
  if (taken) in_flight = handed_over;
  const AppendResult result = log->append(log->epoch(), log->tail(), encoder.batch(), room);
  if (std::holds_alternative<Committed>(result)) {
    acknowledged.insert(acknowledged.end(), handed_over.begin(), handed_over.end());
  }
  if (taken && !std::holds_alternative<Unknown>(result)) in_flight.clear();
  return result;
}

void LogBook::append_acknowledged(std::uint32_t events, std::size_t text_bytes) {
  const AppendResult result = append(events, text_bytes);
  ASSERT_TRUE(std::holds_alternative<Committed>(result));
  ASSERT_EQ(std::get<Committed>(result).head, log->tail());
}

void LogBook::leave_in_flight(std::uint32_t events, std::size_t text_bytes) {
  const auto witness = disk->content(witness_file);
  const auto before = acknowledged.size();
  append_acknowledged(events, text_bytes);
  disk->write_durably(witness_file, witness);
  in_flight.assign(acknowledged.begin() + static_cast<std::ptrdiff_t>(before), acknowledged.end());
  acknowledged.resize(before);
  drop();
}

std::vector<RecordedEvent> LogBook::read_all() {
  std::vector<RecordedEvent> events;
  log->read(Sequence(1), [&](const RecordedEvent& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

void LogBook::expect_promises_kept() {
  const std::vector<RecordedEvent> found = read_all();
  EXPECT_TRUE(found == acknowledged) << found.size() << " events found, " << acknowledged.size() << " expected";
  EXPECT_EQ(log->tail().sequence.value(), found.size());
}

std::vector<std::string> LogBook::segments() const {
  std::vector<std::string> names;
  for (const std::string& name : disk->names()) {
    if (name.ends_with(".seg")) names.push_back(name);
  }
  return names;
}

std::uint64_t LogBook::used_bytes(const std::string& name) const {
  const auto content = disk->content(name);
  std::uint64_t end = content.size();
  while (end > 0 && content[end - 1] == std::byte{0}) --end;
  return end;
}

std::vector<std::pair<std::string, std::vector<std::byte>>> picture(const MemoryStorage& disk) {
  std::vector<std::pair<std::string, std::vector<std::byte>>> all;
  for (const std::string& name : disk.names()) all.emplace_back(name, disk.content(name));
  return all;
}

}  // namespace daybook::test
