// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the schemas' readers to values of ours: wire_write.hpp the other way round. That a value is one of our type's is judged here
// (an enum's number, the size of a uuid); whether values make sense together is not.

#include <capnp/message.h>
#include <event.capnp.h>
#include <kj/exception.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/envelope.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/limits.hpp"

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

inline std::optional<Duration> timeout(std::int64_t from) {
  return from == 0 ? std::nullopt : std::optional(Duration(from));
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

template <class Reader>
RetryPolicy retry_policy(Reader from) {
  using Backoff = RetryPolicy::Backoff;
  return {.backoff = from_wire(from.getBackoff(), Backoff::fixed, Backoff::exponential, "backoff"),
          .first = Duration(from.getFirst()),
          .cap = Duration(from.getCap()),
          .jitter_permille = from.getJitterPermille(),
          .max_attempts = from.getMaxAttempts()};
}

inline Dependencies dependencies(wire::Dependencies::Reader from) {
  Dependencies to;
  for (const auto parent : from.getParents()) to.parents.push_back(job_id(parent));
  to.run_when = from_wire(from.getRunWhen(), RunWhen::succeeded, RunWhen::always, "rule for parents");
  to.otherwise =
      from_wire(from.getOtherwise(), Otherwise::fail, Otherwise::cancel, "what becomes of a child otherwise");
  to.on_dead = from.getOnDead();
  const std::size_t count = to.parents.size();
  std::set<Sequence> once;
  for (const JobId& parent : to.parents) once.insert(parent.sequence);
  if (count < 1 || count > limits::parents_max || once.size() != count) {
    throw Undecodable{std::to_string(count) + " parents, " + std::to_string(once.size()) +
                      " of them different: expected 1 to " + std::to_string(limits::parents_max) + ", each once"};
  }
  return to;
}

template <class Reader>
UniqueScope unique_scope(Reader from) {
  return {.completed = from.getCompleted(), .cancelled = from.getCancelled(), .dead = from.getDead()};
}

inline Rate rate(wire::Rate::Reader from) {
  return {.starts = from.getStarts(), .per = Duration(from.getPer()), .burst = from.getBurst()};
}

inline Bucket bucket(wire::Bucket::Reader from) {
  return {.level = from.getLevel(), .at = book_time(from.getAt())};
}

template <class Reader>
QueueLimits queue_limits(Reader from) {
  QueueLimits to{.running = from.getRunning(), .running_per_group = from.getRunningPerGroup()};
  if (from.hasRate()) to.rate = rate(from.getRate());
  if (from.hasRatePerGroup()) to.rate_per_group = rate(from.getRatePerGroup());
  return to;
}

inline std::vector<Tag> tags(capnp::List<wire::Tag>::Reader from) {
  std::vector<Tag> to;
  to.reserve(from.size());
  for (const auto tag : from) to.push_back({text(tag.getKey()), text(tag.getValue())});
  return to;
}

inline std::vector<NameId> names(capnp::List<std::uint32_t>::Reader from) {
  std::vector<NameId> to;
  to.reserve(from.size());
  for (const std::uint32_t id : from) to.emplace_back(id);
  return to;
}

/// Hands a reader of the message to `read`. `what` names such messages in errors. Throws CorruptionError for what is none, and for an
/// Undecodable out of `read`.
template <class Read>
auto read_message(std::span<const std::byte> message, const std::string& what, const Place& where, Read read) {
  constexpr std::size_t word_bytes = sizeof(capnp::word);
  if (message.size() % word_bytes != 0) {
    throw CorruptionError(Damage::foreign, where,
                          what + " of " + std::to_string(message.size()) + " bytes, expected a multiple of 8");
  }
  std::vector<std::uint64_t> aligned;
  if (reinterpret_cast<std::uintptr_t>(message.data()) % alignof(capnp::word) != 0) {
    aligned.resize(message.size() / word_bytes);
    std::memcpy(aligned.data(), message.data(), message.size());
    message = std::as_bytes(std::span(aligned));
  }
  const std::size_t words = message.size() / word_bytes;
  const kj::ArrayPtr<const capnp::word> segment(reinterpret_cast<const capnp::word*>(message.data()), words);
  capnp::ReaderOptions options;
  // An honest message is walked once; one whose pointers overlap could be walked for ever.
  options.traversalLimitInWords = 2 * words + 64;
  options.nestingLimit = 8;
  try {
    capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&segment, 1), options);
    return read(reader);
  } catch (const Undecodable& problem) {
    throw CorruptionError(Damage::foreign, where, problem.what);
  } catch (const kj::Exception& problem) {
    throw CorruptionError(Damage::foreign, where,
                          what + " that Cap'n Proto refuses: " + problem.getDescription().cStr());
  }
}

}  // namespace daybook::codec
