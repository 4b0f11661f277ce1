// SPDX-License-Identifier: Apache-2.0
#include "filter_fields.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "daybook/core/filter.hpp"

// A new field is one more entry of the table, and one more row of docs/filter.md.

namespace daybook {
namespace {

FieldValue text(std::string_view found) {
  return found.empty() ? FieldValue() : FieldValue(found);
}

FieldValue name(const Sight& sight, NameId id) {
  const Name* name = id == NameId() ? nullptr : sight.names.name(id);
  return name ? FieldValue(std::string_view(name->text)) : FieldValue();
}

/// Sealed contents say nothing.
FieldValue contents(const Envelope& envelope) {
  return envelope.contents().codec == 0 ? text(envelope.bytes()) : FieldValue();
}

FieldValue number(std::int64_t found) {
  return found;
}

FieldValue since(const Sight& sight, Instant then) {
  return time_between(sight.now.wall.time_since_epoch(), then.time_since_epoch());
}

FieldValue lateness(const Sight& sight) {
  if (phase(sight.job, sight.now) != Phase::available) return {};
  const Due& due = sight.job.due;
  if (due.after) return time_between(sight.now.book.time_since_epoch(), due.after->time_since_epoch());
  return since(sight, due.at);
}

FieldValue tag(const Sight& sight, std::string_view key) {
  for (const Tag& tag : sight.job.spec->tags) {
    if (tag.key == key) return std::string_view(tag.value);
  }
  return {};
}

/// The names of an enum's values, from `first` up to the one that has none.
template <class Enum, unsigned first>
std::span<const std::string_view> words_of() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> found;
    for (unsigned value = first; to_string(static_cast<Enum>(value)) != "unknown"; ++value) {
      found.push_back(to_string(static_cast<Enum>(value)));
    }
    return found;
  }();
  return words;
}

constexpr std::array<std::string_view, 2> yes_and_no = {"yes", "no"};

