// SPDX-License-Identifier: Apache-2.0

// LMDB, reduced to what the index needs. Which data goes where, and when the file may be believed, is decided elsewhere
// (project.cpp, trust.cpp).

#include "lmdb.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"

namespace daybook::lmdb {
namespace {

MDB_val to_value(std::string_view bytes) {
  return MDB_val{bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// Ends the body of a write that found the map full; never leaves this file.
struct MapFull {};

}  // namespace

// ---- Cursor -------------------------------------------------------------------------------------------------------

bool Cursor::move(MDB_cursor_op operation) {
  const int code = mdb_cursor_get(cursor_.get(), &key_, &value_, operation);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) environment_->fail("mdb_cursor_get", code);
  return true;
}

bool Cursor::first() {
  return move(MDB_FIRST);
}
bool Cursor::last() {
  return move(MDB_LAST);
}
bool Cursor::next() {
  return move(MDB_NEXT);
}
bool Cursor::seek(std::string_view key) {
  key_ = to_value(key);
  return move(MDB_SET_RANGE);
}
std::string_view Cursor::key() const {
  return to_view(key_);
}
std::string_view Cursor::value() const {
  return to_view(value_);
}

// ---- WriteTransaction ---------------------------------------------------------------------------------------------

MDB_cursor* WriteTransaction::cursor(Table table) {
  MDB_cursor*& cursor = cursors_[static_cast<std::size_t>(table)];
  if (cursor == nullptr) {
    const int code = mdb_cursor_open(transaction_, environment_.handle(table), &cursor);
    if (code != 0) environment_.fail("mdb_cursor_open", code);
  }
  return cursor;
}

void WriteTransaction::close_cursors() {
  for (MDB_cursor*& cursor : cursors_) {
    if (cursor != nullptr) mdb_cursor_close(std::exchange(cursor, nullptr));
  }
}

void WriteTransaction::put(Table table, std::string_view key, std::string_view value, unsigned flags) {
  MDB_val k = to_value(key);
  MDB_val v = to_value(value);
  const int code = mdb_cursor_put(cursor(table), &k, &v, flags);
  if (code == MDB_MAP_FULL) throw MapFull();
  if (code != 0) environment_.fail("mdb_cursor_put", code);
}

void WriteTransaction::put(Table table, std::string_view key, std::string_view value) {
  put(table, key, value, 0);
}

void WriteTransaction::append(Table table, std::string_view key, std::string_view value) {
  put(table, key, value, MDB_APPEND);
}

void WriteTransaction::erase(Table table, std::string_view key) {
  MDB_val k = to_value(key);
  MDB_val v{};
  int code = mdb_cursor_get(cursor(table), &k, &v, MDB_SET);
  if (code == MDB_NOTFOUND) return;
  if (code != 0) environment_.fail("mdb_cursor_get", code);
  code = mdb_cursor_del(cursor(table), 0);
  if (code == MDB_MAP_FULL) throw MapFull();
  if (code != 0) environment_.fail("mdb_cursor_del", code);
}

// ---- Environment --------------------------------------------------------------------------------------------------

void Environment::fail(const char* call, int code) const {
  // LMDB's own codes are negative; the others are errno values, which StorageError spells out.
  throw StorageError(Place{shown_, {}, {}}, code > 0 ? code : 0,
                     std::string(call) + " failed" + (code < 0 ? std::string(": ") + mdb_strerror(code) : "") +
                         "; the index must be built anew from the log, which is not affected");
}

Environment::Environment(const std::string& folder, std::string shown, std::uint64_t map_bytes, Tables tables)
    : shown_(std::move(shown)) {
  MDB_env* environment = nullptr;
  if (const int code = mdb_env_create(&environment); code != 0) fail("mdb_env_create", code);
  environment_.reset(environment);
  if (const int code = mdb_env_set_maxdbs(environment, table_count); code != 0) fail("mdb_env_set_maxdbs", code);

  struct ::stat found {};
  const std::uint64_t present =
      ::stat((folder + "/data.mdb").c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
  if (const int code = mdb_env_set_mapsize(environment, std::max(map_bytes, 2 * present)); code != 0) {
    fail("mdb_env_set_mapsize", code);
  }
  // The book's lock keeps other processes out, and the one reader is parked while the writer writes, so LMDB's
  // reader table would guard nothing. Durability is the log's: the trust rule makes up for the syncs left out.
  const unsigned flags = MDB_NOLOCK | MDB_NOTLS | MDB_NOSYNC | MDB_NOMETASYNC | MDB_NORDAHEAD;
  if (const int code = mdb_env_open(environment, folder.c_str(), flags, 0600); code != 0) fail("mdb_env_open", code);
  if (kept("projections.data.truncated") && tables == Tables::must_exist && used_bytes() > present) {
    // Reading a page behind the end of the file would kill the process.
    throw StorageError(Place{shown_, {}, {}}, 0,
                       "has " + std::to_string(present) + " bytes, expected at least " + std::to_string(used_bytes()) +
                           "; it was truncated");
  }
  open_tables(tables);
  resume_reader();
}

Environment::~Environment() {
  if (reader_ != nullptr) mdb_txn_abort(reader_);
}

void Environment::open_tables(Tables tables) {
  MDB_txn* transaction = nullptr;
  const bool create = tables == Tables::create;
  if (const int code = mdb_txn_begin(environment_.get(), nullptr, create ? 0 : MDB_RDONLY, &transaction); code != 0) {
    fail("mdb_txn_begin", code);
  }
  for (std::size_t i = 0; i < table_count; ++i) {
    const int code = mdb_dbi_open(transaction, table_names[i], create ? MDB_CREATE : 0, &handles_[i]);
    if (code != 0) {
      mdb_txn_abort(transaction);
      fail("mdb_dbi_open", code);
    }
  }
  if (const int code = mdb_txn_commit(transaction); code != 0) fail("mdb_txn_commit", code);
}

std::optional<std::string_view> Environment::get(Table table, std::string_view key) const {
  MDB_val k = to_value(key);
  MDB_val v{};
  const int code = mdb_get(reader_, handle(table), &k, &v);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) fail("mdb_get", code);
  return to_view(v);
}

Cursor Environment::cursor(Table table) const {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(reader_, handle(table), &cursor); code != 0) fail("mdb_cursor_open", code);
  return Cursor(*this, cursor);
}

void Environment::resume_reader() {
  const int code =
      reader_ == nullptr ? mdb_txn_begin(environment_.get(), nullptr, MDB_RDONLY, &reader_) : mdb_txn_renew(reader_);
  if (code != 0) fail("mdb_txn_renew", code);
}

void Environment::write(const std::function<void(WriteTransaction&)>& body) {
  // Without a reader table LMDB reuses pages that only the reader still sees, so the reader must let go first.
  mdb_txn_reset(reader_);
  while (!try_write(body)) grow();
  cover_used_bytes();
  resume_reader();
}

bool Environment::try_write(const std::function<void(WriteTransaction&)>& body) {
  MDB_txn* raw = nullptr;
  if (const int code = mdb_txn_begin(environment_.get(), nullptr, 0, &raw); code != 0) fail("mdb_txn_begin", code);
  std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> transaction(raw, mdb_txn_abort);
  try {
    WriteTransaction writer(*this, raw);
    body(writer);
  } catch (const MapFull&) {
    return false;
  }
  const int code = mdb_txn_commit(transaction.release());
  if (code == MDB_MAP_FULL) return false;
  if (code != 0) fail("mdb_txn_commit", code);
  return true;
}

void Environment::grow() {
  if (const int code = mdb_env_set_mapsize(environment_.get(), 2 * map_bytes()); code != 0) {
    fail("mdb_env_set_mapsize", code);
  }
}

void Environment::sync() {
  if (!kept("projections.close.sync")) return;
  if (const int code = mdb_env_sync(environment_.get(), 1); code != 0) fail("mdb_env_sync", code);
}

std::uint64_t Environment::used_bytes() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  if (const int code = mdb_env_info(environment_.get(), &info); code != 0) fail("mdb_env_info", code);
  if (const int code = mdb_env_stat(environment_.get(), &stat); code != 0) fail("mdb_env_stat", code);
  return (static_cast<std::uint64_t>(info.me_last_pgno) + 1) * stat.ms_psize;
}

std::uint64_t Environment::map_bytes() const {
  MDB_envinfo info{};
  if (const int code = mdb_env_info(environment_.get(), &info); code != 0) fail("mdb_env_info", code);
  return info.me_mapsize;
}

// LMDB does not write a page that was taken and given back within one transaction, so the file may end before its
// last page. Opening tells a truncated file by its size, and needs the whole of it to be there.
void Environment::cover_used_bytes() {
  int file = -1;
  if (const int code = mdb_env_get_fd(environment_.get(), &file); code != 0) fail("mdb_env_get_fd", code);
  struct ::stat found {};
  if (::fstat(file, &found) != 0) fail("fstat", errno);
  const std::uint64_t used = used_bytes();
  if (static_cast<std::uint64_t>(found.st_size) < used && ::ftruncate(file, static_cast<off_t>(used)) != 0) {
    fail("ftruncate", errno);
  }
}

}  // namespace daybook::lmdb
