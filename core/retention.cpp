// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/retention.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "daybook/core/assert.hpp"
#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"

namespace daybook {
namespace {

constexpr std::string_view prefix = "retention.";
constexpr std::string_view results_key = "retention.results";
constexpr std::array ruled = {Shelf::completed, Shelf::cancelled, Shelf::dead};

std::string_view name_of(Shelf shelf) {
  return shelf == Shelf::completed ? "completed" : shelf == Shelf::cancelled ? "cancelled" : "dead";
}

std::string age_key(Shelf shelf) {
  return std::string(prefix) + std::string(name_of(shelf)) + ".age";
}
std::string count_key(Shelf shelf) {
  return std::string(prefix) + std::string(name_of(shelf)) + ".count";
}

Retention::Rule& rule_of(Retention& retention, Shelf shelf) {
  switch (shelf) {
    case Shelf::completed:
      return retention.completed;
    case Shelf::cancelled:
      return retention.cancelled;
    case Shelf::dead:
    case Shelf::result:
      break;
  }
  return retention.dead;
}

Result<std::optional<Duration>> read_age(std::string_view text) {
  if (text == "never") return std::nullopt;
  const auto age = parse_duration(text);
  if (!age) return tl::unexpected<Refusal>(age.error());
  if (*age < Duration() || *age > limits::after_max) {
    return refuse(RefusalCode::invalid_argument,
                  "an age of " + to_string(*age) + ": 0 to " + to_string(limits::after_max) + ", or never");
  }
  return *age;
}

Result<std::optional<std::uint64_t>> read_count(std::string_view text) {
  if (text == "any") return std::nullopt;
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) {
    return refuse(RefusalCode::invalid_argument, quoted(text) + " is not a number of jobs: give one, or \"any\"");
  }
  return count;
}

std::string shown(const std::optional<Duration>& age) {
  return age ? to_string(*age) : "never";
}
std::string shown(const std::optional<std::uint64_t>& count) {
  return count ? std::to_string(*count) : "any";
}

/// What would be older or more than the rule allows. Results stand where they end: `now` alone decides.
Instant cutoff(Shelf shelf, const Retention& retention, const Moment& now) {
  if (shelf == Shelf::result) return now.wall;
  const Retention::Rule& rule = retention.of(shelf);
  if (!rule.age || now.wall.time_since_epoch() < *rule.age) return Instant::min();
  return now.wall - *rule.age;
}

JobState state_of(Shelf shelf) {
  return shelf == Shelf::completed   ? JobState::completed
         : shelf == Shelf::cancelled ? JobState::cancelled
                                     : JobState::dead;
}

std::uint64_t jobs_in(const View& view, JobState state) {
  std::uint64_t jobs = 0;
  for (const auto& [of, count] : view.counts()) jobs += of.second == state ? count : 0;
  return jobs;
}

class Pass {
 public:
  Pass(const View& view, const Moment& now, const Retention& retention, std::size_t limit)
      : view_(view), now_(now), retention_(retention), limit_(limit), holds_(view) {}

  PrunePlan run(const PruneProgress& progress) {
    plan_.progress = progress;
    for (std::size_t i = 0; i < shelves && plan_.done; ++i) walk(static_cast<Shelf>(i));
    return std::move(plan_);
  }

 private:
  void walk(Shelf shelf) {
    std::optional<ShelfPosition>& behind = plan_.progress.behind[static_cast<std::size_t>(shelf)];
    const Instant until = cutoff(shelf, retention_, now_);
    std::uint64_t too_many = surplus(shelf);
    while (true) {
      const std::size_t room = limit_ - visited_;
      if (room == 0) {
        plan_.done = false;
        return;
      }
      const auto found = view_.aged(shelf, behind.value_or(ShelfPosition{Instant::min(), Sequence()}),
                                    too_many > 0 ? Instant::max() : until, room);
      for (const ShelfPosition& position : found) {
        if (position.at > until && too_many == 0) return wait_for_next(shelf, behind);
        if (too_many > 0) --too_many;
        behind = position;
        ++visited_;
        take(shelf, position.id);
      }
      if (found.size() < room) break;
    }
    wait_for_next(shelf, behind);
  }

  /// How many more there are than the rule allows, without those this pass has walked past already.
  [[nodiscard]] std::uint64_t surplus(Shelf shelf) const {
    if (shelf == Shelf::result || !retention_.of(shelf).count) return 0;
    const std::uint64_t there = jobs_in(view_, state_of(shelf));
    const std::uint64_t kept = *retention_.of(shelf).count + plan_.progress.stayed[static_cast<std::size_t>(shelf)];
    return there > kept ? there - kept : 0;
  }

