// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a simulated disk may do to whoever relies on it: the kinds, how likely each is, and how often each happened. A run
// that was meant to meet a kind and never did has shown nothing of it, so the counts are a part of its result.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace daybook::test {

enum class Fault : std::uint8_t {
  // Drawn at single calls, by a FaultPlan.
  io_error,             // a call other than a read, a write or a sync answers EIO
  read_error,           // a read answers EIO, this once
  write_error,          // a write answers EIO; nothing was written
  full,                 // a call that needs room answers ENOSPC
  interrupted,          // EINTR; nothing was done
  short_read,           // fewer bytes than asked for, at least one
  short_write,          // likewise
  sync_keeps,           // a sync fails; the cache keeps the new bytes and takes them for clean, the device got some
  sync_reverts,         // a sync fails; the cache shows what the device has, which may be some of the new bytes
  folder_sync_error,    // the sync of a folder fails; the next one does its work as well
  bad_sector,           // a sector answers EIO from now on, until it is written anew
  flipped_bit,          // one bit of what is read rotted on the device
  misdirected_write,    // a sync succeeds, and a write landed elsewhere in its file
  misdirected_to_file,  // … or in another file
  lost_write,           // a sync succeeds, and a write never landed
  early_write_back,     // no fault: bytes reached the device, unasked, before others were written over them
  // Drawn at a crash, by a CrashPlan.
  sector_kept,
  sector_lost,
  sector_halved,
  sector_garbled,
  size_lost,
  folder_change_kept,
  folder_change_lost,
  // Asked for by a verb.
  power_cut,
  planned_error,
};
inline constexpr std::size_t fault_count = 25;

[[nodiscard]] const char* name_of(Fault fault);

/// How often each kind happened, with an effect.
class FaultCounts {
 public:
  std::uint64_t& operator[](Fault fault) { return counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t operator[](Fault fault) const { return counts_[static_cast<std::size_t>(fault)]; }
  FaultCounts& operator+=(const FaultCounts& other);
  friend bool operator==(const FaultCounts&, const FaultCounts&) = default;

 private:
  std::array<std::uint64_t, fault_count> counts_{};
};
/// A line per kind: its name and its count.
[[nodiscard]] std::string describe(const FaultCounts& counts);

/// The probability of each kind at each call that could meet it, in millionths; and from which seed it is drawn.
struct FaultPlan {
  std::uint64_t seed = 0;
  std::array<std::uint32_t, fault_count> per_million{};
  std::string in;  // only for names that begin so: "log/" or one file; empty: all

  FaultPlan& with(Fault fault, std::uint32_t millionths) {
    per_million[static_cast<std::size_t>(fault)] = millionths;
    return *this;
  }
};

/// Damage that no answer told of when it was done; for a test that judges whether it was found later.
struct SilentDamage {
  Fault fault{};
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// What a crash does to each unsynced 512-byte sector, to sizes and to changes of folders, drawn from `seed`. The rest of the
/// weights is `lost`. Sizes and changes of folders are kept with `kept_percent`.
struct CrashPlan {
  std::uint64_t seed = 0;
  unsigned kept_percent = 50;
  unsigned garbage_percent = 0;
  unsigned halved_percent = 0;  // one part of the sector is new, the other old
  std::uint32_t sector = 512;   // a multiple of 512: what has one fate; 4096 where whole pages are written
  // What garbage may hit: 0: only bytes that were being written, as if the device left the durable part of a sector alone.
  // 512 or 4096: all of such a block, for logs whose commits are aligned to it.
  std::uint32_t garbage_block = 0;
};

/// A stream of pseudo-random numbers: splitmix64 (Steele, Lea, Flood 2014).
class Chance {
 public:
  explicit Chance(std::uint64_t seed = 0) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool percent(unsigned chance) { return next() % 100 < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace daybook::test
