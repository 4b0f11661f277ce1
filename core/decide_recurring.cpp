// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/recurring_info.hpp"
#include "draft.hpp"
#include "enumerator.hpp"
#include "recurring_firing.hpp"
#include "recurring_plan.hpp"
#include "rules.hpp"
#include "scheduling.hpp"

// What is asked of recurring schedules: declaring and removing them, pauses, jobs by hand. What time makes of them is
// recurring_firing.cpp's.

namespace daybook {
namespace {

constexpr std::string_view what = "recurring schedule";

Instant now_in_range(const Draft& draft) {
  return std::clamp(draft.now.wall, limits::due_min, limits::due_max);
}

Result<const Recurring*> find_declared(const Draft& draft, const std::string& name) {
  if (auto refused = check_text(what, name)) return tl::unexpected<Refusal>(std::move(*refused));
  if (const Recurring* found = find_recurring(draft.view, name)) return found;
  return tl::unexpected<Refusal>(no_such_recurring(name));
}

Refusal invalid(const RecurringSpec& spec, const std::string& sentence) {
  return {RefusalCode::invalid_argument, "recurring schedule " + quoted(spec.name) + ": " + sentence};
}

Refused check_job(const Draft& draft, const RecurringSpec& spec) {
  const Schedule& job = spec.job;
  if (!std::holds_alternative<std::monostate>(job.due.value)) {
    return invalid(spec, "its jobs have a due time; when they are due is the recurrence's to say");
  }
  if (!job.unique_key.empty()) {
    return invalid(spec, "its jobs have a unique key; the overlap policy says what becomes of one beside another");
  }
  if (!job.parents.empty() || job.run_when || job.otherwise) {
    return invalid(spec, "its jobs have parents; a job that waits for others is scheduled by itself");
  }
  if (job.start_deadline) {
    const auto* deadline = std::get_if<Duration>(&job.start_deadline->value);
    if (!deadline) return invalid(spec, "the start deadline of its jobs is no duration; count it from their due time");
    if (auto refused = check_timeout("start deadline", *deadline)) return invalid(spec, refused->sentence);
  }
  if (auto refused = check_content(draft, job)) {
    refused->sentence = "recurring schedule " + quoted(spec.name) + ": " + refused->sentence;
    return refused;
  }
  return std::nullopt;
}

Refused check_missed(const RecurringSpec& spec) {
  const MissedPolicy& missed = spec.missed;
  if (auto refused = check_enumerator("missed", missed.runs, Missed::all)) return invalid(spec, refused->sentence);
  if (missed.window < Duration(0) || missed.window > limits::after_max) {
    return invalid(
        spec, "a window of " + to_string(missed.window) + " for missed runs: 0s to " + to_string(limits::after_max));
  }
  if (missed.cap < 1 || missed.cap > limits::missed_cap_max) {
    return invalid(spec, "a cap of " + std::to_string(missed.cap) + " missed runs: 1 to " +
                             std::to_string(limits::missed_cap_max));
  }
  return std::nullopt;
}

Refused check_spec(const Draft& draft, const std::string& owner, const RecurringSpec& spec) {
  if (auto refused = check_text(what, spec.name)) return refused;
  if (auto fine = check(spec.recurrence, draft.zones); !fine) return invalid(spec, fine.error().sentence);
  if (auto refused = check_job(draft, spec)) return refused;
  if (auto refused = check_missed(spec)) return refused;
  if (auto refused = check_enumerator("overlap", spec.overlap, Overlap::allow)) return invalid(spec, refused->sentence);
  const Recurring* known = find_recurring(draft.view, spec.name);
  if (known && known->owner != owner) {
    return invalid(spec, "it is declared by owner " + quoted(known->owner) + ", and this is owner " + quoted(owner) +
                             "; remove it first, or give this one another name");
  }
  return std::nullopt;
}

std::shared_ptr<const RecurringTerms> terms_of(Draft& draft, const RecurringSpec& spec) {
  RecurringTerms terms;
  terms.recurrence = spec.recurrence;
  terms.job = template_of(draft, spec.job);
  if (spec.job.start_deadline) terms.start_deadline = std::get<Duration>(spec.job.start_deadline->value);
  terms.missed = spec.missed;
  terms.overlap = spec.overlap;
  return std::make_shared<const RecurringTerms>(std::move(terms));
}

/// What fell due and was not handled will not be: it gets its event all the same.
void drop_pending(Draft& draft, const Recurring& known, std::string_view name, SkipReason reason) {
  const Instant now = now_in_range(draft);
  std::optional<Occurrence> next = known.next;
  if (!next || next->nominal > now) return;
  RecurringSkipped skipped{.recurring = known.id, .from = next->nominal, .reason = reason};
  while (next && next->nominal <= now && skipped.count < limits::recurring_slice) {
    skipped.until = next->nominal;
    ++skipped.count;
    const auto after =
        plan_after(known.terms->recurrence, name, {known.handled, known.unmade}, next->nominal, draft.zones);
    next = after ? *after : std::nullopt;
  }
  if (skipped.count == limits::recurring_slice) skipped.until = std::max(skipped.until, now);
  skipped.next = next;
  draft.add(skipped);
}

Refused declare(Draft& draft, const std::string& owner, const RecurringSpec& spec) {
  const NameId id = draft.name(NameSort::recurring, spec.name);
  auto terms = terms_of(draft, spec);
  const Recurring* known = draft.view.recurring(id);
  const bool declared = known && known->terms;
  if (declared && *known->terms == *terms) return std::nullopt;
  RecurringDeclared event{.recurring = id, .owner = owner, .terms = terms, .changed = declared};
  if (declared && known->terms->recurrence == terms->recurrence) {
    event.handled = known->handled;
    event.next = known->next;
    draft.add(std::move(event));
    return std::nullopt;
  }
  if (declared) drop_pending(draft, *known, spec.name, SkipReason::replaced);
  static const std::vector<Stretch> none;
  const Instant now = now_in_range(draft);
  event.handled = known ? std::max(known->handled, now) : now;
  const auto next =
      plan_after(terms->recurrence, spec.name, {event.handled, known ? known->unmade : none}, now, draft.zones);
  if (!next) return next.error();
  event.next = *next;
  draft.add(std::move(event));
  return std::nullopt;
}

/// By which time zone data instants are computed, from the first schedule on.
void note_zone_data(Draft& draft) {
  const Setting* known = draft.view.setting(zone_data_setting);
  if (!known) draft.add(ConfigurationChanged{{std::string(zone_data_setting), draft.zones.version()}, {}});
}

void remove(Draft& draft, const Recurring& known, std::string_view name) {
  if (!known.buffer.empty()) {
    const auto [first, last] = std::minmax_element(known.buffer.begin(), known.buffer.end());
    draft.add(RecurringSkipped{.recurring = known.id,
                               .from = *first,
                               .until = *last,
                               .count = known.buffer.size(),
                               .reason = SkipReason::removed,
                               .buffered = true,
                               .next = known.next});
  }
  drop_pending(draft, known, name, SkipReason::removed);
  draft.add(RecurringRemoved{known.id});
}

Refused check_clock(const Draft& draft) {
  if (!draft.book().clock_doubted) return std::nullopt;
  return Refusal{RefusalCode::clock_doubted,
                 "the clock is in doubt, it did not fit the last event before the book was opened: no schedule makes "
                 "jobs until it is confirmed; see: daybook clock, daybook confirm-clock"};
}

Refused check_live(const Recurring& known, const std::string& name, std::size_t more) {
  if (known.live.size() + more <= limits::recurring_live_max) return std::nullopt;
  return Refusal{RefusalCode::invalid_argument,
                 "recurring schedule " + quoted(name) + ": " + std::to_string(known.live.size()) +
                     " of its jobs have not ended and " + std::to_string(more) + " would be made, at most " +
                     std::to_string(limits::recurring_live_max) + " together"};
}

}  // namespace

Refused judge(Draft& draft, const DeclareRecurring& command) {
  if (auto refused = check_text("owner", command.owner)) return refused;
  if (auto refused = check_spec(draft, command.owner, command.spec)) return refused;
  note_zone_data(draft);
  return declare(draft, command.owner, command.spec);
}

Refused judge(Draft& draft, const SyncRecurring& command) {
  if (auto refused = check_text("owner", command.owner)) return refused;
  if (command.specs.size() > limits::recurring_sync_max) {
    return Refusal{RefusalCode::invalid_argument, std::to_string(command.specs.size()) +
                                                      " recurring schedules: at most " +
                                                      std::to_string(limits::recurring_sync_max) + " of one owner"};
  }
  std::set<std::string_view> names;
  for (const RecurringSpec& spec : command.specs) {
    if (auto refused = check_spec(draft, command.owner, spec)) return refused;
    if (!names.insert(spec.name).second) return invalid(spec, "it is declared twice");
  }
  if (!command.specs.empty()) note_zone_data(draft);
  for (const RecurringSpec& spec : command.specs) {
    if (auto refused = declare(draft, command.owner, spec)) return refused;
  }
  draft.view.each_recurring([&](const Recurring& known) {
    const Name* name = draft.view.name(known.id);
    if (!known.terms || known.owner != command.owner || !name || names.contains(name->text)) return;
    remove(draft, known, name->text);
  });
  return std::nullopt;
}

Refused judge(Draft& draft, const PauseRecurring& command) {
  const auto found = find_declared(draft, command.name);
  if (!found) return found.error();
  if (!(*found)->paused) draft.add(RecurringPaused{(*found)->id, {}});
  return std::nullopt;
}

Refused judge(Draft& draft, const ResumeRecurring& command) {
  const auto found = find_declared(draft, command.name);
  if (!found) return found.error();
  const Recurring& known = **found;
  if (!known.paused) return std::nullopt;
  const Instant now = now_in_range(draft);
  const auto next = plan_after(known.terms->recurrence, command.name, {known.handled, known.unmade},
                               std::min(known.handled, now), draft.zones);
  if (!next) return next.error();
  draft.add(RecurringResumed{known.id, now, *next});
  return std::nullopt;
}

Refused judge(Draft& draft, const RunRecurringNow& command) {
  const auto found = find_declared(draft, command.name);
  if (!found) return found.error();
  const Recurring& known = **found;
  if (auto refused = check_clock(draft)) return refused;
  if (auto refused = require_room(draft)) return refused;
  if (auto refused = check_live(known, command.name, 1)) return refused;
  const Instant now = now_in_range(draft);
  draft.add(RecurringFired{known.id, now, FiredBy::run_now, known.next});
  draft.add(job_of(draft, known, now, due_now(draft.now)));
  return std::nullopt;
}

Refused judge(Draft& draft, const BackfillRecurring& command) {
  const auto found = find_declared(draft, command.name);
  if (!found) return found.error();
  const Recurring& known = **found;
  if (command.until <= command.from) {
    return Refusal{RefusalCode::invalid_argument, "a backfill from " + to_string(command.from) + " until " +
                                                      to_string(command.until) + ": the end is not after the start"};
  }
  if (auto refused = check_clock(draft)) return refused;
  if (auto refused = require_room(draft)) return refused;
  std::vector<Instant> nominals;
  for (const Stretch& stretch : known.unmade) {
    const Instant end = std::min({stretch.until, command.until - Duration(1), now_in_range(draft)});
    Instant at = std::max(stretch.from, command.from) - Duration(1);
    while (at < end && nominals.size() <= limits::backfill_max) {
      const auto next = next_occurrence(known.terms->recurrence, at, draft.zones);
      if (!next) return next.error();
      if (!*next || **next > end) break;
      nominals.push_back(at = **next);
    }
  }
  if (nominals.size() > limits::backfill_max) {
    return Refusal{RefusalCode::invalid_argument, "a backfill of more than " + std::to_string(limits::backfill_max) +
                                                      " occurrences of recurring schedule " + quoted(command.name) +
                                                      ": do it in parts"};
  }
  if (auto refused = check_live(known, command.name, nominals.size())) return refused;
  if (nominals.empty()) return std::nullopt;
  const std::size_t payload = known.terms->job.payload.bytes().size();
  if (nominals.size() > 1 && nominals.size() * payload > draft.bounds.batch_bytes) {
    return Refusal{RefusalCode::batch_too_large, std::to_string(nominals.size()) + " jobs of recurring schedule " +
                                                     quoted(command.name) + " hold " +
                                                     std::to_string(nominals.size() * payload) + " bytes: at most " +
                                                     std::to_string(draft.bounds.batch_bytes) + "; fill in parts"};
  }
  // What has not come yet is not made, and not forgotten either.
  const Instant until = std::min(command.until, now_in_range(draft) + Duration(1));
  // A clock that was ahead for a while left what is to come among what was never made.
  std::optional<Occurrence> next = known.next;
  if (next && std::find(nominals.begin(), nominals.end(), next->nominal) != nominals.end()) {
    std::vector<Stretch> unmade = known.unmade;
    subtract(unmade, {command.from, until - Duration(1)});
    const auto planned =
        plan_after(known.terms->recurrence, command.name, {known.handled, unmade}, next->nominal, draft.zones);
    if (!planned) return planned.error();
    next = *planned;
  }
  draft.add(RecurringBackfilled{known.id, command.from, until, nominals.size()});
  for (const Instant nominal : nominals) {
    draft.add(RecurringFired{known.id, nominal, FiredBy::backfill, next});
    draft.add(job_of(draft, known, nominal, due_now(draft.now)));
  }
  return std::nullopt;
}

Refused judge(Draft& draft, const RemoveRecurring& command) {
  const auto found = find_declared(draft, command.name);
  if (!found) return found.error();
  remove(draft, **found, command.name);
  return std::nullopt;
}

Refused judge(Draft& draft, const ReplanRecurring&) {
  const Setting* known = draft.view.setting(zone_data_setting);
  const std::string version = draft.zones.version();
  if (known && known->value != version) {
    draft.add(ConfigurationChanged{{std::string(zone_data_setting), version}, known->value});
  }
  const Instant now = now_in_range(draft);
  draft.view.each_recurring([&](const Recurring& one) {
    const Name* name = draft.view.name(one.id);
    if (!one.terms || !name) return;
    // While the clock is behind what was handled, what fell due meanwhile stays due. Once it is not, all before was decided already.
    Instant from = std::min(one.handled, now);
    if (now < one.handled && one.next) from = std::min(from, one.next->nominal - Duration(1));
    const auto next = plan_after(one.terms->recurrence, name->text, {one.handled, one.unmade}, from, draft.zones);
    if (!next) {
      if (!one.paused) draft.add(RecurringPaused{one.id, next.error().sentence});
    } else if (*next != one.next || one.paused_until > draft.now.wall) {
      draft.add(RecurringReplanned{one.id, *next});
    }
  });
  return std::nullopt;
}

}  // namespace daybook
