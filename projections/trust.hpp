// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trust: may the file that was found be read at all? LMDB runs unsynced, and a file that an operating system crash
// caught reads wrong without saying so, so the answer comes from beside it: the file `state`, which says how data.mdb was
// left, under which boot, and which file it was. The rule is in docs/index_format.md. This also keeps the folder private
// and free of symbolic links.

#include <cstdint>
#include <optional>
#include <string>

#include "daybook/core/ids.hpp"
#include "daybook/projections/job_index.hpp"

namespace daybook::trust {

/// data.mdb as the system knows it.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t mount = 0;  // 0: the system does not say
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

enum class Status : std::uint32_t { open = 1, clean = 2 };

struct StateFile {
  Status status{};
  Uuid log_uuid;
  Uuid boot_id;
  FileIdentity file;
  std::uint64_t bytes = 0;  // of data.mdb, when clean
  IndexMark mark;           // of data.mdb, when clean
};

/// The folder of an index, by an open descriptor. Throws StorageError.
class Folder {
 public:
  /// Unset: there is no such folder. Throws for a symbolic link and for what is no folder.
  [[nodiscard]] static std::optional<Folder> find(const std::string& path);
  /// Makes it when it is missing; private in any case.
  [[nodiscard]] static Folder make(const std::string& path);
  ~Folder();
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string shown(const char* name) const;  // "index/data.mdb"

  /// Removes the files of an index, the state first and durably: without it nothing else is believed.
  void clear() const;
  void make_data() const;  // empty; LMDB fills it

  /// Unset: `why` says what is wrong with it.
  [[nodiscard]] std::optional<StateFile> read_state(std::string& why) const;
  void write_state(const StateFile& state) const;  // durable when it returns
  void forget_state() const noexcept;              // durable if the disk goes along; there is no more to do if not

  [[nodiscard]] FileIdentity identify_data() const;
  [[nodiscard]] std::uint64_t data_bytes() const;
  /// Why data.mdb cannot be what the state file speaks of; empty: it may be read.
  [[nodiscard]] std::string distrust(const StateFile& state, const Uuid& boot_id) const;

 private:
  Folder(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  [[noreturn]] void fail(const char* call, const char* name) const;
  int open_file(const char* name, int flags) const;

  std::string path_;
  int descriptor_;
};

}  // namespace daybook::trust
