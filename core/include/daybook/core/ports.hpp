// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ports: everything that Daybook asks of the outside world. The real ones are in scheduler/system; tests bring their own.
// Storage speaks of one book's directory; names are relative to it, with at most one folder in front ("log/witness").
// Nothing here throws or retries: a failed call returns its errno, and the caller decides.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/ids.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// Bytes moved, or the errno of the failure (then `bytes` is 0). Short counts are legal.
struct IoCount {
  std::size_t bytes = 0;
  int error = 0;
};

/// One open file. Closed by the destructor. Offsets and sizes in bytes. Errors are errno values; 0 is success.
class File {
 public:
  virtual ~File() = default;
  [[nodiscard]] virtual IoCount read_at(std::uint64_t offset, std::span<std::byte> into) = 0;
  [[nodiscard]] virtual IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) = 0;
  [[nodiscard]] virtual int sync_data() = 0;  // fdatasync
  [[nodiscard]] virtual int sync() = 0;       // fsync
  [[nodiscard]] virtual int truncate(std::uint64_t size) = 0;
  [[nodiscard]] virtual int allocate(std::uint64_t size) = 0;  // reserves zeros up to size; ENOSPC when it cannot
  [[nodiscard]] virtual int size(std::uint64_t& bytes) = 0;
  [[nodiscard]] virtual int drop_cache() = 0;  // later reads come from the disk where the system can do that
  [[nodiscard]] virtual int make_read_only() = 0;
};

enum class OpenMode : std::uint8_t {
  read,        // must exist
  read_write,  // must exist
  create,      // read-write, must not exist; mode 0600
};

struct Opened {
  std::unique_ptr<File> file;  // null exactly when error is set
  int error = 0;
};

/// Holds the book's lock until destroyed.
class StorageLock {
 public:
  virtual ~StorageLock() = default;
};

struct Locked {
  std::unique_ptr<StorageLock> lock;  // null when another process, or another handle of this one, holds it
  std::string owner;                  // then: who, for people ("pid 4711 on host x, daybook work, since …"); may be empty
  int error = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;
  [[nodiscard]] virtual Opened open(const std::string& name, OpenMode mode) = 0;  // ELOOP for a symbolic link
  [[nodiscard]] virtual int list(const std::string& folder, std::vector<std::string>& names) = 0;  // sorted, files only
  [[nodiscard]] virtual int make_folder(const std::string& folder) = 0;  // mode 0700; fine when it exists
  [[nodiscard]] virtual int rename(const std::string& from, const std::string& to) = 0;  // replaces
  [[nodiscard]] virtual int remove(const std::string& name) = 0;
  [[nodiscard]] virtual int sync_folder(const std::string& folder) = 0;  // "": the book's directory itself
  [[nodiscard]] virtual int free_bytes(std::uint64_t& bytes) = 0;
  [[nodiscard]] virtual Locked lock(const std::string& purpose) = 0;  // does not wait; `purpose` is shown to others
  [[nodiscard]] virtual std::string describe(const std::string& name) const = 0;  // the full path, for messages
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant wall() = 0;
  [[nodiscard]] virtual BootTime boot() = 0;
  [[nodiscard]] virtual Uuid boot_id() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

/// Lets the thread that drives the timers sleep.
class Waiter {
 public:
  virtual ~Waiter() = default;
  /// Returns when one of the times was reached (wall by the wall clock, even when it is stepped), when `wake` was
  /// called since the last return, or for no reason at all. Unset: not waited for.
  virtual void wait(std::optional<Instant> wall, std::optional<BootTime> boot) = 0;
  virtual void wake() = 0;  // from any thread
};

}  // namespace daybook
