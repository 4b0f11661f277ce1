// SPDX-License-Identifier: Apache-2.0
#include "staging.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"

// Only names are translated; everything else is the storage's own doing.

namespace daybook {
namespace {

constexpr std::string_view folder_name = "log";
constexpr std::string_view folder_prefix = "log/";
constexpr std::string_view staged_prefix = "unfinished-copy-";

std::string staged(const std::string& name) {
  if (name.rfind(folder_prefix, 0) != 0) return name;
  return std::string(staged_prefix) + name.substr(folder_prefix.size());
}

void check(int error, const std::string& name, const std::string& what) {
  if (error == 0) return;
  throw StorageError(Place{name, std::nullopt, std::nullopt}, error,
                     name + ": cannot " + what + ": " + std::system_category().message(error) +
                         ". The copy is not finished: empty the directory and copy again");
}

}  // namespace

void StagedLog::publish() {
  std::vector<std::string> names;
  check(list(std::string(folder_name), names), "", "list the files of the copy");
  if (kept("replay.publish.files") && names.empty()) check(ENOENT, "", "find the files of the copy");
  check(storage_.make_folder(std::string(folder_name)), std::string(folder_name), "make the folder");
  const std::string first = names.front();  // segments are named by their first sequence
  names.erase(names.begin());
  move(names);
  move({first});
}

void StagedLog::move(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string target = std::string(folder_prefix) + name;
    if (kept("replay.publish.rename"))
      check(storage_.rename(staged(target), target), target, "move the file into its place");
  }
  if (kept("replay.publish.sync_folder")) {
    check(storage_.sync_folder(std::string(folder_name)), std::string(folder_name), "sync the folder");
  }
  if (kept("replay.publish.sync_book")) check(storage_.sync_folder(""), "", "sync the directory");
}

Opened StagedLog::open(const std::string& name, OpenMode mode) {
  return storage_.open(staged(name), mode);
}

int StagedLog::list(const std::string& folder, std::vector<std::string>& names) {
  if (folder != folder_name) return storage_.list(folder, names);
  std::vector<std::string> all;
  if (const int error = storage_.list("", all)) return error;
  names.clear();
  for (const std::string& name : all) {
    if (name.rfind(staged_prefix, 0) == 0) names.push_back(name.substr(staged_prefix.size()));
  }
  return 0;
}

int StagedLog::make_folder(const std::string& folder) {
  return folder == folder_name ? 0 : storage_.make_folder(folder);
}

int StagedLog::rename(const std::string& from, const std::string& to) {
  return storage_.rename(staged(from), staged(to));
}

int StagedLog::remove(const std::string& name) {
  return storage_.remove(staged(name));
}

int StagedLog::sync_folder(const std::string& folder) {
  return storage_.sync_folder(folder == folder_name ? std::string() : folder);
}

int StagedLog::free_bytes(std::uint64_t& bytes) {
  return storage_.free_bytes(bytes);
}

Locked StagedLog::lock(const std::string& purpose) {
  return storage_.lock(purpose);
}

std::string StagedLog::describe(const std::string& name) const {
  return storage_.describe(staged(name));
}

void close_copy(SegmentLog& log, const Storage& out) {
  if (kept("replay.close_copy.writable") && !log.writable()) {
    throw StorageError({"log", std::nullopt, log.tail().sequence}, EIO,
                       out.describe("log") + ": cannot say where the copy ends. Empty the directory and begin anew");
  }
  log.close();
}

}  // namespace daybook
