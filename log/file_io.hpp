// SPDX-License-Identifier: Apache-2.0
#pragma once

// LogFile: one file behind the Storage port, with short counts and EINTR taken care of, and every other failure a
// StorageError that names file, offset and errno. A failed sync is never repeated.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "daybook/core/ports.hpp"

namespace daybook {

class LogFile {
 public:
  [[nodiscard]] static LogFile open(Storage& storage, const std::string& name, OpenMode mode);
  /// Nothing when there is no such file.
  [[nodiscard]] static std::optional<LogFile> open_if_exists(Storage& storage, const std::string& name, OpenMode mode);

  [[nodiscard]] const std::string& name() const { return name_; }
  void renamed(std::string name) { name_ = std::move(name); }

  /// Fewer bytes than asked for only at the end of the file.
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::byte> into);
  void write(std::uint64_t offset, std::span<const std::byte> from);
  void sync_data();
  void sync();
  void truncate(std::uint64_t size);
  [[nodiscard]] std::uint64_t size();
  void make_read_only();
  void drop_cache();  // later reads come from the disk, where the system can do that

  /// Reserves zeros up to `size`; writes them where the system cannot reserve. False: no room.
  [[nodiscard]] bool allocate(std::uint64_t size);

 private:
  LogFile(Storage& storage, std::string name, std::unique_ptr<File> file);
  [[noreturn]] void fail(const std::string& doing, int error, std::optional<std::uint64_t> offset = std::nullopt) const;
  [[nodiscard]] bool fill_with_zeros(std::uint64_t size);

  Storage* storage_;
  std::string name_;
  std::unique_ptr<File> file_;
};

/// The same for calls on folders.
void make_folder(Storage& storage, const std::string& folder);
void rename_file(Storage& storage, const std::string& from, const std::string& to);
void remove_if_exists(Storage& storage, const std::string& name);
void sync_folder(Storage& storage, const std::string& folder);

}  // namespace daybook
