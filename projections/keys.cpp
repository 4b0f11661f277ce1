// SPDX-License-Identifier: Apache-2.0

#include "keys.hpp"

#include <algorithm>
#include <cstddef>

#include "daybook/core/assert.hpp"

namespace daybook::keys {
namespace {

template <class Number>
void store_big_endian(char* into, Number number) {
  for (std::size_t i = sizeof(Number); i-- > 0; number = static_cast<Number>(number >> 8)) {
    into[i] = static_cast<char>(number & 0xFF);
  }
}
template <>
void store_big_endian(char* into, std::uint8_t number) {
  *into = static_cast<char>(number);
}

Instant instant(std::int64_t micros) {
  return Instant(Duration(micros));
}
BookTime book_time(std::int64_t micros) {
  return BookTime(Duration(micros));
}

}  // namespace

Key& Key::add(std::uint8_t number) {
  store_big_endian(bytes_.data() + size_, number);
  size_ += sizeof number;
  return *this;
}
Key& Key::add(std::uint32_t number) {
  store_big_endian(bytes_.data() + size_, number);
  size_ += sizeof number;
  return *this;
}
Key& Key::add(std::uint64_t number) {
  store_big_endian(bytes_.data() + size_, number);
  size_ += sizeof number;
  return *this;
}
Key& Key::add(std::string_view text) {
  DAYBOOK_ASSERT(text.size() <= bytes_max - size_);
  std::copy(text.begin(), text.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += text.size();
  return *this;
}

std::uint64_t KeyReader::number(std::size_t bytes) {
  if (bytes_.size() < bytes) {
    short_ = true;
    return 0;
  }
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes_[i]);
  bytes_.remove_prefix(bytes);
  return number;
}
std::uint8_t KeyReader::u8() {
  return static_cast<std::uint8_t>(number(1));
}
std::uint32_t KeyReader::u32() {
  return static_cast<std::uint32_t>(number(4));
}
std::uint64_t KeyReader::u64() {
  return number(8);
}

Key number(std::uint64_t number) {
  return Key().add(number);
}
Key number(std::uint32_t number) {
  return Key().add(number);
}

Key future(FuturePosition position) {
  return Key().add(position.due).add(position.id);
}
Key ready(LaneId lane, ReadyPosition position) {
  return Key().add(lane.queue).add(lane.kind).add(lane.group).add(position.priority).add(position.at).add(position.id);
}
Key lease(BookTime end, Sequence id) {
  return Key().add(micros(end)).add(id);
}
Key group(NameId queue, NameId id) {
  return Key().add(queue).add(id);
}
Key unique(NameId queue, std::string_view key) {
  return Key().add(queue).add(key);
}
Key state(NameId queue, JobState state, Sequence id) {
  return Key().add(queue).add(static_cast<std::uint8_t>(state)).add(id);
}
Key family(const FamilyPosition& position) {
  return Key().add(position.parent).add(static_cast<std::uint8_t>(position.kinship)).add(position.child);
}
Key shelf(Shelf shelf, const ShelfPosition& position) {
  return Key().add(static_cast<std::uint8_t>(shelf)).add(micros(position.at)).add(position.id);
}
Key request(NameId client, std::string_view id) {
  return Key().add(client).add(id);
}
Key request_by_time(BookTime recorded_at, NameId client, std::string_view id) {
  return Key().add(micros(recorded_at)).add(client).add(id);
}

Key future_value(const Waiting& job) {
  Key value;
  value.add(job.lane.queue).add(job.lane.kind).add(job.lane.group).add(job.priority);
  if (job.due.after) value.add(micros(job.due.at));
  return value;
}
Key ready_value(const Waiting& job) {
  Key value;
  if (job.due.after) value.add(micros(*job.due.after));
  return value;
}

std::optional<Waiting> parse_future(FutureClock clock, std::string_view key, std::string_view value) {
  Waiting job;
  KeyReader keys(key);
  const std::int64_t due = keys.i64();
  job.id = Sequence(keys.u64());
  KeyReader values(value);
  job.lane.queue = NameId(values.u32());
  job.lane.kind = NameId(values.u32());
  job.lane.group = NameId(values.u32());
  job.priority = Priority(values.i32());
  if (clock == FutureClock::book) {
    job.due.after = book_time(due);
    job.due.at = instant(values.i64());
  } else {
    job.due.at = instant(due);
  }
  if (!keys.whole() || !values.whole()) return std::nullopt;
  return job;
}

std::optional<Waiting> parse_ready(std::string_view key, std::string_view value) {
  Waiting job;
  KeyReader keys(key);
  job.lane.queue = NameId(keys.u32());
  job.lane.kind = NameId(keys.u32());
  job.lane.group = NameId(keys.u32());
  job.priority = Priority(keys.i32());
  job.due.at = instant(keys.i64());
  job.id = Sequence(keys.u64());
  KeyReader values(value);
  if (values.left()) job.due.after = book_time(values.i64());
  if (!keys.whole() || !values.whole()) return std::nullopt;
  return job;
}

std::optional<FamilyPosition> parse_family(std::string_view key) {
  KeyReader reader(key);
  FamilyPosition position;
  position.parent = Sequence(reader.u64());
  const std::uint8_t kinship = reader.u8();
  position.kinship = static_cast<Kinship>(kinship);
  position.child = Sequence(reader.u64());
  if (!reader.whole() || kinship > static_cast<std::uint8_t>(Kinship::closed)) return std::nullopt;
  return position;
}

std::optional<Sequence> parse_id(std::string_view bytes) {
  KeyReader reader(bytes);
  const Sequence id(reader.u64());
  if (!reader.whole()) return std::nullopt;
  return id;
}

}  // namespace daybook::keys
