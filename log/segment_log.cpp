// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/segment_log.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
#include "event_walk.hpp"
#include "inspection.hpp"
#include "recovery.hpp"
#include "segment_name.hpp"
#include "segment_writer.hpp"
#include "witness.hpp"

// What is written when, and what a failure means. How segments look is left to segment_writer, what they may look like
// after a crash to inspection and recovery.

namespace daybook {
namespace {

constexpr Duration witness_sync_interval = std::chrono::seconds(1);
constexpr Duration room_test_interval =
    std::chrono::milliseconds(100);                                // how often a full disk is asked whether it still is
constexpr std::size_t batch_bytes_ceiling = std::size_t{1} << 30;  // a batch header's length has 32 bits
constexpr std::uint64_t reserve_ahead_below = 2 * 1024 * 1024;     // room for a batch of the usual largest size
constexpr std::uint64_t margin_segments = 4;                       // of the smallest size: for quarantine and the index

LogOptions checked(LogOptions options) {
  DAYBOOK_ASSERT(options.commit_alignment == 8 || options.commit_alignment == 512 || options.commit_alignment == 4096);
  DAYBOOK_ASSERT(options.feature_level >= limits::feature_level_first &&
                 options.feature_level <= limits::feature_level_highest);
  options.batch_bytes_max = std::min(options.batch_bytes_max, batch_bytes_ceiling);
  options.segment_bytes_min =
      std::max(options.segment_bytes_min, segment_bytes_for(0, options.commit_alignment) + 4096);
  options.segment_bytes_max = std::max(options.segment_bytes_max, options.segment_bytes_min);
  return options;
}

Uuid random_uuid(Random& random) {
  Uuid uuid;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 8; ++i) uuid.bytes[half * 8 + i] = static_cast<std::uint8_t>(bits >> (8 * i));
  }
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x40);  // RFC 9562: version 4 …
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);  // … of the variant defined there
  return uuid;
}

}  // namespace

struct SegmentLog::Impl {
  Impl(Storage& storage_, Clock& clock_, Random& random_, const LogOptions& options_, Epoch epoch_, ReadyLog ready)
      : storage(storage_),
        clock(clock_),
        random(random_),
        options(options_),
        epoch(epoch_),
        segment(std::move(ready.segment)),
        witness(std::move(ready.witness)),
        slot(ready.said),
        head(ready.head),
        witness_synced_at(clock.boot()),
        next(std::move(ready.next)),
        tight(next.has_value()),  // it was taken over because room is scarce
        feature_level(segment.header().feature_level) {}

  // ---- room ----

  bool should_reserve() const {
    const std::uint64_t left = segment.capacity() - segment.cursor().offset;
    return left <
           std::max(segment.capacity() / 2, std::min<std::uint64_t>(options.batch_bytes_max, reserve_ahead_below));
  }

  // Sees to it that the next segment is there and has at least `least` bytes. False: there is no room for it.
  bool reserve_next(std::uint64_t least) {
    room_tested_at = clock.boot();
    if (!next || next->bytes < least) {
      next.reset();
      const SegmentSizes sizes{options.segment_bytes_min, options.segment_bytes_max};
      const std::uint64_t wanted = sizes.after(segment.header().segment_bytes, segment.capacity(), least);
      next = reserve_file(storage, wanted, std::max(least, options.segment_bytes_min));
      next_durable = false;
    }
    std::uint64_t free = 0;
    const bool known = storage.free_bytes(free) == 0;
    tight = !next || (known && free < margin_segments * options.segment_bytes_min);
    if (tight) keep_reserve();
    return next.has_value();
  }

  // A reserve whose name the disk does not know yet is gone with the power, and its room is anybody's.
  void keep_reserve() {
    if (!next || next_durable) return;
    next->file.sync();
    sync_folder(storage, log_folder);
    next_durable = true;
  }

  // Ahead of need: a failure here hurts nobody yet, and comes again when it does.
  void reserve_ahead() {
    if (tight ? room_tested_at && clock.boot() - *room_tested_at < room_test_interval : next || !should_reserve())
      return;
    or_do_without([&] { static_cast<void>(reserve_next(0)); });
  }

  void or_do_without(const auto& attempt) {
    try {
      attempt();
    } catch (const StorageError&) {
      next.reset();
      tight = true;
    }
  }

  void rotate() {
    segment.seal(epoch, random.next());
    format::SegmentHeader header = successor(segment.header(), head, epoch, next->bytes, clock, random);
    header.feature_level = feature_level;
    header.commit_alignment = options.commit_alignment;
    segment = SegmentWriter::begin(storage, std::move(next->file), header);
    next.reset();
    costs.syncs += 2;
    costs.bytes += format::segment_header_bytes + format::batch_header_bytes + format::seal_payload_bytes;
  }

