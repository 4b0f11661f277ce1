// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes of which records are made. Numbers that are small in practice take as few bytes as they need (LEB128); times
// and ids of 128 bits stand as they are.

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "daybook/core/entities.hpp"
#include "daybook/core/envelope.hpp"
#include "daybook/core/job.hpp"

namespace daybook::record {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) { out_.clear(); }

  void u8(std::uint8_t number) { out_.push_back(static_cast<char>(number)); }
  void small(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) u8(static_cast<std::uint8_t>(number | 0x80));
    u8(static_cast<std::uint8_t>(number));
  }
  void signed_small(std::int64_t number) {  // zigzag: small of either sign takes few bytes
    small(static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63));
  }
  void fixed(std::uint64_t number) { out_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void text(std::string_view text) {
    small(text.size());
    out_.append(text);
  }
  template <class Array>
  void raw(const Array& bytes) {
    out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  template <class TimePoint>
  void time(TimePoint time) {
    fixed(static_cast<std::uint64_t>(time.time_since_epoch().count()));
  }
  void duration(Duration duration) { signed_small(duration.count()); }
  template <class Enum>
  void choice(Enum value) {
    small(static_cast<std::uint64_t>(value));
  }
  template <class Tag, class Rep>
  void strong(Strong<Tag, Rep> value) {
    if constexpr (std::is_signed_v<Rep>) {
      signed_small(value.value());
    } else {
      small(value.value());
    }
  }
  void token(const Token& token) {
    strong(token.claim);
    strong(token.generation);
  }
  void bucket(const std::optional<Bucket>& bucket) {
    u8(bucket ? 1 : 0);
    if (!bucket) return;
    signed_small(bucket->level);
    time(bucket->at);
  }
  void dependencies(const Dependencies& dependencies) {
    small(dependencies.parents.size());
    if (dependencies.parents.empty()) return;
    for (const JobId& parent : dependencies.parents) {
      strong(parent.sequence);
      strong(parent.generation);
    }
    choice(dependencies.run_when);
    choice(dependencies.otherwise);
    u8(dependencies.on_dead ? 1 : 0);
  }
  void on_dead(const std::optional<OnDead>& on_dead) {
    u8(on_dead ? 1 : 0);
    if (!on_dead) return;
    strong(on_dead->kind);
    strong(on_dead->queue);
  }
  void envelope(const Envelope& envelope) {
    u8(envelope.empty() ? 0 : 1);
    if (envelope.empty()) return;
    const Envelope::Contents& contents = envelope.contents();
    small(contents.codec);
    text(contents.subject);
    small(contents.key_id);
    text(contents.nonce);
    text(contents.bytes);
  }
  void due(const Due& due) {
    time(due.at);
    u8(due.after ? 1 : 0);
    if (due.after) time(*due.after);
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool whole() const { return good_ && bytes_.empty(); }
  /// How many elements may still follow: each takes at least a byte.
  [[nodiscard]] std::size_t count() {
    const std::uint64_t count = small();
    return count <= bytes_.size() ? static_cast<std::size_t>(count) : bad();
  }

  std::uint8_t u8() {
    if (bytes_.empty()) return static_cast<std::uint8_t>(bad());
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  bool flag() {
    const std::uint8_t byte = u8();
    if (byte > 1) bad();
    return byte == 1;
  }
  std::uint64_t small() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return number;
    }
    return bad();
  }
  template <class Unsigned>
  void small(Unsigned& into) {
    const std::uint64_t number = small();
    into = static_cast<Unsigned>(number);
    if (into != number) bad();
  }
  std::int64_t signed_small() {
    const std::uint64_t number = small();
    return static_cast<std::int64_t>(number >> 1 ^ (~(number & 1) + 1));
  }
  std::uint64_t fixed() {
    std::uint64_t number = 0;
    take(&number, sizeof number);
    return number;
  }
  void text(std::string& into) {
    const std::size_t size = count();
    into.assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
  }
  template <class Array>
  void raw(Array& into) {
    take(into.data(), into.size());
  }
  template <class TimePoint>
  void time(TimePoint& into) {
    into = TimePoint(Duration(static_cast<std::int64_t>(fixed())));
  }
  void duration(Duration& into) { into = Duration(signed_small()); }
  template <class Enum>
  void choice(Enum& into, Enum last) {
    const std::uint64_t number = small();
    if (number > static_cast<std::uint64_t>(last)) bad();
    into = static_cast<Enum>(number);
  }
  template <class Tag, class Rep>
  void strong(Strong<Tag, Rep>& into) {
    Rep number{};
    if constexpr (std::is_signed_v<Rep>) {
      number = static_cast<Rep>(signed_small());
    } else {
      small(number);
    }
    into = Strong<Tag, Rep>(number);
  }
  void token(Token& into) {
    strong(into.claim);
    strong(into.generation);
  }
  void bucket(std::optional<Bucket>& into) {
    into.reset();
    if (!flag()) return;
    into.emplace().level = signed_small();
    time(into->at);
  }
  void dependencies(Dependencies& into) {
    into.parents.resize(count());
    if (into.parents.empty()) return;
    for (JobId& parent : into.parents) {
      strong(parent.sequence);
      strong(parent.generation);
    }
    choice(into.run_when, RunWhen::always);
    choice(into.otherwise, Otherwise::cancel);
    into.on_dead = flag();
  }
  void on_dead(std::optional<OnDead>& into) {
    into.reset();
    if (!flag()) return;
    strong(into.emplace().kind);
    strong(into->queue);
  }
  void envelope(Envelope& into) {
    into = Envelope();
    if (!flag()) return;
    Envelope::Contents contents;
    small(contents.codec);
    text(contents.subject);
    small(contents.key_id);
    text(contents.nonce);
    text(contents.bytes);
    into = Envelope(std::move(contents));
  }
  void due(Due& into) {
    time(into.at);
    into.after.reset();
    if (flag()) time(into.after.emplace());
  }

 private:
  std::size_t bad() {
    good_ = false;
    bytes_ = {};
    return 0;
  }
  void take(void* into, std::size_t size) {
    if (bytes_.size() < size) {
      bad();
      return;
    }
    std::memcpy(into, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace daybook::record
