// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/recurring.hpp"

#include <array>
#include <string>

#include "daybook/core/escape.hpp"
#include "daybook/core/recurring_events.hpp"

namespace daybook {
namespace {

constexpr std::array<std::string_view, 3> missed_names = {"skip", "once", "all"};
constexpr std::array<std::string_view, 5> overlap_names = {"skip", "buffer_one", "buffer_all", "cancel_other", "allow"};
constexpr std::array<std::string_view, 5> fired_names = {"timer", "catch_up", "buffer", "run_now", "backfill"};
constexpr std::array<std::string_view, 9> reason_names = {
    "missed", "out_of_window", "cap", "overlap", "buffer_full", "too_many_live", "paused", "replaced", "removed"};

template <class Names, class Enum>
std::string_view name_in(const Names& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : std::string_view("unknown");
}

template <class Enum, class Names>
Result<Enum> parse_in(const Names& names, std::string_view text, std::string_view what) {
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
    known += (known.empty() ? "" : ", ") + std::string(names[i]);
  }
  return refuse(RefusalCode::invalid_argument, quoted(text) + " is no " + std::string(what) + ": expected " + known);
}

template <class Content>
bool same(const std::shared_ptr<const Content>& a, const std::shared_ptr<const Content>& b) {
  return a == b || (a && b && *a == *b);
}

}  // namespace

std::string_view to_string(Missed missed) {
  return name_in(missed_names, missed);
}
std::string_view to_string(Overlap overlap) {
  return name_in(overlap_names, overlap);
}
std::string_view to_string(FiredBy by) {
  return name_in(fired_names, by);
}
std::string_view to_string(SkipReason reason) {
  return name_in(reason_names, reason);
}

Result<Missed> parse_missed(std::string_view text) {
  return parse_in<Missed>(missed_names, text, "policy for missed runs");
}
Result<Overlap> parse_overlap(std::string_view text) {
  return parse_in<Overlap>(overlap_names, text, "overlap policy");
}

bool operator==(const Recurring& a, const Recurring& b) {
  return a.id == b.id && a.owner == b.owner && same(a.terms, b.terms) && a.paused == b.paused &&
         a.pause_reason == b.pause_reason && a.handled == b.handled && a.next == b.next &&
         a.paused_until == b.paused_until && a.buffer == b.buffer && a.live == b.live && a.unmade == b.unmade &&
         a.last == b.last && a.last_job == b.last_job;
}

bool operator==(const RecurringDeclared& a, const RecurringDeclared& b) {
  return a.recurring == b.recurring && a.owner == b.owner && same(a.terms, b.terms) && a.handled == b.handled &&
         a.next == b.next && a.changed == b.changed;
}

std::optional<Instant> attention_at(const Recurring& recurring) {
  if (!recurring.terms || recurring.paused) return std::nullopt;
  if (!recurring.buffer.empty() && recurring.live.empty()) return limits::due_min;
  if (!recurring.next) return std::nullopt;
  return recurring.next->due;
}

}  // namespace daybook
