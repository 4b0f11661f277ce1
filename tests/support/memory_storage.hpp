// SPDX-License-Identifier: Apache-2.0
#pragma once

// MemoryStorage: a disk in memory that forgets what was not synced. Per file it keeps what the device holds
// apart from what the page cache shows; creations, renames and removals reach the device only with
// sync_folder. Verbs crash it, damage it, fill it and make single calls fail; a FaultPlan makes any call fail
// by chance. Handles opened before a crash are dead afterwards (EBADF). Copying and crashing cost what was
// touched, not what is stored. Callable from several threads, one call at a time; copies share memory, so that
// they belong to the thread of their original.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/ports.hpp"
#include "support/disk_faults.hpp"

namespace daybook::test {

enum class Operation : std::uint8_t {
  open,
  create,
  read,
  write,
  sync_data,
  sync,
  truncate,
  allocate,
  size,
  drop_cache,
  make_read_only,
  list,
  make_folder,
  rename,
  remove,
  sync_folder,
  free_bytes,
};
inline constexpr std::size_t operation_count = 17;
[[nodiscard]] const char* name_of(Operation operation);

/// Thrown out of the storage call at which the power was cut (`cut_power_at`); every call after it fails
/// until `crash` or `kill`. Not a std::exception, so that nothing catches it by accident.
struct PowerCut {};

class MemoryStorage final : public Storage {
 public:
  MemoryStorage();
  ~MemoryStorage() override;

  /// The same disk, page cache included, with no handle open, no failure planned and nothing counted.
  [[nodiscard]] std::unique_ptr<MemoryStorage> clone() const;

  // ---- ends ----
  void kill();                        // the process dies: what was written stays in the page cache, unsynced
  void crash();                       // power is lost: all that was not synced is gone
  void crash(const CrashPlan& plan);  // power is lost: of what was not synced, some reached the device
  void crash_keeping_all();           // power is lost just after everything reached the device
  /// Power is lost, with fates that the caller chooses: `keep(i)` says whether the i-th of what was not synced (a size, a sector, a
  /// change of a folder) reached the device. Answers how many there were: the same number whatever was chosen.
  std::size_t crash_with(const std::function<bool(std::size_t)>& keep);

  /// What was written to it reaches the device in the system's own time; nobody is told.
  void write_back(const std::string& name);

  // ---- damage; all of it durable at once ----
  void flip_bit(const std::string& name, std::uint64_t bit);     // bit 0 is the lowest of byte 0
  void cut(const std::string& name, std::uint64_t size);         // to its first `size` bytes
  void tear_tail(const std::string& name, std::uint64_t bytes);  // the last non-zero `bytes` become zero
  void remove_durably(const std::string& name);
  void write_durably(const std::string& name, std::vector<std::byte> content);
  void spoil_sector(const std::string& name, std::uint64_t sector);  // 512 bytes that answer EIO until written anew
  [[nodiscard]] std::vector<std::byte> content(const std::string& name) const;  // as the page cache shows it
  /// As the device holds it; unset: the device knows no file of that name.
  [[nodiscard]] std::optional<std::vector<std::byte>> durable_content(const std::string& name) const;
  [[nodiscard]] std::uint64_t file_number(
      const std::string& name) const;  // as an inode's: kept by renames, clones, crashes
  [[nodiscard]] bool has_folder(const std::string& folder) const;
  [[nodiscard]] std::vector<std::string> names() const;  // of all files, sorted
  [[nodiscard]] bool exists(const std::string& name) const;
  [[nodiscard]] bool read_only(const std::string& name) const;

  // ---- failures ----
  void fail_next(Operation operation, int error_number) { fail_at(operation, 1, error_number); }
  void fail_at(Operation operation, std::uint64_t nth, int error_number);  // the nth such call from now, once
  void fail_call(std::uint64_t nth, int error_number);                     // the nth call of any kind from now, once
  void fail_for_good(std::uint64_t nth, int error_number);  // the nth call of any kind from now, and all after it
  void cut_power_at(std::uint64_t nth);                     // the nth call from now throws PowerCut
  /// The call at which the power was cut, until the end of that life.
  struct Cut {
    Operation operation{};
    std::string name;
  };
  [[nodiscard]] std::optional<Cut> cut_at() const;
  [[nodiscard]] bool fired() const;  // did the planned failure or power cut happen?
  /// After a sync that failed as planned the cache shows what the device has; else it keeps the new bytes. Either way they count
  /// as clean, and the next sync succeeds without them.
  void let_failed_syncs_revert(bool revert);
  void set_faults(const FaultPlan& plan);    // by chance, from the next call on; ends of a life do not end it
  void heal();                               // forgets planned failures and the fault plan
  void transfer_at_most(std::size_t bytes);  // reads and writes move no more than this at once; 0: no bound
  void set_free_bytes(std::optional<std::uint64_t> bytes);  // growing files use it up; unset: a large disk

  // ---- counters, since construction ----
  [[nodiscard]] std::uint64_t calls() const;
  [[nodiscard]] std::uint64_t calls(Operation operation) const;
  [[nodiscard]] FaultCounts fault_counts() const;                 // of what took effect
  [[nodiscard]] std::vector<SilentDamage> silent_damage() const;  // in the order it was done
  /// Does the file hold writes that are not synced yet?
  [[nodiscard]] bool dirty(const std::string& name) const;

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
  void plan(std::optional<Operation> operation, std::uint64_t nth, int error_number, bool for_good);

  std::shared_ptr<Disk> disk_;
};

}  // namespace daybook::test
