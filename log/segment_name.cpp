// SPDX-License-Identifier: Apache-2.0
#include "segment_name.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "daybook/core/error.hpp"

namespace daybook {
namespace {
constexpr std::size_t digits = 20;
constexpr std::string_view suffix = ".seg";
}  // namespace

std::string segment_name(Sequence first) {
  std::string number = std::to_string(first.value());
  number.insert(0, digits - number.size(), '0');
  return std::string(log_folder) + "/" + number + std::string(suffix);
}

std::optional<Sequence> parse_segment_file(std::string_view file) {
  if (file.size() != digits + suffix.size() || !file.ends_with(suffix)) return std::nullopt;
  std::uint64_t first = 0;
  const char* const end = file.data() + digits;
  const auto read = std::from_chars(file.data(), end, first);
  if (read.ec != std::errc() || read.ptr != end || first == 0) return std::nullopt;
  return Sequence(first);
}

LogFiles list_log(Storage& storage) {
  std::vector<std::string> names;
  const int error = storage.list(log_folder, names);
  LogFiles files;
  if (error == ENOENT) return files;
  if (error != 0) {
    throw StorageError({log_folder, std::nullopt, std::nullopt}, error,
                       "cannot list the folder " + storage.describe(log_folder));
  }
  for (const std::string& name : names) {
    const std::string path = std::string(log_folder) + "/" + name;
    if (const auto first = parse_segment_file(name)) files.segments.push_back(*first);
    if (name.ends_with(".tmp")) files.temporaries.push_back(path);
    if (path == witness_name) files.witness = true;
  }
  std::sort(files.segments.begin(), files.segments.end());
  return files;
}

}  // namespace daybook
