// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/snapshot_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "each_entity.hpp"
#include "entity_codec.hpp"
#include "file_io.hpp"
#include "sha256.hpp"
#include "snapshot_format.hpp"

// Records are gathered into frames; both directions go through the file once, from front to back, and hash as they go.

namespace daybook {
namespace {

constexpr std::string_view folder = "snapshots";
constexpr std::string_view suffix = ".snap";
constexpr std::string_view unfinished_suffix = ".tmp";
constexpr std::size_t digits = 20;
constexpr std::size_t frame_bytes = 128 * 1024;  // a frame is closed when it holds this much

std::string name_of(Sequence sequence, std::string_view ending) {
  std::string number = std::to_string(sequence.value());
  number.insert(0, digits - number.size(), '0');
  return std::string(folder) + "/" + number + std::string(ending);
}

// ---- which entities, in which order ----

std::uint64_t& count_of(SnapshotCounts& counts, EntityType type, std::uint64_t& books) {
  switch (type) {
    case EntityType::book:
      return books;
    case EntityType::name:
      return counts.names;
    case EntityType::setting:
      return counts.settings;
    case EntityType::queue:
      return counts.queues;
    case EntityType::worker:
      return counts.workers;
    case EntityType::request:
      return counts.requests;
    case EntityType::job:
      return counts.jobs;
    case EntityType::group:
    case EntityType::hold:
    case EntityType::recurring:
      return counts.others;
  }
  return books;  // not reached: types are judged where they come from
}

void append_u32(std::vector<std::byte>& to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

std::uint32_t load_u32(std::span<const std::byte> from) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
  return value;
}

// ---- writing ----

class SnapshotWriter {
 public:
  SnapshotWriter(LogFile file, const SnapshotPoint& point) : file_(std::move(file)) {
    summary_.point = point;
    put(format::to_bytes(point));
  }

  void add(const StoredEntity& entity) {
    append_u32(payload_, static_cast<std::uint32_t>(entity.message.size()));
    append_u32(payload_, static_cast<std::uint32_t>(entity.type) | std::uint32_t{entity.revision} << 16);
    payload_.insert(payload_.end(), entity.message.begin(), entity.message.end());
    ++records_;
    ++count_of(summary_.counts, entity.type, books_);
    state_.add(entity_hash(entity));
    if (payload_.size() >= frame_bytes) put_frame(false);
  }

  SnapshotSummary finish(const MerkleFrontier& frontier) {
    if (records_ != 0) put_frame(false);
    summary_.state_hash = state_.value();
    summary_.frontier = frontier;
    payload_ = format::to_bytes(format::Trailer{.counts = summary_.counts,
                                                .state_hash = summary_.state_hash,
                                                .content_sha256 = content_.take(),
                                                .frontier = frontier});
    put_frame(true);
    file_.make_read_only();
    if (kept("log.snapshot.sync")) file_.sync();
    if (kept("log.snapshot.drop_cache")) file_.drop_cache();  // so that it is read back from the disk
    summary_.file_sha256 = whole_.take();
    summary_.bytes = offset_;
    return summary_;
  }

 private:
  void put_frame(bool trailer) {
    const format::FrameHeader header{.payload_bytes = static_cast<std::uint32_t>(payload_.size()),
                                     .number = frames_++,
                                     .offset = offset_,
                                     .snapshot = summary_.point.sequence,
                                     .records = std::exchange(records_, 0),
                                     .trailer = trailer,
                                     .payload_crc32c = crc32c(payload_)};
    put(format::to_bytes(header));
    put(payload_);
    payload_.clear();
  }

  void put(std::span<const std::byte> bytes) {
    file_.write(offset_, bytes);
    content_.add(bytes);
    whole_.add(bytes);
    offset_ += bytes.size();
  }

  LogFile file_;
  SnapshotSummary summary_;
  std::uint64_t offset_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t books_ = 0;
  std::uint32_t records_ = 0;  // in payload_
  std::vector<std::byte> payload_;
  HashSum state_;
  Sha256 content_;
  Sha256 whole_;
};

// ---- reading ----

class SnapshotReader {
 public:
  SnapshotReader(LogFile file, Store* into, SnapshotProof proof)
      : file_(std::move(file)), into_(into), proof_(proof), size_(file_.size()) {}

  std::optional<SnapshotSummary> read(const std::stop_token& stop) {
    const auto point = format::parse_snapshot_header(take(format::snapshot_header_bytes));
    if (!point) refuse(point.error(), 0);
    summary_.point = *point;
    while (!finished_) {
      if (stop.stop_requested()) return std::nullopt;
      frame();
    }
    if (kept("log.snapshot.behind_trailer") && offset_ != size_) {
      refuse(offset_, std::to_string(size_ - offset_) + " bytes behind the trailer, expected none");
    }
    summary_.bytes = offset_;
    summary_.file_sha256 = whole_.take();
    return summary_;
  }

