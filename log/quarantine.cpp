// SPDX-License-Identifier: Apache-2.0
#include "quarantine.hpp"

#include <algorithm>
#include <charconv>

#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "file_io.hpp"
#include "segment_name.hpp"
#include "segment_reader.hpp"
#include "sha256.hpp"

namespace daybook {
namespace {

constexpr std::string_view suffix = ".cut";
constexpr std::size_t sequence_digits = 20;
constexpr std::size_t whole_hash_digits = 64;

// "00000000000000000001-8432-": what all cuts at this place begin with.
std::string prefix_of(Sequence segment, std::uint64_t offset) {
  std::string number = std::to_string(segment.value());
  number.insert(0, sequence_digits - number.size(), '0');
  return number + "-" + std::to_string(offset) + "-";
}

std::string path_of(const std::string& name) {
  return std::string(quarantine_folder) + "/" + name;
}

/// The number that `text` begins with; moves behind it and the dash.
std::uint64_t take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto taken = static_cast<std::size_t>(read.ptr - text.data());
  text.remove_prefix(std::min(text.size(), taken + 1));
  return number;
}

struct Kept {
  std::string name;
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Oldest first: cuts are only ever made at the end of the log.
std::vector<Kept> list_kept(Storage& storage) {
  std::vector<std::string> names;
  std::vector<Kept> all;
  if (storage.list(quarantine_folder, names) != 0) return all;
  for (const std::string& name : names) {
    if (!name.ends_with(suffix)) continue;
    std::string_view rest = name;
    Kept kept{.name = name};
    kept.segment = take_number(rest);
    kept.offset = take_number(rest);
    kept.bytes = LogFile::open(storage, path_of(name), OpenMode::read).size();
    all.push_back(std::move(kept));
  }
  std::stable_sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) {
    return std::pair(a.segment, a.offset) < std::pair(b.segment, b.offset);
  });
  return all;
}

void stay_bounded(Storage& storage, const std::string& newest, std::vector<std::string>& removed) {
  const std::vector<Kept> all = list_kept(storage);
  std::size_t files = all.size();
  std::uint64_t bytes = 0;
  for (const Kept& kept : all) bytes += kept.bytes;
  for (const Kept& kept : all) {
    if (files <= limits::quarantine_files_max && bytes <= limits::quarantine_bytes_max) break;
    if (path_of(kept.name) == newest) continue;
    remove_if_exists(storage, path_of(kept.name));
    removed.push_back(path_of(kept.name));
    --files;
    bytes -= kept.bytes;
  }
}

std::optional<Hash> parse_hash(std::string_view digits) {
  Hash hash{};
  if (digits.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const char* const at = digits.data() + 2 * i;
    const auto read = std::from_chars(at, at + 2, hash[i], 16);
    if (read.ec != std::errc() || read.ptr != at + 2) return std::nullopt;
  }
  return hash;
}

void write_cut(Storage& storage, const std::string& name, std::span<const std::byte> bytes, bool whole) {
  LogFile copy = LogFile::open(storage, name, OpenMode::create);
  if (whole) {
    copy.write(0, bytes);
  } else {
    constexpr std::size_t half = limits::quarantine_cut_bytes_max / 2;
    copy.write(0, bytes.first(half));
    copy.write(half, bytes.last(half));
  }
  if (kept("log.quarantine.sync")) copy.sync();
}

}  // namespace

Cut put_in_quarantine(Storage& storage, Sequence segment, std::uint64_t offset, std::span<const std::byte> bytes,
                      std::vector<std::string>& removed) {
  Cut cut{.file = {}, .bytes = bytes.size(), .sha256 = sha256(bytes)};
  const std::string hash = to_hexadecimal(cut.sha256);
  const bool whole = bytes.size() <= limits::quarantine_cut_bytes_max;
  // The name of a part says what cannot be told from the part: the hash and the size of the whole.
  cut.file = path_of(prefix_of(segment, offset) +
                     (whole ? hash.substr(0, 16) : hash + "-" + std::to_string(bytes.size())) + std::string(suffix));
  make_folder(storage, quarantine_folder);
  if (kept("log.quarantine.sync_book")) sync_folder(storage, "");
  remove_if_exists(storage, cut.file);
  try {
    write_cut(storage, cut.file, bytes, whole);
  } catch (const StorageError&) {
    remove_if_exists(storage, cut.file);  // a part of it would pass for evidence
    throw;
  }
  stay_bounded(storage, cut.file, removed);
  if (kept("log.quarantine.sync_folder")) sync_folder(storage, quarantine_folder);
  return cut;
}

std::optional<Cut> find_in_quarantine(Storage& storage, Sequence segment, std::uint64_t offset) {
  std::vector<std::string> names;
  if (storage.list(quarantine_folder, names) != 0) return std::nullopt;
  const std::string prefix = prefix_of(segment, offset);
  std::optional<Cut> found;
  for (const std::string& name : names) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    std::string_view rest = std::string_view(name).substr(prefix.size());
    rest.remove_suffix(suffix.size());
    const auto dash = rest.find('-');
    const auto whole_hash = parse_hash(rest.substr(0, dash));
    if (dash == whole_hash_digits && whole_hash) {
      rest.remove_prefix(dash + 1);
      found = Cut{path_of(name), take_number(rest), *whole_hash};
      continue;
    }
    LogFile file = LogFile::open(storage, path_of(name), OpenMode::read);
    std::vector<std::byte> bytes(file.size());
    bytes.resize(file.read(0, bytes));
    found = Cut{path_of(name), bytes.size(), sha256(bytes)};
  }
  return found;
}

}  // namespace daybook
