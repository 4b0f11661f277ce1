// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the schemas' readers to values of ours: wire_write.hpp the other way round. That a value is one of our type's is judged here
// (an enum's number, the size of a uuid); whether values make sense together is not.

#include <event.capnp.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "daybook/core/envelope.hpp"
#include "daybook/core/job.hpp"

namespace daybook::codec {

/// Bytes that Cap'n Proto accepts and that are still no event. Becomes a CorruptionError where the sequence is known.
struct Undecodable {
  std::string what;
};

/// `lowest` and `highest` bound what this release knows; a revision would have announced more.
template <class Ours, class Wire>
Ours from_wire(Wire value, Ours lowest, Ours highest, const char* what) {
  const auto number = static_cast<std::uint16_t>(value);
  if (number < static_cast<std::uint16_t>(lowest) || number > static_cast<std::uint16_t>(highest)) {
    throw Undecodable{std::string(what) + " " + std::to_string(number) + ", expected " +
                      std::to_string(static_cast<std::uint16_t>(lowest)) + " to " +
                      std::to_string(static_cast<std::uint16_t>(highest))};
  }
  return static_cast<Ours>(number);
}

inline RefusalCode refusal_code(std::uint16_t number, RefusalCode highest) {
  return from_wire(number, RefusalCode::invalid_argument, highest, "refusal code");
}

inline std::string text(capnp::Data::Reader from) {
  return {reinterpret_cast<const char*>(from.begin()), from.size()};
}

inline Uuid uuid(capnp::Data::Reader from, const char* what) {
  Uuid to;
  if (from.size() != to.bytes.size()) {
    throw Undecodable{std::string(what) + " of " + std::to_string(from.size()) + " bytes, expected 16"};
  }
  std::memcpy(to.bytes.data(), from.begin(), to.bytes.size());
  return to;
}

inline Instant instant(std::int64_t from) {
  return Instant(Duration(from));
}
inline BookTime book_time(std::int64_t from) {
  return BookTime(Duration(from));
}

template <class Reader>
JobId job_id(Reader from) {
  return {Sequence(from.getSequence()), GenerationTag(from.getGeneration())};
}

template <class Reader>
Token token(Reader from) {
  return {Sequence(from.getClaim()), GenerationTag(from.getGeneration())};
}

template <class Reader>
Due due(Reader from) {
  Due to{instant(from.getAt()), std::nullopt};
  if (from.getRelative()) to.after = book_time(from.getAfter());
  return to;
}

inline Holder holder(wire::Holder from) {
  return from_wire(from, Holder::external, Holder::handler, "holder");
}

inline Envelope envelope(wire::Envelope::Reader from) {
  return Envelope(Envelope::Contents{.codec = from.getCodec(),
                                     .subject = text(from.getSubject()),
                                     .key_id = from.getKeyId(),
                                     .nonce = text(from.getNonce()),
                                     .bytes = text(from.getBytes())});
}

inline std::vector<NameId> names(capnp::List<std::uint32_t>::Reader from) {
  std::vector<NameId> to;
  to.reserve(from.size());
  for (const std::uint32_t id : from) to.emplace_back(id);
  return to;
}

}  // namespace daybook::codec
