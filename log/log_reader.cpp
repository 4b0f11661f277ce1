// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/log_reader.hpp"

#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "event_walk.hpp"
#include "file_io.hpp"
#include "inspection.hpp"
#include "segment_file.hpp"
#include "segment_name.hpp"
#include "segment_reader.hpp"
#include "witness.hpp"

// The witness tells a reader how far it may go: what stands behind it may not be synced yet, or never be.

namespace daybook {

DroppedError::DroppedError(Sequence asked, Sequence through)
    : std::runtime_error("event " + std::to_string(asked.value()) + " was dropped: of the events up to sequence " +
                         std::to_string(through.value()) +
                         " only counts, chain hashes and leaf hashes are kept, which prove them and do not tell them. "
                         "What can be read begins with sequence " +
                         std::to_string(through.value() + 1)),
      through_(through) {}

bool log_exists(Storage& storage) {
  const LogFiles files = list_log(storage);
  return files.witness || !files.segments.empty();
}

std::uint64_t log_bytes_after(Storage& storage, Sequence sequence) {
  const WitnessFound witness = read_witness(storage);
  std::uint64_t bytes = 0;
  for (const Sequence first : list_log(storage).segments) {
    if (first <= sequence) continue;
    const bool last = witness.newest && witness.newest->segment == first;
    bytes += last ? witness.newest->end_offset : SegmentFile::open(storage, first).size();
  }
  return bytes;
}

struct LogReader::Impl {
  Storage& storage;
  Uuid log_uuid;
  Head head;
};

LogReader::LogReader(Storage& storage) : impl_(std::make_unique<Impl>(Impl{storage, {}, {}})) {
  const WitnessFound witness = read_witness(storage);
  if (witness.newest) {
    impl_->log_uuid = witness.newest->log_uuid;
    impl_->head = {witness.newest->acknowledged, witness.newest->chain};
    if (kept("log.reader.segments") && list_log(storage).segments.empty()) {
      throw CorruptionError(Damage::lost_acknowledged, {log_folder, std::nullopt, std::nullopt},
                            "no segment is left, and the witness saw events synced up to sequence " +
                                std::to_string(witness.newest->acknowledged.value()) +
                                ". Nothing was changed. Restore the book from a backup.");
    }
    return;
  }
  Inspection found;
  inspect(storage, Depth::ends, found);
  impl_->log_uuid = found.log_uuid;
  impl_->head = found.head;
}

LogReader::~LogReader() = default;
LogReader::LogReader(LogReader&&) noexcept = default;

Uuid LogReader::log_uuid() const {
  return impl_->log_uuid;
}

std::uint32_t LogReader::feature_level() const {
  const std::vector<Sequence> segments = list_log(impl_->storage).segments;
  for (auto first = segments.rbegin(); first != segments.rend(); ++first) {
    SegmentFile file = SegmentFile::open(impl_->storage, *first);
    if (const auto header = SegmentReader::read_header(file)) return header->feature_level;
  }
  return limits::feature_level_first;
}

Head LogReader::head() const {
  return impl_->head;
}

Sequence LogReader::first_readable() const {
  const LogFiles files = list_log(impl_->storage);
  if (files.dropped.empty()) return Sequence(1);
  return files.first_readable();
}

void LogReader::read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) const {
  walk_events(impl_->storage, impl_->log_uuid, from, impl_->head.sequence, visit);
}

void LogReader::read_stored(Sequence from, const VisitStored& visit) const {
  walk_stored_events(impl_->storage, impl_->log_uuid, from, impl_->head.sequence, visit);
}

std::optional<Hash> LogReader::chain_at(Sequence sequence) const {
  if (kept("log.reader.chain_at") && sequence > impl_->head.sequence) return std::nullopt;
  return chain_behind(impl_->storage, impl_->log_uuid, sequence);
}

}  // namespace daybook