 private:
  void frame() {
    const std::uint64_t at = offset_;
    std::array<std::byte, format::frame_header_bytes> stored;
    const auto bytes = std::span<const std::byte>(stored).first(file_.read(at, stored));
    const auto header = format::parse_frame_header(bytes);
    if (!header) refuse(header.error(), at);
    if ((kept("log.snapshot.frame_number") && header->number != frames_) ||
        (kept("log.snapshot.frame_offset") && header->offset != at) ||
        (kept("log.snapshot.frame_sequence") && header->snapshot != summary_.point.sequence)) {
      refuse(at, "frame " + std::to_string(header->number) + " of the snapshot of sequence " +
                     std::to_string(header->snapshot.value()) + " for offset " + std::to_string(header->offset) +
                     ", expected frame " + std::to_string(frames_) + " of sequence " +
                     std::to_string(summary_.point.sequence.value()));
    }
    ++frames_;
    const Hash content = header->trailer ? content_.take() : Hash{};
    pass(bytes);
    if (kept("log.snapshot.frame_cut") && header->payload_bytes > size_ - offset_) {
      refuse(at, "frame of " + std::to_string(header->payload_bytes) + " bytes, and the file has " +
                     std::to_string(size_ - offset_) + " more: it was cut");
    }
    const auto payload = take(header->payload_bytes);
    if (kept("log.snapshot.payload_checksum") && crc32c(payload) != header->payload_crc32c) {
      refuse(at, "the checksum of the frame's payload does not fit its bytes");
    }
    if (header->trailer) return trailer(payload, content, at);
    records(payload, header->records, at);
  }

  void records(std::span<const std::byte> payload, std::uint32_t count, std::uint64_t at) {
    const Place where{file_.name(), at, summary_.point.sequence};
    for (; count > 0; --count) {
      const std::uint32_t bytes = payload.size() < format::record_header_bytes ? 0 : load_u32(payload);
      if ((kept("log.snapshot.record_empty") && bytes == 0) ||
          (kept("log.snapshot.record_bytes") && bytes > payload.size() - format::record_header_bytes)) {
        refuse(at, "record of " + std::to_string(bytes) + " bytes, expected some, which the frame holds");
      }
      const std::uint32_t kind = load_u32(payload.subspan(4));
      const StoredEntity stored{static_cast<EntityType>(kind & 0xFFFF), static_cast<std::uint16_t>(kind >> 16),
                                payload.subspan(format::record_header_bytes, bytes)};
      record(stored, where);
      payload = payload.subspan(format::record_header_bytes + bytes);
    }
    if (kept("log.snapshot.behind_records") && !payload.empty())
      refuse(at, std::to_string(payload.size()) + " bytes behind the frame's last record");
  }

  void record(const StoredEntity& stored, const Place& where) {
    Entity entity = decode_entity(stored, where);
    if (kept("log.snapshot.order") && stored.type < last_type_)
      refuse(*where.offset, "records that are not in the order of their types");
    last_type_ = stored.type;
    if (proof_ == SnapshotProof::meaning) {
      const StoredEntity again = encoder_.encode(entity);
      if (kept("log.snapshot.meaning") &&
          !std::equal(again.message.begin(), again.message.end(), stored.message.begin(), stored.message.end())) {
        refuse(*where.offset, "a record that this release would write in another way");
      }
    }
    ++count_of(summary_.counts, stored.type, books_);
    state_.add(entity_hash(stored));
    if (into_ != nullptr) std::visit([&](auto& one) { into_->put(std::move(one)); }, entity);
  }

  void trailer(std::span<const std::byte> payload, const Hash& content, std::uint64_t at) {
    auto parsed = format::parse_trailer(payload);
    if (!parsed) refuse(parsed.error(), at);
    if (kept("log.snapshot.content") && parsed->content_sha256 != content)
      refuse(at, "the SHA-256 of what stands before the trailer is another");
    if ((kept("log.snapshot.counts") && parsed->counts != summary_.counts) ||
        (kept("log.snapshot.book") && books_ != 1)) {
      refuse(at, "another number of records than the trailer says");
    }
    summary_.state_hash = state_.value();
    if (kept("log.snapshot.state_hash") && parsed->state_hash != summary_.state_hash)
      refuse(at, "the state hash of its records is another than the trailer's");
    if (kept("log.snapshot.leaves") && parsed->frontier.leaves() != summary_.point.sequence.value()) {
      refuse(at, "a tree of " + std::to_string(parsed->frontier.leaves()) + " events, expected " +
                     std::to_string(summary_.point.sequence.value()));
    }
    summary_.frontier = std::move(parsed->frontier);
    finished_ = true;
  }

