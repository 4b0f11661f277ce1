// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside MemoryStorage: what the device holds and what the page cache shows, and what becomes of the difference.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/disk_content.hpp"
#include "support/disk_faults.hpp"
#include "support/memory_storage.hpp"

namespace daybook::test {

struct MemoryStorage::Node {
  Content durable;
  Content cached;
  Ranges dirty;                      // written since the last sync
  Ranges stale;                      // count as clean, and yet the device lacks them
  std::vector<std::uint64_t> sizes;  // those it had since the last sync, in order
  std::set<std::uint64_t> bad;       // sectors of the device that cannot be read
  bool read_only = false;
  std::uint64_t number = 0;

  void resize(std::uint64_t size);
  void forget_cache();  // shows what the device holds
  [[nodiscard]] bool settled() const { return dirty.empty() && stale.empty() && sizes.empty(); }
  /// A sector that the cache does not hold and the device cannot read.
  [[nodiscard]] bool unreadable(const Range& range) const;
  /// A write into a part of it would have to read the rest.
  [[nodiscard]] bool unwritable(const Range& range) const;
  void reach_device(const Range& range);  // bytes of the cache
};

struct MemoryStorage::Disk {
  using NodePtr = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePtr>;

  // A change of a folder that the device does not know yet. from empty: creation; to empty: removal.
  struct FolderChange {
    std::string from;
    std::string to;
    NodePtr node;
  };

  mutable std::mutex mutex;
  Entries cached;
  Entries durable;
  std::vector<FolderChange> pending;
  std::set<std::string> folders{""};
  std::set<std::string> new_folders;  // not yet synced into the book's directory
  std::uint64_t life = 0;             // raised by every end: handles of an earlier life are dead
  bool off = false;                   // after a power cut
  std::optional<Cut> cut;             // where
  bool locked = false;

  std::uint64_t last_number = 0;  // of a file
  std::optional<std::uint64_t> free;
  std::size_t transfer_bound = 0;

  // ---- calls ----
  std::array<std::uint64_t, operation_count> call_counts{};
  std::uint64_t call_count = 0;
  struct Planned {
    std::optional<Operation> operation;  // unset: any
    std::uint64_t nth = 0;               // counts down
    int error_number = 0;                // 0: cut the power
    bool for_good = false;
  };
  std::vector<Planned> planned;
  bool fired = false;
  bool planned_syncs_revert = false;

  FaultPlan faults;
  bool faulty = false;  // any probability above zero
  Chance chance;
  FaultCounts counts;
  std::vector<SilentDamage> silent;

  /// Counts the call; answers the errno it has to fail with, or 0.
  int enter(Operation operation, const std::string& name);
  int planned_error(Operation operation, const std::string& name);
  int drawn_error(Operation operation, const std::string& name);
  /// Does it happen here? The caller counts it once it had an effect.
  bool draw(Fault fault, const std::string& name);
  void note(Fault fault) { ++counts[fault]; }
  void note_silent(Fault fault, const std::string& name, const Range& range);

  // ---- files ----
  int read(Node& node, const std::string& name, std::uint64_t offset, std::span<std::byte> into, std::size_t& bytes);
  int write(Node& node, const std::string& name, std::uint64_t offset, std::span<const std::byte> from,
            std::size_t& bytes);
  int sync(Node& node, const std::string& name, Operation operation);
  int truncate(Node& node, std::uint64_t size);
  int allocate(Node& node, std::uint64_t size);

  std::size_t bounded(Fault cut_short, const std::string& name, std::uint64_t bytes);
  void rot(Node& node, const std::string& name, const Range& range);
  void write_back_early(Node& node, const std::string& name, const Range& range);
  void fail_sync(Node& node, bool reverts, bool some_arrive);
  void write_back(Node& node, const std::string& name);
  bool misdirect(Node& node, const std::string& name, const Range& range);
  bool misdirect_to_file(Node& node, const std::string& name, const Range& range);
  bool land(Node& victim, std::uint64_t at, const Content& from, const Range& range);

  // ---- folders ----
  static void carry_out(Entries& entries, const FolderChange& change);
  void change_folder(FolderChange change);
  NodePtr make_node();
  bool grow(std::uint64_t from, std::uint64_t to);  // false: no room
  void give_back(std::uint64_t bytes);

  // ---- ends ----
  void end_life();
  void crash(const CrashPlan& plan);
  std::size_t crash_with(const std::function<bool(std::size_t)>& keep);
  void settle(Node& node, const CrashPlan& plan, Chance& by);
  void settle_sector(Node& node, const Range& part, std::uint64_t sector, unsigned fate, const CrashPlan& plan,
                     Chance& by);

  Node& existing(const std::string& name);
};

inline constexpr std::uint64_t sector_bytes = 512;
[[nodiscard]] std::string folder_of(const std::string& name);

}  // namespace daybook::test
