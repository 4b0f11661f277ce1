// SPDX-License-Identifier: Apache-2.0
#include "file_io.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"

namespace daybook {
namespace {

bool no_room(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

[[noreturn]] void fail_on(Storage& storage, const std::string& name, const std::string& doing, int error) {
  throw StorageError({name, std::nullopt, std::nullopt}, error, doing + " " + storage.describe(name));
}

template <class Call>
int again_when_interrupted(const Call& call) {
  int error = call();
  while (error == EINTR) error = call();
  return error;
}

}  // namespace

LogFile::LogFile(Storage& storage, std::string name, std::unique_ptr<File> file)
    : storage_(&storage), name_(std::move(name)), file_(std::move(file)) {}

LogFile LogFile::open(Storage& storage, const std::string& name, OpenMode mode) {
  auto file = open_if_exists(storage, name, mode);
  if (!file) fail_on(storage, name, "cannot open", ENOENT);
  return std::move(*file);
}

std::optional<LogFile> LogFile::open_if_exists(Storage& storage, const std::string& name, OpenMode mode) {
  Opened opened;
  do {
    opened = storage.open(name, mode);
  } while (opened.error == EINTR);
  if (opened.error == ENOENT && mode != OpenMode::create) return std::nullopt;
  if (opened.error != 0) {
    fail_on(storage, name, mode == OpenMode::create ? "cannot create" : "cannot open", opened.error);
  }
  return LogFile(storage, name, std::move(opened.file));
}

void LogFile::fail(const std::string& doing, int error, std::optional<std::uint64_t> offset) const {
  throw StorageError({name_, offset, std::nullopt}, error, doing + " " + storage_->describe(name_));
}

std::size_t LogFile::read(std::uint64_t offset, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const IoCount count = file_->read_at(offset + done, into.subspan(done));
    if (count.error == EINTR) continue;
    if (count.error != 0) fail("cannot read from", count.error, offset + done);
    if (count.bytes == 0) break;
    done += count.bytes;
  }
  return done;
}

void LogFile::write(std::uint64_t offset, std::span<const std::byte> from) {
  std::size_t done = 0;
  while (done < from.size()) {
    const IoCount count = file_->write_at(offset + done, from.subspan(done));
    if (count.error == EINTR) continue;
    if (count.error != 0) fail("cannot write to", count.error, offset + done);
    if (count.bytes == 0) fail("no byte could be written to", EIO, offset + done);
    done += count.bytes;
  }
}

void LogFile::sync_data() {
  if (const int error = file_->sync_data(); error != 0 && kept("log.file.sync_data_failed")) fail("cannot sync", error);
}

void LogFile::sync() {
  if (const int error = file_->sync(); error != 0 && kept("log.file.sync_failed")) fail("cannot sync", error);
}

void LogFile::truncate(std::uint64_t size) {
  const int error = again_when_interrupted([&] { return file_->truncate(size); });
  if (error != 0) fail("cannot cut to " + std::to_string(size) + " bytes:", error);
}

std::uint64_t LogFile::size() {
  std::uint64_t bytes = 0;
  const int error = again_when_interrupted([&] { return file_->size(bytes); });
  if (error != 0) fail("cannot tell the size of", error);
  return bytes;
}

void LogFile::make_read_only() {
  const int error = again_when_interrupted([&] { return file_->make_read_only(); });
  if (error != 0) fail("cannot make read-only:", error);
}

void LogFile::drop_cache() {
  const int error = again_when_interrupted([&] { return file_->drop_cache(); });
  if (error != 0) fail("cannot drop the cache of", error);
}

bool LogFile::allocate(std::uint64_t size) {
  const int error = again_when_interrupted([&] { return file_->allocate(size); });
  if (error == 0) return true;
  if (no_room(error)) return false;
  if (error == EOPNOTSUPP || error == ENOSYS || error == EINVAL) return fill_with_zeros(size);
  fail("cannot reserve " + std::to_string(size) + " bytes for", error);
}

bool LogFile::fill_with_zeros(std::uint64_t size) {
  static constexpr std::array<std::byte, 65536> zeros{};
  try {
    for (std::uint64_t at = this->size(); at < size;) {
      const auto part = std::span(zeros).first(std::min<std::uint64_t>(zeros.size(), size - at));
      write(at, part);
      at += part.size();
    }
  } catch (const StorageError& error) {
    if (no_room(error.error_number())) return false;
    throw;
  }
  return true;
}

void make_folder(Storage& storage, const std::string& folder) {
  const int error = again_when_interrupted([&] { return storage.make_folder(folder); });
  if (error != 0) fail_on(storage, folder, "cannot make the folder", error);
}

void rename_file(Storage& storage, const std::string& from, const std::string& to) {
  const int error = again_when_interrupted([&] { return storage.rename(from, to); });
  if (error != 0) fail_on(storage, from, "cannot rename to " + to + ":", error);
}

void remove_if_exists(Storage& storage, const std::string& name) {
  const int error = again_when_interrupted([&] { return storage.remove(name); });
  if (error != 0 && error != ENOENT) fail_on(storage, name, "cannot remove", error);
}

void sync_folder(Storage& storage, const std::string& folder) {
  if (const int error = storage.sync_folder(folder); error != 0 && kept("log.file.sync_folder_failed"))
    fail_on(storage, folder, "cannot sync the folder", error);
}

}  // namespace daybook
