// SPDX-License-Identifier: Apache-2.0
#pragma once

// SegmentFile: a segment's bytes in whatever form they are kept. Offsets and sizes are those of the segment as it was
// written; an archive is decompressed on the way, a stub has only the segment's header and seal.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "archive_format.hpp"
#include "daybook/log/log_reader.hpp"
#include "file_io.hpp"

namespace daybook {

class SegmentFile {
 public:
  /// The segment that begins with `first`. Where an archive or a stub stands beside the fuller form that it was to replace, the
  /// fuller one counts. Throws StorageError when there is none; CorruptionError for a bad header of an archive or a stub.
  [[nodiscard]] static SegmentFile open(Storage& storage, Sequence first);
  [[nodiscard]] static std::optional<SegmentFile> open_if_exists(Storage& storage, Sequence first);
  /// An archive or a stub, under whatever name.
  [[nodiscard]] static SegmentFile open_as(LogFile file, Sequence first, format::ArchiveKind kind);

  SegmentFile(LogFile plain);  // NOLINT(google-explicit-constructor): a plain file is a segment file
  ~SegmentFile();
  SegmentFile(SegmentFile&&) noexcept;
  SegmentFile& operator=(SegmentFile&&) noexcept;

  [[nodiscard]] SegmentForm form() const;
  [[nodiscard]] const std::string& name() const;  // of the file
  [[nodiscard]] LogFile& file();                  // as it is on the disk

  [[nodiscard]] std::uint64_t size();  // of the segment
  /// Fewer bytes than asked for only at the end. An archive's header and seal cost no decompression; reading on goes forward,
  /// and going back begins anew. Throws CorruptionError; DroppedError for more than header and seal of a stub.
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::byte> into);

  /// What an archive or a stub knows of the segment; null for a plain one.
  [[nodiscard]] const format::ArchiveHeader* archive_header() const;

  /// Reads an archive or a stub to its end and compares it with what its header says. Throws CorruptionError.
  void check();
  /// The same, without decompressing: the bytes behind the header against their checksum.
  void check_body();

 private:
  struct Parts;
  explicit SegmentFile(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace daybook
