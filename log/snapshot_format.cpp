// SPDX-License-Identifier: Apache-2.0
#include "snapshot_format.hpp"

#include <bit>
#include <utility>

#include "daybook/core/assert.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "fields.hpp"

namespace daybook::format {
namespace {

constexpr std::string_view snapshot_magic = "DAYBKSNP";
constexpr std::string_view frame_magic = "DFRM";
constexpr std::uint32_t flag_trailer = 1;

template <class Walker, class Point>
void walk_snapshot_header(Walker& walker, Point& point, std::uint32_t& format_version, std::uint32_t& minimum_reader) {
  std::uint32_t zero = 0;
  walker.text(snapshot_magic);          //   0
  walker.u32(format_version);           //   8
  walker.u32(minimum_reader);           //  12
  walker.u32(point.feature_level);      //  16
  walker.u32(point.generation.number);  //  20
  field(walker, point.generation.tag);  //  24
  walker.u32(zero);                     //  28
  walker.raw(point.log_uuid.bytes);     //  32
  field(walker, point.sequence);        //  48
  walker.raw(point.chain);              //  56
  // 88: zeros; 508: checksum
}

template <class Walker, class Header>
void walk_frame_header(Walker& walker, Header& header, std::uint32_t& unknown_flags) {
  walker.text(frame_magic);                                    //   0
  walker.u32(header.payload_bytes);                            //   4
  walker.u64(header.number);                                   //   8
  walker.u64(header.offset);                                   //  16
  field(walker, header.snapshot);                              //  24
  walker.u32(header.records);                                  //  32
  flags(walker, header.trailer, flag_trailer, unknown_flags);  //  36
  walker.u32(header.payload_crc32c);                           //  40
  // 44: zeros; 60: checksum
}

template <class Walker, class Contents>
void walk_trailer(Walker& walker, Contents& trailer, std::uint64_t& leaves, std::uint32_t& hashes,
                  std::uint32_t& others) {
  walker.u64(trailer.counts.names);     //   0
  walker.u64(trailer.counts.settings);  //   8
  walker.u64(trailer.counts.queues);    //  16
  walker.u64(trailer.counts.workers);   //  24
  walker.u64(trailer.counts.requests);  //  32
  walker.u64(trailer.counts.jobs);      //  40
  walker.raw(trailer.state_hash);       //  48
  walker.raw(trailer.content_sha256);   //  80
  walker.u64(leaves);                   // 112
  walker.u32(hashes);                   // 120
  walker.u32(others);                   // 124
  // 128: the hashes
}

constexpr std::size_t snapshot_header_fields = 88;
constexpr std::size_t frame_header_fields = 44;

}  // namespace

std::array<std::byte, snapshot_header_bytes> to_bytes(const SnapshotPoint& point) {
  std::array<std::byte, snapshot_header_bytes> bytes{};
  std::uint32_t format_version = snapshot_version;
  std::uint32_t minimum_reader = snapshot_reader;
  Writer writer(bytes);
  walk_snapshot_header(writer, point, format_version, minimum_reader);
  DAYBOOK_ASSERT(writer.position() == snapshot_header_fields);
  write_checksum(bytes);
  return bytes;
}

std::array<std::byte, frame_header_bytes> to_bytes(const FrameHeader& header) {
  std::array<std::byte, frame_header_bytes> bytes{};
  std::uint32_t unused = 0;
  Writer writer(bytes);
  walk_frame_header(writer, header, unused);
  DAYBOOK_ASSERT(writer.position() == frame_header_fields);
  write_checksum(bytes);
  return bytes;
}

std::vector<std::byte> to_bytes(const Trailer& trailer) {
  const std::vector<Hash>& frontier = trailer.frontier.hashes();
  std::vector<std::byte> bytes(trailer_fixed_bytes + frontier.size() * sizeof(Hash));
  std::uint64_t leaves = trailer.frontier.leaves();
  auto hashes = static_cast<std::uint32_t>(frontier.size());
  Writer writer(bytes);
  auto others = static_cast<std::uint32_t>(trailer.counts.others);
  walk_trailer(writer, trailer, leaves, hashes, others);
  for (const Hash& hash : frontier) writer.raw(hash);
  DAYBOOK_ASSERT(writer.position() == bytes.size());
  return bytes;
}

Parsed<SnapshotPoint> parse_snapshot_header(std::span<const std::byte> bytes) {
  const auto checked =
      intact(bytes, snapshot_header_bytes, snapshot_magic, "snapshot header", kept("log.snapshot_header.checksum"));
  if (!checked) return tl::unexpected<Problem>(checked.error());
  SnapshotPoint point;
  std::uint32_t format_version = 0;
  std::uint32_t minimum_reader = 0;
  Reader from(*checked);
  walk_snapshot_header(from, point, format_version, minimum_reader);
  if (kept("log.snapshot_header.reader") && minimum_reader > snapshot_reader) {
    return newer("snapshot of format version " + std::to_string(format_version) + ", which needs reader " +
                 std::to_string(minimum_reader) + " (this one is " + std::to_string(snapshot_reader) + ")");
  }
  if (kept("log.snapshot_header.feature_level") && point.feature_level > limits::feature_level_highest) {
    return newer("snapshot of a book of feature level " + std::to_string(point.feature_level) +
                 " (this release knows up to " + std::to_string(limits::feature_level_highest) + ")");
  }
  if (kept("log.snapshot_header.sequence") && point.sequence == Sequence()) {
    return problem(Problem::Kind::implausible, "snapshot of sequence 0, expected at least 1");
  }
  return point;
}

Parsed<FrameHeader> parse_frame_header(std::span<const std::byte> bytes) {
  const auto checked =
      intact(bytes, frame_header_bytes, frame_magic, "frame header", kept("log.snapshot_frame.checksum"));
  if (!checked) return tl::unexpected<Problem>(checked.error());
  FrameHeader header;
  std::uint32_t unknown_flags = 0;
  Reader from(*checked);
  walk_frame_header(from, header, unknown_flags);
  const auto reserved =
      checked->subspan(frame_header_fields).first(frame_header_bytes - frame_header_fields - checksum_bytes);
  if (kept("log.snapshot_frame.flags") && unknown_flags != 0)
    return newer("frame header with flags " + hexadecimal(unknown_flags));
  if (kept("log.snapshot_frame.reserved") && !is_blank(reserved))
    return newer("frame header with fields behind byte " + std::to_string(frame_header_fields));
  if ((kept("log.snapshot_frame.multiple") && header.payload_bytes % 8 != 0) ||
      (kept("log.snapshot_frame.empty") && header.payload_bytes == 0)) {
    return problem(Problem::Kind::implausible, "frame of " + std::to_string(header.payload_bytes) +
                                                   " bytes, expected a multiple of 8 that is not 0");
  }
  if (kept("log.snapshot_frame.records") && (header.records == 0) != header.trailer) {
    return problem(Problem::Kind::implausible,
                   header.trailer ? "trailer with records, expected none" : "frame without records");
  }
  return header;
}

Parsed<Trailer> parse_trailer(std::span<const std::byte> bytes) {
  if (kept("log.snapshot_trailer.size") && bytes.size() < trailer_fixed_bytes) {
    return problem(Problem::Kind::implausible, "trailer of " + std::to_string(bytes.size()) +
                                                   " bytes, expected at least " + std::to_string(trailer_fixed_bytes));
  }
  Trailer trailer;
  std::uint64_t leaves = 0;
  std::uint32_t hashes = 0;
  Reader from(bytes);
  std::uint32_t others = 0;
  walk_trailer(from, trailer, leaves, hashes, others);
  trailer.counts.others = others;
  const std::size_t expected = trailer_fixed_bytes + std::size_t{hashes} * sizeof(Hash);
  if ((kept("log.snapshot_trailer.hashes") && hashes != static_cast<std::uint32_t>(std::popcount(leaves))) ||
      (kept("log.snapshot_trailer.bytes") && bytes.size() != expected)) {
    return problem(Problem::Kind::implausible, "trailer of " + std::to_string(bytes.size()) + " bytes with " +
                                                   std::to_string(hashes) + " hashes of a tree of " +
                                                   std::to_string(leaves) + " leaves, expected one for each bit set");
  }
  std::vector<Hash> frontier(hashes);
  for (Hash& hash : frontier) from.raw(hash);
  trailer.frontier = MerkleFrontier(leaves, std::move(frontier));
  return trailer;
}

}  // namespace daybook::format