  std::span<const std::byte> take(std::size_t bytes) {
    buffer_.resize(bytes);
    const auto taken = std::span<const std::byte>(buffer_).first(file_.read(offset_, buffer_));
    pass(taken);
    return taken;
  }

  void pass(std::span<const std::byte> bytes) {
    content_.add(bytes);
    whole_.add(bytes);
    offset_ += bytes.size();
  }

  [[noreturn]] void refuse(std::uint64_t offset, const std::string& found, Damage damage = Damage::foreign) const {
    throw CorruptionError(damage, {file_.name(), offset, summary_.point.sequence}, found);
  }
  [[noreturn]] void refuse(const format::Problem& problem, std::uint64_t offset) const {
    refuse(offset, problem.sentence,
           problem.kind == format::Problem::Kind::newer ? Damage::unknown_format : Damage::foreign);
  }

  LogFile file_;
  Store* into_;
  SnapshotProof proof_;
  std::uint64_t size_;
  SnapshotSummary summary_;
  std::uint64_t offset_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t books_ = 0;
  EntityType last_type_{};
  bool finished_ = false;
  std::vector<std::byte> buffer_;
  EntityEncoder encoder_;
  HashSum state_;
  Sha256 content_;
  Sha256 whole_;
};

}  // namespace

std::string snapshot_name(Sequence sequence) {
  return name_of(sequence, suffix);
}

std::string unfinished_snapshot_name(Sequence sequence) {
  return name_of(sequence, unfinished_suffix);
}

SnapshotFiles list_snapshot_files(Storage& storage) {
  std::vector<std::string> names;
  const int error = storage.list(std::string(folder), names);
  SnapshotFiles files;
  if (error == ENOENT) return files;
  if (error != 0) {
    throw StorageError({std::string(folder), std::nullopt, std::nullopt}, error,
                       "cannot list the folder " + storage.describe(std::string(folder)));
  }
  for (const std::string& name : names) {
    if (name.ends_with(unfinished_suffix)) files.unfinished.push_back(std::string(folder) + "/" + name);
    if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) continue;
    std::uint64_t sequence = 0;
    const char* const end = name.data() + digits;
    const auto read = std::from_chars(name.data(), end, sequence);
    if (read.ec == std::errc() && read.ptr == end && sequence != 0) files.snapshots.emplace_back(sequence);
  }
  std::sort(files.snapshots.begin(), files.snapshots.end());
  return files;
}

SnapshotPoint read_snapshot_point(Storage& storage, const std::string& name) {
  LogFile file = LogFile::open(storage, name, OpenMode::read);
  std::array<std::byte, format::snapshot_header_bytes> bytes;
  auto point = format::parse_snapshot_header(std::span(bytes).first(file.read(0, bytes)));
  if (point) return *point;
  const bool newer = point.error().kind == format::Problem::Kind::newer;
  throw CorruptionError(newer ? Damage::unknown_format : Damage::foreign, {name, 0, std::nullopt},
                        point.error().sentence);
}

std::optional<SnapshotSummary> write_snapshot_file(Storage& storage, const View& view, const SnapshotPoint& point,
                                                   const MerkleFrontier& frontier, const std::stop_token& stop) {
  make_folder(storage, std::string(folder));
  if (kept("log.snapshot.sync_book")) sync_folder(storage, "");
  const std::string name = unfinished_snapshot_name(point.sequence);
  SnapshotWriter writer(LogFile::open(storage, name, OpenMode::create), point);
  std::optional<SnapshotSummary> summary;
  try {
    EntityEncoder encoder;
    each_entity(view, [&](const auto& entity) {
      if (!stop.stop_requested()) writer.add(encoder.encode(entity));
    });
    if (!stop.stop_requested()) summary = writer.finish(frontier);
  } catch (const StorageError&) {
    static_cast<void>(storage.remove(name));
    throw;
  }
  if (!summary) static_cast<void>(storage.remove(name));
  return summary;
}

void publish_snapshot_file(Storage& storage, Sequence sequence) {
  rename_file(storage, unfinished_snapshot_name(sequence), snapshot_name(sequence));
  if (kept("log.snapshot.sync_folder")) sync_folder(storage, std::string(folder));
}

void remove_snapshot_file(Storage& storage, const std::string& name) {
  remove_if_exists(storage, name);
}

std::optional<SnapshotSummary> read_snapshot_file(Storage& storage, const std::string& name, Store* into,
                                                  SnapshotProof proof, const std::stop_token& stop) {
  return SnapshotReader(LogFile::open(storage, name, OpenMode::read), into, proof).read(stop);
}

}  // namespace daybook
