// SPDX-License-Identifier: Apache-2.0
#include "segment_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "segment_name.hpp"
#include "sha256.hpp"
#include "zstd_stream.hpp"

// Forms are tried from the fullest on. Each one is there before the one it replaces goes, so that one pass finds the
// segment, also while another process archives or drops it.

namespace daybook {
namespace {

constexpr std::size_t chunk = 256 * 1024;
constexpr const char* what_to_do =
    ". Nothing was changed. Run daybook verify to see the whole extent, then restore the book from a backup.";

[[noreturn]] void damaged(const std::string& name, std::uint64_t offset, Sequence first, const std::string& found) {
  throw CorruptionError(Damage::corrupt_sealed_segment, {name, offset, first}, found + what_to_do);
}

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

}  // namespace

struct SegmentFile::Parts {
  SegmentForm form = SegmentForm::plain;
  LogFile file;
  Sequence first{};
  std::optional<format::ArchiveHeader> header;
  std::optional<Decompressor> stream;
  std::uint64_t stream_at = 0;      // in the segment
  std::uint64_t compressed_at = 0;  // in the file

  void restart() {
    compressed_at = format::archive_header_bytes;
    stream_at = 0;
    stream.emplace([this](std::span<std::byte> into) {
      const std::size_t bytes = file.read(compressed_at, into);
      compressed_at += bytes;
      return bytes;
    });
  }

  // Exactly the next bytes of the segment.
  void decompress(std::span<std::byte> into) {
    const auto bytes = stream->read(into);
    if (!bytes) damaged(file.name(), format::archive_header_bytes, first, "the archive is damaged: " + bytes.error());
    if (kept("log.archived.ends") && *bytes < into.size()) {
      damaged(file.name(), format::archive_header_bytes, first,
              "the archive ends after " + text(stream_at + *bytes) + " bytes of the segment, expected " +
                  text(header->segment_bytes));
    }
    stream_at += into.size();
  }

  void skip_to(std::uint64_t offset) {
    if (!stream || offset < stream_at) restart();
    std::vector<std::byte> passed(std::min<std::uint64_t>(chunk, offset - stream_at));
    while (stream_at < offset) {
      decompress(std::span(passed).first(std::min<std::uint64_t>(passed.size(), offset - stream_at)));
    }
  }

  std::uint32_t body_checksum() {
    std::vector<std::byte> bytes(chunk);
    std::uint32_t checksum = 0;
    for (std::uint64_t at = format::archive_header_bytes;;) {
      const std::size_t read = file.read(at, bytes);
      if (read == 0) return checksum;
      checksum = crc32c(std::span<const std::byte>(bytes).first(read), checksum);
      at += read;
    }
  }

  Hash hash_of_segment() {
    restart();
    Sha256 hash;
    std::vector<std::byte> bytes(chunk);
    while (stream_at < header->segment_bytes) {
      const auto part =
          std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), header->segment_bytes - stream_at));
      compare_with_kept(part, stream_at);
      hash.add(part);
    }
    if (kept("log.archived.goes_on") && !stream->at_end()) {
      damaged(file.name(), format::archive_header_bytes, first,
              "the archive goes on behind the " + text(header->segment_bytes) + " bytes of the segment");
    }
    return hash.take();
  }

  // Header and seal are kept a second time, outside of the compressed bytes.
  void compare_with_kept(std::span<std::byte> part, std::uint64_t at) {
    decompress(part);
    const auto same = [&](std::span<const std::byte> kept, std::uint64_t begins) {
      const std::uint64_t from = std::max(at, begins);
      const std::uint64_t to = std::min<std::uint64_t>(at + part.size(), begins + kept.size());
      return from >= to || std::memcmp(part.data() + (from - at), kept.data() + (from - begins), to - from) == 0;
    };
    if ((kept("log.archived.header") && !same(header->segment_header, 0)) ||
        (kept("log.archived.seal") && !same(header->seal, header->segment_bytes - header->seal.size()))) {
      damaged(file.name(), format::archive_header_bytes, first,
              "the archive's header keeps another segment header or seal than the segment in it has");
    }
  }
};

