// SPDX-License-Identifier: Apache-2.0

#include "sorted_writes.hpp"

#include <algorithm>

namespace daybook {

void SortedWrites::add(std::string_view key, std::string_view value, bool erase) {
  entries_.push_back(
      {bytes_.size(), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size()), erase});
  bytes_.append(key).append(value);
}

void SortedWrites::put(std::string_view key, std::string_view value) {
  add(key, value, false);
}
void SortedWrites::erase(std::string_view key) {
  add(key, {}, true);
}

void SortedWrites::sort() {
  const auto by_key = [this](const Entry& a, const Entry& b) { return key(a) < key(b); };
  if (!std::is_sorted(entries_.begin(), entries_.end(), by_key)) std::sort(entries_.begin(), entries_.end(), by_key);
}

void SortedWrites::carry_out(lmdb::WriteTransaction& transaction, Table table) const {
  for (const Entry& entry : entries_) {
    if (entry.erase) {
      transaction.erase(table, key(entry));
    } else {
      transaction.put(table, key(entry), value(entry));
    }
  }
}

void SortedWrites::append(lmdb::WriteTransaction& transaction, Table table, std::size_t from, std::size_t count) const {
  for (const std::size_t end = std::min(from + count, entries_.size()); from < end; ++from) {
    transaction.append(table, key(entries_[from]), value(entries_[from]));
  }
}

void Writes::sort() {
  for (SortedWrites& table : tables_) table.sort();
}

void Writes::carry_out(lmdb::WriteTransaction& transaction) const {
  for (std::size_t i = 0; i < table_count; ++i) tables_[i].carry_out(transaction, static_cast<Table>(i));
}

}  // namespace daybook
