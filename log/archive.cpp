// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/archive.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "event_codec.hpp"
#include "segment_file.hpp"
#include "segment_name.hpp"
#include "segment_reader.hpp"
#include "sha256.hpp"
#include "zstd_stream.hpp"

// The new form has its name durably before the old one goes, and the old one is gone durably before the next segment's turn
// comes: at any moment all segments are there, and stubs only at the beginning.

namespace daybook {
namespace {

constexpr std::size_t chunk = 256 * 1024;

struct Candidate {
  Sequence first;
  Sequence last;
};

// The oldest of `remaining` that has a successor and ends at or before `until`.
std::optional<Candidate> candidate(const LogFiles& files, const std::vector<Sequence>& remaining, Sequence until) {
  if (remaining.empty()) return std::nullopt;
  const auto behind = std::upper_bound(files.segments.begin(), files.segments.end(), remaining.front());
  if (behind == files.segments.end()) return std::nullopt;
  const Candidate found{remaining.front(), Sequence(behind->value() - 1)};
  return found.last <= until ? std::optional(found) : std::nullopt;
}

[[noreturn]] void damaged(const std::string& name, std::uint64_t offset, Sequence sequence, const std::string& found) {
  throw CorruptionError(Damage::corrupt_sealed_segment, {name, offset, sequence},
                        found +
                            ". The segment stays as it is. Run daybook verify to see the whole extent, then restore "
                            "the book from a backup.");
}

format::SegmentHeader header_of(SegmentFile& file, Sequence first) {
  const auto header = SegmentReader::read_header(file);
  if (!header) damaged(file.name(), 0, first, header.error().sentence);
  return *header;
}

void require_level(Storage& storage, Sequence last_segment) {
  SegmentFile file = SegmentFile::open(storage, last_segment);
  const std::uint32_t level = header_of(file, last_segment).feature_level;
  if (level >= archives_feature_level || !kept("log.archive.level")) return;
  throw StorageError(
      {file.name(), std::nullopt, std::nullopt}, ENOTSUP,
      "a log of feature level " + std::to_string(level) +
          " keeps its segments as they are, so that the release before can read it; daybook upgrade raises "
          "the level to " +
          std::to_string(archives_feature_level));
}

// What an archive and a stub have in common of the segment.
format::ArchiveHeader begin_header(format::ArchiveKind kind, SegmentFile& segment) {
  format::ArchiveHeader header;
  header.kind = kind;
  header.segment_bytes = segment.size();
  static_cast<void>(segment.read(0, header.segment_header));
  static_cast<void>(segment.read(header.segment_bytes - header.seal.size(), header.seal));
  return header;
}

// Every batch of the segment, up to its seal; damage is told of the file `name`. Returns where the last batch ends.
std::uint64_t walk(SegmentReader& reader, const Candidate& segment, const std::string& name,
                   const std::function<void(const Step&)>& visit) {
  Step step = reader.next();
  for (; step.kind == Step::Kind::batch; step = reader.next()) visit(step);
  if (kept("log.archive.walk_bad") && step.kind == Step::Kind::bad)
    damaged(name, step.bad_offset, reader.cursor().next, step.found);
  if ((kept("log.archive.walk_seal") && step.kind != Step::Kind::seal) ||
      (kept("log.archive.walk_last") && reader.cursor().last() != segment.last) ||
      (kept("log.archive.walk_end") && reader.cursor().offset != reader.file().size())) {
    damaged(name, step.offset, reader.cursor().next,
            "the segment does not end with a seal behind sequence " + std::to_string(segment.last.value()));
  }
  return reader.cursor().batch_end;
}

void each_chunk(LogFile& file, const std::function<void(std::span<const std::byte>)>& visit) {
  std::vector<std::byte> bytes(chunk);
  for (std::uint64_t at = 0;;) {
    const std::size_t read = file.read(at, bytes);
    if (read == 0) return;
    visit(std::span<const std::byte>(bytes).first(read));
    at += read;
  }
}

// A file that is made under its temporary name.
class NewFile {
 public:
  explicit NewFile(Storage& storage) : storage_(storage), file_(create(storage)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void add(std::span<const std::byte> bytes) {
    file_.write(format::archive_header_bytes + body_bytes_, bytes);
    body_bytes_ += bytes.size();
    checksum_ = crc32c(bytes, checksum_);
  }

  /// Durable, and open for reading as the disk has it.
  SegmentFile settle(format::ArchiveHeader header, Sequence first) {
    header.body_bytes = body_bytes_;
    header.body_crc32c = checksum_;
    file_.write(0, format::to_bytes(header));
    if (kept("log.archive.sync")) file_.sync();
    if (kept("log.archive.drop_cache")) file_.drop_cache();
    file_.make_read_only();
    return SegmentFile::open_as(LogFile::open(storage_, archive_temporary, OpenMode::read), first, header.kind);
  }

  /// Takes the place of the files in `replaced`.
  std::uint64_t replace(const std::string& name, const std::vector<std::string>& replaced) {
    rename_file(storage_, archive_temporary, name);
    if (kept("log.archive.sync_folder")) sync_folder(storage_, log_folder);
    for (const std::string& old : replaced) remove_if_exists(storage_, old);
    if (kept("log.archive.sync_removed")) sync_folder(storage_, log_folder);
    return format::archive_header_bytes + body_bytes_;
  }

 private:
  static LogFile create(Storage& storage) {
    remove_if_exists(storage, archive_temporary);
    return LogFile::open(storage, archive_temporary, OpenMode::create);
  }

  Storage& storage_;
  LogFile file_;
  std::uint64_t body_bytes_ = 0;
  std::uint32_t checksum_ = 0;
};

std::optional<SegmentMoved> archive_one(Storage& storage, Sequence until) {
  const LogFiles files = list_log(storage);
  const auto segment = candidate(files, files.plain, until);
  if (!segment) return std::nullopt;
  require_level(storage, files.segments.back());

  const std::string name = segment_name(segment->first);
  SegmentFile source = LogFile::open(storage, name, OpenMode::read);
  const format::SegmentHeader segment_header = header_of(source, segment->first);
  format::ArchiveHeader header = begin_header(format::ArchiveKind::archive, source);
  NewFile archive(storage);
  Sha256 hash;
  Compressor compressor(header.segment_bytes, [&](std::span<const std::byte> bytes) { archive.add(bytes); });
  each_chunk(source.file(), [&](std::span<const std::byte> bytes) {
    hash.add(bytes);
    compressor.add(bytes);
  });
  compressor.finish();
  header.segment_sha256 = hash.take();
  const std::uint64_t bytes_before = header.segment_bytes;
  SegmentReader ends(std::move(source), segment_header);
  ends.skip_before(segment->last.next());
  header.last_batch_end = ends.cursor().batch_end;

  // The segment goes, so it is proved once more, and out of the archive.
  SegmentFile made = archive.settle(header, segment->first);
  if (kept("log.archive.check")) made.check();
  SegmentReader reader(std::move(made), segment_header);
  if (kept("log.archive.walk")) static_cast<void>(walk(reader, *segment, name, [](const Step&) {}));
  const std::string archived = archive_name(segment->first);
  const std::uint64_t bytes_after = archive.replace(archived, {name});
  return SegmentMoved{archived, segment->first, segment->last, bytes_before, bytes_after};
}

std::optional<SegmentMoved> drop_one(Storage& storage, Sequence until) {
  const LogFiles files = list_log(storage);
  std::vector<Sequence> remaining;
  std::set_difference(files.segments.begin(), files.segments.end(), files.dropped.begin(), files.dropped.end(),
                      std::back_inserter(remaining));
  const auto segment = candidate(files, remaining, until);
  if (!segment) return std::nullopt;
  require_level(storage, files.segments.back());

  SegmentFile source = SegmentFile::open(storage, segment->first);
  if (kept("log.archive.check_source")) source.check();
  const std::string name = source.name();
  const std::uint64_t bytes_before = source.file().size();
  const format::SegmentHeader segment_header = header_of(source, segment->first);
  format::ArchiveHeader header = begin_header(format::ArchiveKind::stub, source);
  if (const auto* archived = source.archive_header()) {
    header.segment_sha256 = archived->segment_sha256;
  } else {
    Sha256 hash;
    each_chunk(source.file(), [&](std::span<const std::byte> bytes) { hash.add(bytes); });
    header.segment_sha256 = hash.take();
  }

  NewFile stub(storage);
  SegmentReader reader(std::move(source), segment_header);
  std::vector<std::byte> leaves;
  header.last_batch_end = walk(reader, *segment, name, [&](const Step& step) {
    constexpr std::byte leaf_prefix[] = {std::byte{0}};
    leaves.clear();
    each_message(step.payload, step.header.count,
                 [&](std::span<const std::byte> message) {
                   const Hash leaf = sha256({leaf_prefix, message});
                   const auto bytes = std::as_bytes(std::span(leaf));
                   leaves.insert(leaves.end(), bytes.begin(), bytes.end());
                   return true;
                 },
                 {name, step.offset, step.header.first});
    stub.add(leaves);
  });
  SegmentFile made = stub.settle(header, segment->first);
  if (kept("log.archive.check_stub")) made.check();
  const std::string dropped = stub_name(segment->first);
  const std::uint64_t bytes_after = stub.replace(dropped, {archive_name(segment->first), segment_name(segment->first)});
  return SegmentMoved{dropped, segment->first, segment->last, bytes_before, bytes_after};
}

// What was not finished takes no room until the next opening finds it.
template <class Work>
std::optional<SegmentMoved> tidily(Storage& storage, Work work) {
  try {
    return work();
  } catch (const std::exception&) {
    static_cast<void>(storage.remove(archive_temporary));
    throw;
  }
}

}  // namespace

std::optional<SegmentMoved> archive_next(Storage& storage, Sequence until) {
  return tidily(storage, [&] { return archive_one(storage, until); });
}

std::optional<SegmentMoved> drop_next(Storage& storage, Sequence until) {
  return tidily(storage, [&] { return drop_one(storage, until); });
}

}  // namespace daybook