  // ---- the witness ----

  void say(bool clean) {
    slot.clean = clean;
    slot.acknowledged = head.sequence;
    slot.chain = head.chain;
    if (segment.cursor().batches != 0) {  // otherwise the last batch is in the segment before, as the slot says already
      slot.segment = segment.header().first;
      slot.end_offset = segment.cursor().batch_end;
    }
  }

  void sync_witness_when_due() {
    if (kept("log.append.sync_witness") && clock.boot() - witness_synced_at >= witness_sync_interval) sync_witness();
  }

  void sync_witness() {
    if (!witness.behind()) return;
    witness.sync();
    ++costs.syncs;
    witness_synced_at = clock.boot();
  }

  // ---- appending ----

  Unknown poison(const StorageError& error) {
    poisoned = Unknown{error.what(), error.error_number()};
    return *poisoned;
  }

  // Anything but a StorageError (memory that ran out, most likely) leaves the segment at some point between two batches,
  // where nobody may go on.
  AppendResult append(const EncodedBatch& batch, Room room) {
    cut_short = true;
    AppendResult result = write_and_sync(batch, room);
    cut_short = false;
    return result;
  }

  AppendResult write_and_sync(const EncodedBatch& batch, Room room) {
    const std::uint64_t bytes = batch.bytes.size();
    const std::uint64_t least = segment_bytes_for(bytes, options.commit_alignment);
    try {
      if (room == Room::ordinary && tight) {
        static_cast<void>(reserve_next(0));
        if (tight) return Full{"the disk is nearly full: what is left is kept for finishing the work there is"};
      }
      if (!segment.fits(bytes)) {
        if (!reserve_next(least) || (room == Room::ordinary && tight)) {
          return Full{"the disk is full: there is no room for a segment that holds a batch of " +
                      std::to_string(bytes) + " bytes"};
        }
        rotate();
      }
      const std::uint64_t written = segment.append(batch.bytes, batch.count, epoch, random.next());
      costs.bytes += written;
      ++costs.syncs;
      ++costs.batches;
      costs.events += batch.count;
    } catch (const StorageError& error) {
      return poison(error);
    }
    head = {segment.cursor().last(), *segment.cursor().chain};
    tell_witness();
    reserve_ahead();
    return Committed{head};
  }

  // Levels are said by segments, so a higher one begins with the next.
  AppendResult raise(std::uint32_t level) {
    if (segment.header().feature_level >= level) return Committed{head};
    DAYBOOK_ASSERT(segment.cursor().batches != 0);
    try {
      if (!reserve_next(0)) return Full{"the disk is full: there is no room for a segment of the new feature level"};
      feature_level = level;
      cut_short = true;
      rotate();
      cut_short = false;
    } catch (const StorageError& error) {
      return poison(error);
    }
    reserve_ahead();
    return Committed{head};
  }

  // The batch is durable by now, whatever becomes of the witness.
  void tell_witness() {
    try {
      say(false);
      witness.write(slot);
      costs.bytes += format::witness_slot_bytes;
      sync_witness_when_due();
    } catch (const StorageError& error) {
      poison(error);
    }
  }

  Storage& storage;
  Clock& clock;
  Random& random;
  LogOptions options;
  Epoch epoch;
  SegmentWriter segment;
  Witness witness;
  format::WitnessSlot slot;  // what the witness said last
  Head head;
  BootTime witness_synced_at;
  std::optional<ReservedFile> next;  // the next segment, allocated ahead
  bool tight = false;                // only the reserve is left
  std::optional<BootTime> room_tested_at;
  bool next_durable = false;
  bool closed = false;
  std::uint32_t feature_level;  // of the next segment
  std::optional<Unknown> poisoned;
  bool cut_short = false;  // an append threw
  Costs costs;
};

