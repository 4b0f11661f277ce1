// SPDX-License-Identifier: Apache-2.0
#include "surroundings.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

namespace daybook::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kFolders = {"LOCK", "index", "log", "quarantine", "snapshots"};
constexpr std::array<std::string_view, 4> kLogEndings = {".seg", ".seg.zst", ".stub", ".tmp"};

bool known(const fs::path& path) {
  const std::string name = path.string();
  if (!path.has_parent_path()) return std::find(kFolders.begin(), kFolders.end(), name) != kFolders.end();
  if (path.parent_path() == "quarantine") return name.ends_with(".cut");
  if (path.parent_path() != "log") return true;
  return name == "log/witness" || std::any_of(kLogEndings.begin(), kLogEndings.end(),
                                              [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

Surroundings look_around(const std::string& directory) {
  Surroundings found;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
    const fs::path path = entry.path().lexically_relative(directory);
    const fs::file_status status = entry.symlink_status(error);
    if (!known(path)) found.oddities.push_back(path.string() + " is no file of a daybook");
    if (fs::is_symlink(status)) {
      found.oddities.push_back(path.string() + " is a symbolic link, and never followed");
      continue;
    }
    constexpr fs::perms others = fs::perms::group_all | fs::perms::others_all;
    if ((status.permissions() & others) != fs::perms::none) {
      found.oddities.push_back(path.string() + " is open to other users");
    }
    if (!fs::is_regular_file(status)) continue;
    const std::uint64_t bytes = entry.file_size(error);
    if (path.parent_path() == "log") found.log_bytes += bytes;
    if (path.parent_path() == "quarantine") found.quarantine.emplace_back(path.string(), bytes);
  }
  std::sort(found.quarantine.begin(), found.quarantine.end());
  std::sort(found.oddities.begin(), found.oddities.end());
  return found;
}

}  // namespace daybook::cli
