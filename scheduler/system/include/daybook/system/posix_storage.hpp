// SPDX-License-Identifier: Apache-2.0
#pragma once

// PosixStorage: the Storage port on a directory of a POSIX file system (Linux).
//
//   · The directory is opened once and held; every name is looked up from there, so renaming the directory,
//   or changing
//     the working directory, moves nothing under a running book.
//   · No symbolic link is followed, neither as file nor as folder: such a name answers ELOOP. What is neither
//   a file nor
//     a folder (a pipe, a socket, a device) answers EINVAL, a folder where a file is wanted EISDIR.
//   · Files are made with mode 0600, folders with 0700, whatever the umask. A directory that `open` makes is
//   0700
//     too; one that was there keeps its mode, which is its owner's decision.
//   · All descriptors are close-on-exec.
//   · A call interrupted by a signal is repeated, except syncs: their failures, all of them, are the caller's
//   to judge.
//
// Names are one component, or a folder and a file: "daybook.meta", "log/witness". Any other answers EINVAL.
// Thread-safe; a File may be used by several threads at a time as well.

#include <filesystem>
#include <memory>
#include <string>

#include "daybook/core/ports.hpp"

namespace daybook {

enum class Access : std::uint8_t {
  read_only,   // must exist; whatever would change it answers EROFS
  read_write,  // must exist
  create,      // read-write, and made when it is missing; its parent must exist
};

/// What to do about a directory on a network file system (file_system.hpp) that is to be written to.
enum class OnNetwork : std::uint8_t { refuse, allow };

class PosixStorage final : public Storage {
 public:
  /// Throws StorageError, naming the path and errno: missing, not a directory, a symbolic link, no
  /// permission, read-only, on a network (nothing is made there).
  [[nodiscard]] static std::unique_ptr<PosixStorage> open(const std::filesystem::path& directory, Access access,
                                                          OnNetwork on_network = OnNetwork::refuse);
  ~PosixStorage() override;
  PosixStorage(const PosixStorage&) = delete;
  PosixStorage& operator=(const PosixStorage&) = delete;

  [[nodiscard]] Opened open(const std::string& name, OpenMode mode) override;
  [[nodiscard]] int list(const std::string& folder, std::vector<std::string>& names) override;
  [[nodiscard]] int make_folder(const std::string& folder) override;
  [[nodiscard]] int rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] int remove(const std::string& name) override;
  [[nodiscard]] int sync_folder(const std::string& folder) override;
  [[nodiscard]] int free_bytes(std::uint64_t& bytes) override;  // what an ordinary user may still use
  [[nodiscard]] std::string describe(const std::string& name) const override;

  /// Takes flock on the file "LOCK", which says who holds it, and on the directory itself, so that removing
  /// "LOCK" lets nobody in. A second lock of the same directory in this process is refused too, through
  /// whichever PosixStorage. fork: the lock stays with the process that took it. A child that keeps a copy of
  /// it neither holds nor ends it: destroyed there, it only forgets; the parent's destructor lets go even
  /// while such a child lives. The lock may outlive the storage.
  [[nodiscard]] Locked lock(const std::string& purpose) override;

  /// The name of the network file system that the directory is on; "" for a local one, or when the system does not say.
  [[nodiscard]] std::string network() const;

  /// The directory as an absolute path, as it was when it was opened.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  PosixStorage(std::string path, int directory, bool writable);

  std::string path_;
  int directory_;
  bool writable_;
};

}  // namespace daybook