SegmentFile::SegmentFile(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SegmentFile::SegmentFile(LogFile plain)
    : parts_(new Parts{SegmentForm::plain, std::move(plain), {}, std::nullopt, std::nullopt, 0, 0}) {}
SegmentFile::~SegmentFile() = default;
SegmentFile::SegmentFile(SegmentFile&&) noexcept = default;
SegmentFile& SegmentFile::operator=(SegmentFile&&) noexcept = default;

namespace {

format::ArchiveHeader read_archive_header(LogFile& file, Sequence first, format::ArchiveKind kind) {
  std::vector<std::byte> bytes(format::archive_header_bytes);
  bytes.resize(file.read(0, bytes));
  const auto header = format::parse_archive_header(bytes, kind);
  if (kept("log.archived.newer") && !header && header.error().kind == format::Problem::Kind::newer) {
    throw CorruptionError(Damage::unknown_format, {file.name(), 0, first},
                          header.error().sentence + ". Nothing was changed.");
  }
  if (!header) damaged(file.name(), 0, first, header.error().sentence);
  const std::uint64_t size = file.size();
  if (kept("log.archived.bytes") && header->body_bytes != size - format::archive_header_bytes) {
    damaged(file.name(), size, first,
            "the file has " + text(size) + " bytes, expected " + text(format::archive_header_bytes) + " and " +
                text(header->body_bytes));
  }
  return *header;
}

// Its sequences are told by the seal, and one leaf hash must be there for each.
void check_leaf_count(const format::ArchiveHeader& header, const std::string& name, Sequence first) {
  const auto seal = format::parse_seal_payload(std::span(header.seal).subspan(format::batch_header_bytes));
  const std::uint64_t leaves = header.body_bytes / format::leaf_bytes;
  if ((kept("log.stub.multiple") && header.body_bytes % format::leaf_bytes != 0) || !seal ||
      (kept("log.stub.leaves") && seal->events != leaves)) {
    damaged(name, format::archive_header_bytes, first,
            "the stub has " + text(header.body_bytes) + " bytes of leaf hashes, expected " + text(format::leaf_bytes) +
                " for each of " + text(seal ? seal->events : 0) + " events");
  }
}

}  // namespace

std::optional<SegmentFile> SegmentFile::open_if_exists(Storage& storage, Sequence first) {
  if (auto file = LogFile::open_if_exists(storage, segment_name(first), OpenMode::read)) {
    return SegmentFile(std::move(*file));
  }
  if (auto file = LogFile::open_if_exists(storage, archive_name(first), OpenMode::read)) {
    return open_as(std::move(*file), first, format::ArchiveKind::archive);
  }
  if (auto file = LogFile::open_if_exists(storage, stub_name(first), OpenMode::read)) {
    return open_as(std::move(*file), first, format::ArchiveKind::stub);
  }
  return std::nullopt;
}

SegmentFile SegmentFile::open_as(LogFile file, Sequence first, format::ArchiveKind kind) {
  auto header = read_archive_header(file, first, kind);
  if (kind == format::ArchiveKind::stub) check_leaf_count(header, file.name(), first);
  const SegmentForm form = kind == format::ArchiveKind::stub ? SegmentForm::dropped : SegmentForm::archived;
  return SegmentFile(std::unique_ptr<Parts>(new Parts{form, std::move(file), first, header, std::nullopt, 0, 0}));
}

SegmentFile SegmentFile::open(Storage& storage, Sequence first) {
  auto file = open_if_exists(storage, first);
  if (!file) return SegmentFile(LogFile::open(storage, segment_name(first), OpenMode::read));  // says what is missing
  return std::move(*file);
}

SegmentForm SegmentFile::form() const {
  return parts_->form;
}

const std::string& SegmentFile::name() const {
  return parts_->file.name();
}

LogFile& SegmentFile::file() {
  return parts_->file;
}

const format::ArchiveHeader* SegmentFile::archive_header() const {
  return parts_->header ? &*parts_->header : nullptr;
}

std::uint64_t SegmentFile::size() {
  return parts_->header ? parts_->header->segment_bytes : parts_->file.size();
}

std::size_t SegmentFile::read(std::uint64_t offset, std::span<std::byte> into) {
  if (!parts_->header) return parts_->file.read(offset, into);
  const format::ArchiveHeader& header = *parts_->header;
  if (offset >= header.segment_bytes) return 0;
  into = into.first(std::min<std::uint64_t>(into.size(), header.segment_bytes - offset));
  const std::uint64_t seal_at = header.segment_bytes - header.seal.size();
  if (offset + into.size() <= header.segment_header.size()) {
    std::memcpy(into.data(), header.segment_header.data() + offset, into.size());
  } else if (offset >= seal_at) {
    std::memcpy(into.data(), header.seal.data() + (offset - seal_at), into.size());
  } else if (parts_->form == SegmentForm::dropped) {
    const auto seal = format::parse_seal_payload(std::span(header.seal).subspan(format::batch_header_bytes));
    throw DroppedError(parts_->first, seal ? seal->last : parts_->first);
  } else {
    parts_->skip_to(offset);
    parts_->decompress(into);
  }
  return into.size();
}

void SegmentFile::check_body() {
  if (!parts_->header) return;
  const format::ArchiveHeader& header = *parts_->header;
  const std::uint32_t checksum = parts_->body_checksum();
  if (kept("log.archived.body_checksum") && checksum != header.body_crc32c) {
    damaged(name(), format::archive_header_bytes, parts_->first,
            "checksum behind the header: its bytes give " + text(checksum) + ", expected " + text(header.body_crc32c));
  }
}

void SegmentFile::check() {
  check_body();
  if (kept("log.archived.hash") && form() == SegmentForm::archived &&
      parts_->hash_of_segment() != parts_->header->segment_sha256) {
    damaged(name(), format::archive_header_bytes, parts_->first,
            "the segment in the archive has another SHA-256 than it had when it was archived");
  }
}

}  // namespace daybook
