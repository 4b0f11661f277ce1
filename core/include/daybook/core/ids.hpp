// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names of things: what identifies a job, a claim, an event, a writer, a history.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/refusal.hpp"
#include "daybook/core/strong.hpp"

namespace daybook {

/// Counts events, from 1, without gaps. The order of everything is the sequence, never the time.
using Sequence = Strong<struct SequenceTag, std::uint64_t>;

/// Counts read-write openings of a book, from 1. A writer of a lower epoch is fenced.
using Epoch = Strong<struct EpochTag, std::uint64_t>;

/// The small number that stands for an interned name (a queue, a kind, a worker, …). From 1; 0 is "none".
using NameId = Strong<struct NameIdTag, std::uint32_t>;

/// Lower is sooner. 0 unless the caller says otherwise; any 32-bit number is allowed.
using Priority = Strong<struct PriorityTag, std::int32_t>;

/// A random number drawn when a history begins: a new book, or a copy that was adopted. Ids and tokens carry
/// it, so that one of another history is refused instead of touching a stranger's job. Never 0.
using GenerationTag = Strong<struct GenerationTagTag, std::uint32_t>;

/// A job, for ever: the sequence of its `JobScheduled` and the tag of the generation that scheduled it.
/// Written "17-9f3ac1d2". An id that a person reads off a screen may lack the tag: it is then 0, means "of whatever
/// history this book has", and is written "17". Nothing that Daybook hands out lacks it.
struct JobId {
  Sequence sequence;
  GenerationTag generation;
  friend constexpr auto operator<=>(const JobId&, const JobId&) = default;
};

/// The right to finish one attempt: the sequence of its `JobClaimed` and the tag of the generation that granted it.
/// Strictly increasing per job, so a resource outside can fence with `claim` as well. Written "31-9f3ac1d2".
struct Token {
  Sequence claim;
  GenerationTag generation;
  friend constexpr auto operator<=>(const Token&, const Token&) = default;
};

/// 128 random bits: a book's identity (`log uuid`) or a boot of the machine.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
};

[[nodiscard]] std::string to_string(const JobId& id);
[[nodiscard]] std::string to_string(const Token& token);
[[nodiscard]] std::string to_string(const Uuid& uuid);  // 8-4-4-4-12 hexadecimal digits

/// Reads what `to_string` writes, hexadecimal digits in either case. Refusal `invalid_argument`, with an example, for
/// anything else. A token always needs its tag.
[[nodiscard]] Result<JobId> parse_job_id(std::string_view text);
[[nodiscard]] Result<Token> parse_token(std::string_view text);
[[nodiscard]] Result<Uuid> parse_uuid(std::string_view text);

}  // namespace daybook