  void take(Shelf shelf, Sequence id) {
    const Job* job = view_.job(id);
    if (!job || !may_be_pruned(*job, holds_, view_, now_)) {
      ++plan_.progress.stayed[static_cast<std::size_t>(shelf)];
      return;
    }
    (shelf == Shelf::result ? plan_.results : plan_.jobs).push_back(id);
  }

  void wait_for_next(Shelf shelf, const std::optional<ShelfPosition>& behind) {
    const std::optional<Duration> age = shelf == Shelf::result ? Duration() : retention_.of(shelf).age;
    if (!age) return;
    const auto next = view_.aged(shelf, behind.value_or(ShelfPosition{Instant::min(), Sequence()}), Instant::max(), 1);
    if (next.empty() || next.front().at > Instant::max() - *age) return;
    const Instant at = next.front().at + *age;
    if (!plan_.again_at || at < *plan_.again_at) plan_.again_at = at;
  }

  const View& view_;
  const Moment& now_;
  const Retention& retention_;
  const std::size_t limit_;
  const Holds holds_;
  std::size_t visited_ = 0;  // what is held counts as well: a part of a pass is bounded
  PrunePlan plan_;
};

}  // namespace

std::optional<ShelfPosition> position_on(Shelf shelf, const Job& job) {
  if (shelf == Shelf::result) {
    if (!job.result_until) return std::nullopt;
    return ShelfPosition{*job.result_until, job.id.sequence};
  }
  if (job.state != state_of(shelf) || !job.finalized_at) return std::nullopt;
  return ShelfPosition{*job.finalized_at, job.id.sequence};
}

const Retention::Rule& Retention::of(Shelf shelf) const {
  return rule_of(const_cast<Retention&>(*this), shelf);
}

Retention retention_of(const View& view) {
  Retention retention;
  const auto read = [&](const std::string& key, auto reader, auto& into) {
    const Setting* setting = view.setting(key);
    if (!setting) return;
    if (const auto value = reader(setting->value)) into = *value;
  };
  for (const Shelf shelf : ruled) {
    read(age_key(shelf), read_age, rule_of(retention, shelf).age);
    read(count_key(shelf), read_count, rule_of(retention, shelf).count);
  }
  read(std::string(results_key), read_age, retention.results);
  return retention;
}

std::vector<Setting> settings_of(const Retention& retention) {
  std::vector<Setting> settings;
  for (const Shelf shelf : ruled) {
    settings.push_back({age_key(shelf), shown(retention.of(shelf).age)});
    settings.push_back({count_key(shelf), shown(retention.of(shelf).count)});
  }
  settings.push_back({std::string(results_key), shown(retention.results)});
  return settings;
}

std::optional<Refusal> check_retention_setting(const Setting& setting) {
  if (!setting.key.starts_with(prefix)) return std::nullopt;
  const auto refused = [&](const Refusal& why) {
    return Refusal{RefusalCode::invalid_argument, "setting " + quoted(setting.key) + ": " + why.sentence};
  };
  for (const Shelf shelf : ruled) {
    if (setting.key == count_key(shelf)) {
      const auto count = read_count(setting.value);
      return count ? std::nullopt : std::optional(refused(count.error()));
    }
    if (setting.key != age_key(shelf)) continue;
    const auto age = read_age(setting.value);
    return age ? std::nullopt : std::optional(refused(age.error()));
  }
  if (setting.key == results_key) {
    const auto age = read_age(setting.value);
    return age ? std::nullopt : std::optional(refused(age.error()));
  }
  std::string known;
  for (const Setting& one : settings_of(Retention())) known += (known.empty() ? "" : ", ") + one.key;
  return refused({RefusalCode::invalid_argument, "there is no such setting; they are " + known});
}

PrunePlan plan_prune(const View& view, const Moment& now, const Retention& retention, const PruneProgress& progress,
                     std::size_t limit) {
  DAYBOOK_ASSERT(limit > 0);
  return Pass(view, now, retention, limit).run(progress);
}

bool may_be_pruned(const Job& job, const Holds& holds, const View& view, const Moment& now) {
  return is_final(job.state) && !view.has_open_children(job.id.sequence) && holds.holding(job, view, now) == nullptr;
}

}  // namespace daybook
