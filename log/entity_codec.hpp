// SPDX-License-Identifier: Apache-2.0
#pragma once

// One entity as stored bytes and back (schema and its rules: entity.capnp). Equal entities are equal bytes. Cap'n Proto stays behind
// this header.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>

#include "daybook/core/entities.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/recurring.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {

/// Numbers on disk, and the order of records in a snapshot.
enum class EntityType : std::uint16_t {
  book = 1,
  name = 2,
  setting = 3,
  queue = 4,
  worker = 5,
  request = 6,
  job = 7,
  group = 8,
  hold = 9,
  recurring = 10
};

/// In the order of the types.
using Entity = std::variant<Book, Name, Setting, Queue, Worker, RequestRecord, Job, Group, Hold, Recurring>;

[[nodiscard]] inline EntityType type_of(const Entity& entity) {
  return static_cast<EntityType>(entity.index() + 1);
}

struct StoredEntity {
  EntityType type{};
  std::uint16_t revision = 0;
  std::span<const std::byte> message;  // a multiple of 8 bytes
};

/// Keeps its memory from one entity to the next. Not thread-safe.
class EntityEncoder {
 public:
  EntityEncoder();
  ~EntityEncoder();

  /// What is returned is good until the next call.
  StoredEntity encode(const Book& book);
  StoredEntity encode(const Name& name);
  StoredEntity encode(const Setting& setting);
  StoredEntity encode(const Queue& queue);
  StoredEntity encode(const Worker& worker);
  StoredEntity encode(const RequestRecord& request);
  StoredEntity encode(const Job& job);
  StoredEntity encode(const Group& group);
  StoredEntity encode(const Hold& hold);
  StoredEntity encode(const Recurring& recurring);
  StoredEntity encode(const Entity& entity);

 private:
  struct Memory;
  template <class Wire, class Ours>
  StoredEntity encode_as(EntityType type, const Ours& entity);
  std::unique_ptr<Memory> memory_;
};

/// `where` is for error texts. Throws CorruptionError: `unknown_format` for a type or a revision that this release does not know,
/// `foreign` for bytes that are no entity.
[[nodiscard]] Entity decode_entity(const StoredEntity& stored, const Place& where);

/// What an entity adds to the state hash: SHA-256 over its type, two bytes, and its message.
[[nodiscard]] Hash entity_hash(const StoredEntity& stored);

/// A sum modulo 2^256 of hashes read as little-endian numbers: the same in whatever order they come.
class HashSum {
 public:
  void add(const Hash& hash);
  void subtract(const Hash& hash);
  [[nodiscard]] Hash value() const;

 private:
  std::uint64_t words_[4] = {};
};

}  // namespace daybook