std::unique_ptr<SegmentLog> SegmentLog::create(Storage& storage, Clock& clock, Random& random, const LogOptions& wanted,
                                               LogOpening& opening) {
  const LogOptions options = checked(wanted);
  const LogFiles files = list_log(storage);
  if (!files.segments.empty() || files.witness) {
    throw StorageError({log_folder, std::nullopt, std::nullopt}, EEXIST,
                       "there is a log already in " + storage.describe(log_folder));
  }
  make_folder(storage, log_folder);
  if (kept("log.create.sync_book")) sync_folder(storage, "");
  for (const std::string& name : files.temporaries) remove_if_exists(storage, name);
  auto reserved = reserve_file(storage, options.segment_bytes_min, options.segment_bytes_min);
  if (!reserved) {
    throw StorageError({log_folder, std::nullopt, std::nullopt}, ENOSPC,
                       "there is no room for a segment of " + std::to_string(options.segment_bytes_min) + " bytes in " +
                           storage.describe(log_folder));
  }

  opening = LogOpening{};
  opening.tail = TailStatus::created;
  opening.epoch = std::max(Epoch(1), options.first_epoch);
  opening.log_uuid = random_uuid(random);
  opening.note = "a new log";

  format::SegmentHeader header = successor({}, Head{}, opening.epoch, reserved->bytes, clock, random);
  header.log_uuid = opening.log_uuid;
  header.commit_alignment = options.commit_alignment;
  header.feature_level = options.feature_level;
  SegmentWriter segment = SegmentWriter::begin(storage, std::move(reserved->file), header);

  format::WitnessSlot slot;
  slot.log_uuid = opening.log_uuid;
  slot.end_offset = format::segment_header_bytes;
  slot.segment = header.first;
  slot.epoch = opening.epoch;
  Witness witness = Witness::create(storage, slot);
  auto impl = std::make_unique<Impl>(storage, clock, random, options, opening.epoch,
                                     ReadyLog{std::move(segment), std::move(witness), slot, Head{}});
  impl->reserve_ahead();
  return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(impl)));
}

std::unique_ptr<SegmentLog> SegmentLog::open(Storage& storage, Clock& clock, Random& random, const LogOptions& wanted,
                                             LogOpening& opening) {
  const LogOptions options = checked(wanted);
  Inspection found;
  inspect(storage, Depth::ends, found);
  ReadyLog ready = recover(storage, clock, random, options, found, opening);
  auto impl = std::make_unique<Impl>(storage, clock, random, options, opening.epoch, std::move(ready));
  impl->reserve_ahead();
  return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(impl)));
}

SegmentLog::SegmentLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SegmentLog::~SegmentLog() = default;

AppendResult SegmentLog::append(Epoch epoch, const Head& expected, const EncodedBatch& batch, Room room) {
  if (kept("log.append.poisoned") && impl_->poisoned) return *impl_->poisoned;
  if (kept("log.append.cut_short") && impl_->cut_short) return Unknown{"an append before was cut short", 0};
  if (impl_->closed) return Unknown{"the log was closed", 0};
  if (kept("log.append.epoch") && epoch != impl_->epoch) return Fenced{impl_->epoch};
  if (kept("log.append.head") && expected != impl_->head) return Conflict{impl_->head};
  DAYBOOK_ASSERT(batch.count > 0);
  DAYBOOK_ASSERT(batch.first == expected.sequence.next());
  if (batch.bytes.size() > impl_->options.batch_bytes_max) {
    return Full{"a batch of " + std::to_string(batch.bytes.size()) + " bytes is larger than the largest, " +
                std::to_string(impl_->options.batch_bytes_max)};
  }
  return impl_->append(batch, room);
}

void SegmentLog::read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) {
  walk_events(impl_->storage, impl_->slot.log_uuid, from, impl_->head.sequence, visit);
}

Head SegmentLog::tail() const {
  return impl_->head;
}

Epoch SegmentLog::epoch() const {
  return impl_->epoch;
}

std::size_t SegmentLog::largest_batch_bytes() const {
  return impl_->options.batch_bytes_max;
}

Journal::Costs SegmentLog::costs() const {
  return impl_->costs;
}

std::uint32_t SegmentLog::feature_level() const {
  return impl_->feature_level;
}

AppendResult SegmentLog::raise_feature_level(std::uint32_t level) {
  DAYBOOK_ASSERT(level <= limits::feature_level_highest);
  if (kept("log.raise.poisoned") && impl_->poisoned) return *impl_->poisoned;
  if (kept("log.raise.cut_short") && (impl_->cut_short || impl_->closed))
    return Unknown{"the log was closed, or an append before was cut short", 0};
  return impl_->raise(level);
}

bool SegmentLog::has_room() const {
  return !impl_->tight;
}

void SegmentLog::settle() {
  if (!writable() || impl_->closed) return;
  try {
    if (kept("log.settle.sync_witness"))
      impl_->sync_witness();  // due or not: when nothing is appended from here on, nobody else does it
  } catch (const StorageError& error) {
    impl_->poison(error);
    return;
  }
  impl_->room_tested_at.reset();
  impl_->reserve_ahead();
  impl_->or_do_without([&] { impl_->keep_reserve(); });
}

void SegmentLog::close() {
  if ((kept("log.close.poisoned") && !writable()) || impl_->closed) return;
  impl_->closed = true;
  impl_->say(true);
  impl_->witness.write_durably(impl_->slot);
  impl_->costs.syncs += 2;
  impl_->next.reset();  // the file stays: the disk may be full when the book is opened again
}

Uuid SegmentLog::log_uuid() const {
  return impl_->slot.log_uuid;
}

bool SegmentLog::writable() const {
  return !impl_->poisoned && !impl_->cut_short;
}

}  // namespace daybook
