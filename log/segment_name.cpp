// SPDX-License-Identifier: Apache-2.0
#include "segment_name.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <set>

#include "daybook/core/error.hpp"

namespace daybook {
namespace {

constexpr std::size_t digits = 20;
constexpr std::string_view segment_suffix = ".seg";
constexpr std::string_view archive_suffix = ".seg.zst";
constexpr std::string_view stub_suffix = ".stub";

std::string name_of(Sequence first, std::string_view suffix) {
  std::string number = std::to_string(first.value());
  number.insert(0, digits - number.size(), '0');
  return std::string(log_folder) + "/" + number + std::string(suffix);
}

std::optional<Sequence> parse(std::string_view file, std::string_view suffix) {
  if (file.size() != digits + suffix.size() || !file.ends_with(suffix)) return std::nullopt;
  std::uint64_t first = 0;
  const char* const end = file.data() + digits;
  const auto read = std::from_chars(file.data(), end, first);
  if (read.ec != std::errc() || read.ptr != end || first == 0) return std::nullopt;
  return Sequence(first);
}

// A folder that changes while it is listed may show neither the file that goes nor the one that came before it went. The one
// that came is there for the second look.
std::set<std::string> names_in_log(Storage& storage) {
  std::set<std::string> all;
  for (int look = 0; look < 2; ++look) {
    std::vector<std::string> names;
    const int error = storage.list(log_folder, names);
    if (error == ENOENT) return all;
    if (error != 0) {
      throw StorageError({log_folder, std::nullopt, std::nullopt}, error,
                         "cannot list the folder " + storage.describe(log_folder));
    }
    all.insert(names.begin(), names.end());
  }
  return all;
}

}  // namespace

std::string segment_name(Sequence first) {
  return name_of(first, segment_suffix);
}

std::string archive_name(Sequence first) {
  return name_of(first, archive_suffix);
}

std::string stub_name(Sequence first) {
  return name_of(first, stub_suffix);
}

std::optional<Sequence> parse_segment_file(std::string_view file) {
  return parse(file, segment_suffix);
}

Sequence LogFiles::first_readable() const {
  const Sequence none(UINT64_MAX);
  const Sequence first = std::min(plain.empty() ? none : plain.front(), archived.empty() ? none : archived.front());
  return first == none ? Sequence() : first;
}

LogFiles list_log(Storage& storage) {
  LogFiles files;
  std::map<Sequence, std::vector<Sequence> LogFiles::*> forms;
  const std::set<std::string> names = names_in_log(storage);
  const auto take = [&](std::string_view suffix, std::vector<Sequence> LogFiles::*form) {
    for (const std::string& name : names) {
      const auto first = parse(name, suffix);
      if (first && !forms.emplace(*first, form).second) {
        files.temporaries.push_back(std::string(log_folder) + "/" + name);
      }
    }
  };
  take(segment_suffix, &LogFiles::plain);
  take(archive_suffix, &LogFiles::archived);
  take(stub_suffix, &LogFiles::dropped);
  for (const auto& [first, form] : forms) {
    files.segments.push_back(first);
    (files.*form).push_back(first);
  }
  for (const std::string& name : names) {
    const std::string path = std::string(log_folder) + "/" + name;
    if (name.ends_with(".tmp")) files.temporaries.push_back(path);
    if (path == witness_name) files.witness = true;
  }
  return files;
}

}  // namespace daybook