// clang-format off
constexpr std::array table = {
    FilterField{"id", FieldType::id, "the job's id; a number alone is one of whatever history this book has",
                [](const Sight& at, std::string_view) -> FieldValue { return at.job.id; }},
    FilterField{"queue", FieldType::text, "the queue's name",
                [](const Sight& at, std::string_view) { return name(at, at.job.spec->queue); }},
    FilterField{"kind", FieldType::text, "the kind's name",
                [](const Sight& at, std::string_view) { return name(at, at.job.spec->kind); }},
    FilterField{"group", FieldType::text, "the group's name; none for a job without one",
                [](const Sight& at, std::string_view) { return name(at, at.job.spec->group); }},
    FilterField{"recurring", FieldType::text, "the name of the recurring schedule that it is of",
                [](const Sight& at, std::string_view) { return name(at, at.job.spec->recurring); }},
    FilterField{"nominal", FieldType::instant, "the instant of its occurrence; none for a job of no recurring schedule",
                [](const Sight& at, std::string_view) -> FieldValue {
                  return at.job.spec->nominal ? FieldValue(*at.job.spec->nominal) : FieldValue();
                }},
    FilterField{"state", FieldType::word, "what a person sees, at this moment",
                [](const Sight& at, std::string_view) -> FieldValue { return to_string(phase(at.job, at.now)); },
                words_of<Phase, 0>},
    FilterField{"dead_reason", FieldType::word, "why it is dead; none in any other state",
                [](const Sight& at, std::string_view) -> FieldValue {
                  return at.job.dead_reason == DeadReason::none ? FieldValue() : to_string(at.job.dead_reason);
                },
                words_of<DeadReason, 1>},
    FilterField{"priority", FieldType::number, "lower is sooner",
                [](const Sight& at, std::string_view) { return number(at.job.spec->priority.value()); }},
    FilterField{"attempt", FieldType::number, "attempts that counted so far",
                [](const Sight& at, std::string_view) { return number(at.job.attempt); }},
    FilterField{"attempts_allowed", FieldType::number, "it is dead after so many",
                [](const Sight& at, std::string_view) { return number(at.job.attempts_allowed); }},
    FilterField{"due_at", FieldType::instant, "when it is due, or was",
                [](const Sight& at, std::string_view) -> FieldValue { return at.job.due.at; }},
    FilterField{"scheduled_at", FieldType::instant, "when it was scheduled",
                [](const Sight& at, std::string_view) -> FieldValue { return at.job.scheduled_at; }},
    FilterField{"finalized_at", FieldType::instant, "when it was completed, cancelled or found dead; none before",
                [](const Sight& at, std::string_view) -> FieldValue {
                  return at.job.finalized_at ? FieldValue(*at.job.finalized_at) : FieldValue();
                }},
    FilterField{"claimed_at", FieldType::instant, "when the attempt that runs began; none while it does not run",
                [](const Sight& at, std::string_view) -> FieldValue {
                  return at.job.lease ? FieldValue(at.job.lease->claimed_at) : FieldValue();
                }},
    FilterField{"age", FieldType::duration, "since it was scheduled",
                [](const Sight& at, std::string_view) { return since(at, at.job.scheduled_at); }},
    FilterField{"lateness", FieldType::duration, "since it fell due; none unless it is available",
                [](const Sight& at, std::string_view) { return lateness(at); }},
    FilterField{"run_time", FieldType::duration, "since the attempt that runs began; none while it does not run",
                [](const Sight& at, std::string_view) {
                  return at.job.lease ? since(at, at.job.lease->claimed_at) : FieldValue();
                }},
    FilterField{"worker", FieldType::text, "who runs it; none while it does not run",
                [](const Sight& at, std::string_view) {
                  return at.job.lease ? name(at, at.job.lease->worker) : FieldValue();
                }},
    FilterField{"cancel_requested", FieldType::word, "whether the attempt that runs was asked to stop",
                [](const Sight& at, std::string_view) -> FieldValue {
                  return yes_and_no[at.job.cancel_requested ? 0 : 1];
                },
                [] { return std::span<const std::string_view>(yes_and_no); }},
    FilterField{"error", FieldType::text, "what the last failed attempt said; none when it is sealed",
                [](const Sight& at, std::string_view) { return contents(at.job.error); }},
    FilterField{"error_kind", FieldType::text, "its kind, such as transient or timeout",
                [](const Sight& at, std::string_view) { return name(at, at.job.error_kind); }},
    FilterField{"unique_key", FieldType::text, "the unique key",
                [](const Sight& at, std::string_view) { return text(at.job.spec->unique_key); }},
    FilterField{"payload", FieldType::text, "what was given to it; none when it is sealed",
                [](const Sight& at, std::string_view) { return contents(at.job.spec->payload); }},
    FilterField{"awaits", FieldType::id, "the parent whose end it awaits next; none unless it is awaiting",
                [](const Sight& at, std::string_view) -> FieldValue {
                  for (const JobId& parent : at.job.spec->dependencies.parents) {
                    if (parent.sequence == at.job.awaits) return parent;
                  }
                  return {};
                }},
    FilterField{"parents", FieldType::number, "how many jobs it waits, or waited, for",
                [](const Sight& at, std::string_view) {
                  return number(static_cast<std::int64_t>(at.job.spec->dependencies.parents.size()));
                }},
    FilterField{"trace", FieldType::text, "the trace context of its scheduling",
                [](const Sight& at, std::string_view) { return text(at.job.trace); }},
};
// clang-format on

constexpr FilterField of_tags{"tag.KEY", FieldType::text,
                              "the value of the tag KEY; tags[\"any key\"] where it is no word", tag};

}  // namespace

std::string_view to_string(FieldType type) {
  switch (type) {
    case FieldType::id:
      return "id";
    case FieldType::text:
      return "text";
    case FieldType::word:
      return "word";
    case FieldType::number:
      return "number";
    case FieldType::instant:
      return "instant";
    case FieldType::duration:
      return "duration";
  }
  return "unknown";
}

std::span<const FilterField> filter_field_table() {
  return table;
}

const FilterField* find_filter_field(std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const FilterField& f) { return f.name == name; });
  return found == table.end() ? nullptr : &*found;
}

const FilterField& tag_field() {
  return of_tags;
}

Duration time_between(Duration left, Duration right) {
  Duration::rep difference = 0;
  if (!__builtin_sub_overflow(left.count(), right.count(), &difference)) return Duration(difference);
  return left > right ? Duration::max() : Duration::min();
}

std::vector<FilterFieldInfo> filter_fields() {
  std::vector<FilterFieldInfo> fields;
  for (const FilterField& field : table) fields.push_back({field.name, to_string(field.type), field.meaning});
  fields.push_back({of_tags.name, to_string(of_tags.type), of_tags.meaning});
  return fields;
}

}  // namespace daybook
