// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts and erasures of one table, collected in any order and carried out in key order, so that a transaction touches
// each page once. One entry per key; carrying out changes nothing here, so it can be repeated when the map was full.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lmdb.hpp"

namespace daybook {

class SortedWrites {
 public:
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);

  void sort();
  void carry_out(lmdb::WriteTransaction& transaction, Table table) const;  // sorted before
  /// For a table that is filled for the first time: puts `count` entries from the `from`-th on; all before are there.
  void append(lmdb::WriteTransaction& transaction, Table table, std::size_t from, std::size_t count) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::size_t key = 0;  // where it begins in bytes_; the value follows
    std::uint32_t key_bytes = 0;
    std::uint32_t value_bytes = 0;
    bool erase = false;
  };
  [[nodiscard]] std::string_view key(const Entry& entry) const { return {bytes_.data() + entry.key, entry.key_bytes}; }
  [[nodiscard]] std::string_view value(const Entry& entry) const {
    return {bytes_.data() + entry.key + entry.key_bytes, entry.value_bytes};
  }
  void add(std::string_view key, std::string_view value, bool erase);

  std::string bytes_;
  std::vector<Entry> entries_;
};

/// One per table.
class Writes {
 public:
  [[nodiscard]] SortedWrites& operator[](Table table) { return tables_[static_cast<std::size_t>(table)]; }
  void sort();
  void carry_out(lmdb::WriteTransaction& transaction) const;

 private:
  std::array<SortedWrites, table_count> tables_;
};

}  // namespace daybook
