// SPDX-License-Identifier: Apache-2.0
#pragma once

// MemoryStorage: the Storage of a book without a disk. Nothing survives the object; a book that is closed and opened again on the same one
// finds what it left, as on a disk. It is a disk that loses nothing: what a loss of power does to bytes that were written and not
// synced is not simulated. A copy is what the files are at that moment, unlocked: opening a book on the copy of a living book's storage
// shows what a killed process leaves.
//
// Thread-safe, copying included. Must outlive the books on it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/ports.hpp"

namespace daybook::testing {

class MemoryStorage final : public Storage {
 public:
  MemoryStorage();
  ~MemoryStorage() override;
  MemoryStorage(const MemoryStorage& other);
  MemoryStorage& operator=(const MemoryStorage&) = delete;

  /// How many bytes files may still grow: then a book refuses new jobs with storage_full. Unset: without end.
  void set_free_bytes(std::optional<std::uint64_t> bytes);
  /// From here on writes and syncs fail with this errno (EIO, say), so that the book throws StorageError; 0: they work again, for a book
  /// that is opened anew.
  void fail_writes(int error);
  [[nodiscard]] std::uint64_t bytes() const;  // in all files

  // ---- Storage ----
  [[nodiscard]] Opened open(const std::string& name, OpenMode mode) override;
  [[nodiscard]] int list(const std::string& folder, std::vector<std::string>& names) override;
  [[nodiscard]] int make_folder(const std::string& folder) override;
  [[nodiscard]] int rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] int remove(const std::string& name) override;
  [[nodiscard]] int sync_folder(const std::string& folder) override;
  [[nodiscard]] int free_bytes(std::uint64_t& bytes) override;
  [[nodiscard]] Locked lock(const std::string& purpose) override;
  [[nodiscard]] std::string describe(const std::string& name) const override;

 private:
  struct Node;
  struct Disk;
  class Handle;
  class Lock;

  std::shared_ptr<Disk> disk_;  // handles and locks may outlive the storage
};

}  // namespace daybook::testing
