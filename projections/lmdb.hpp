// SPDX-License-Identifier: Apache-2.0
#pragma once

// LMDB behind RAII: one environment of one process, one reader that is parked while the writer writes, a map that grows
// by itself. What `get` and cursors show points into the map and is valid until the next `write`: decode it at once.
// Every failure is a StorageError that names the call and the file.

#include <lmdb.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tables.hpp"

namespace daybook::lmdb {

class Environment;

/// Walks one table in key order. Ends with the snapshot it was opened on: keep none across a `write`.
class Cursor {
 public:
  /// At the first entry; at the first one not before `key`; at the next one. False: there is none.
  bool first();
  bool last();
  bool seek(std::string_view key);
  bool next();
  [[nodiscard]] std::string_view key() const;
  [[nodiscard]] std::string_view value() const;

 private:
  friend class Environment;
  struct Close {
    void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
  };
  Cursor(const Environment& environment, MDB_cursor* cursor) : environment_(&environment), cursor_(cursor) {}
  bool move(MDB_cursor_op operation);

  const Environment* environment_;
  std::unique_ptr<MDB_cursor, Close> cursor_;
  MDB_val key_{};
  MDB_val value_{};
};

/// Handed to the body of `Environment::write`. Cheapest when the keys of a table come in order.
class WriteTransaction {
 public:
  void put(Table table, std::string_view key, std::string_view value);
  /// The key must lie behind every key of the table; pages are then filled to the brim.
  void append(Table table, std::string_view key, std::string_view value);
  void erase(Table table, std::string_view key);  // fine when there is none

 private:
  friend class Environment;
  WriteTransaction(Environment& environment, MDB_txn* transaction)
      : environment_(environment), transaction_(transaction) {}
  ~WriteTransaction() { close_cursors(); }
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  MDB_cursor* cursor(Table table);
  void put(Table table, std::string_view key, std::string_view value, unsigned flags);
  void close_cursors();

  Environment& environment_;
  MDB_txn* transaction_;
  std::array<MDB_cursor*, table_count> cursors_{};
};

class Environment {
 public:
  enum class Tables : std::uint8_t { create, must_exist };

  /// `folder`/data.mdb; `shown` is how messages call it. The map starts with at least `map_bytes` of address space.
  Environment(const std::string& folder, std::string shown, std::uint64_t map_bytes, Tables tables);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] std::optional<std::string_view> get(Table table, std::string_view key) const;
  [[nodiscard]] Cursor cursor(Table table) const;

  /// Runs `body` and commits. When the map is full, everything is undone, the map doubled, and `body` runs again:
  /// it must have no other effect than on the transaction.
  void write(const std::function<void(WriteTransaction&)>& body);

  void sync();                                     // everything committed is durable when it returns
  [[nodiscard]] std::uint64_t used_bytes() const;  // of the file; behind it there is nothing
  [[nodiscard]] std::uint64_t map_bytes() const;
  [[nodiscard]] const std::string& shown() const { return shown_; }

  [[noreturn]] void fail(const char* call, int code) const;

 private:
  friend class WriteTransaction;
  struct Close {
    void operator()(MDB_env* environment) const { mdb_env_close(environment); }
  };
  void open_tables(Tables tables);
  bool try_write(const std::function<void(WriteTransaction&)>& body);  // false: the map is full
  void resume_reader();
  void cover_used_bytes();
  void grow();
  [[nodiscard]] MDB_dbi handle(Table table) const { return handles_[static_cast<std::size_t>(table)]; }

  std::string shown_;
  std::unique_ptr<MDB_env, Close> environment_;
  MDB_txn* reader_ = nullptr;  // active except within `write`
  std::array<MDB_dbi, table_count> handles_{};
};

}  // namespace daybook::lmdb
