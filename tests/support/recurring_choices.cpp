// SPDX-License-Identifier: Apache-2.0
#include "support/recurring_choices.hpp"

#include <chrono>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace daybook::testing {

using namespace std::chrono_literals;

namespace {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}

  std::size_t below(std::size_t end) {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return static_cast<std::size_t>((z ^ (z >> 31U)) % end);
  }
  bool once_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(values.size()));
  }

  std::string name() { return one_of<std::string>({"hourly", "nightly", "report"}); }
  std::string owner() { return once_in(6) ? "billing" : "service"; }

 private:
  std::uint64_t state_;
};

Recurrence recurrence(Draw& draw, const Moment& now) {
  Recurrence made;
  switch (draw.below(4)) {
    case 0:
      made.rule =
          CronRule{.expression = *parse_cron(draw.one_of<const char*>({"*/5 * * * *", "0 * * * *", "30 2 * * *"})),
                   .zone = draw.once_in(20) ? "Nowhere/Land" : "UTC"};
      break;
    case 1: {
      CalendarRule rule;
      for (const Duration ahead : {Duration(-1h), Duration(1s), Duration(10s), Duration(2h)}) {
        rule.instants.push_back(now.wall + ahead);
      }
      made.rule = std::move(rule);
      break;
    }
    default:
      made.rule =
          IntervalRule{draw.one_of<Duration>({1s, 10s, 60s, 1h, 24h}), Instant(Duration(1'772'000'000'000'000))};
  }
  if (draw.once_in(3)) made.jitter = draw.one_of<Duration>({1s, 30s});
  if (draw.once_in(5)) made.start = now.wall + 20s;
  if (draw.once_in(5)) made.end = now.wall + 2h;
  return made;
}

RecurringSpec spec(Draw& draw, const Moment& now, std::string name) {
  RecurringSpec made{.name = std::move(name),
                     .recurrence = recurrence(draw, now),
                     .job = {.queue = draw.one_of<std::string>({"mail", "bills"}), .kind = "send"}};
  made.job.retry.max_attempts = static_cast<std::uint32_t>(draw.one_of({1, 3}));
  if (draw.once_in(3)) made.job.group = "red";
  if (draw.once_in(4)) made.job.start_deadline = after(1h);
  if (draw.once_in(15)) made.job.unique_key = "k";
  made.missed = {.runs = draw.one_of({Missed::skip, Missed::once, Missed::all}),
                 .window = draw.one_of<Duration>({10min, 1h, 24h}),
                 .cap = draw.one_of<std::uint32_t>({1, 3, 20})};
  made.overlap =
      draw.one_of({Overlap::skip, Overlap::buffer_one, Overlap::buffer_all, Overlap::cancel_other, Overlap::allow});
  return made;
}

}  // namespace

Command recurring_command(const View& view, const Moment& now, std::uint64_t choice) {
  Draw draw(choice);
  std::vector<std::string> declared;
  std::vector<std::string> paused;
  view.each_recurring([&](const Recurring& one) {
    const Name* known = view.name(one.id);
    if (!one.terms || !known) return;
    declared.push_back(known->text);
    if (one.paused) paused.push_back(known->text);
  });
  const auto among = [&](const std::vector<std::string>& names) {
    return names.empty() || draw.once_in(10) ? draw.name() : names[draw.below(names.size())];
  };
  const std::string name = draw.once_in(20) ? "unheard of" : among(declared);
  // Levels below are tried as well, for their refusal.
  if (view.book().feature_level < 2 && !draw.once_in(10)) return RaiseFeatureLevel{2};
  switch (draw.below(12)) {
    case 0:
      return PauseRecurring{name};
    case 1:
    case 2:
      return ResumeRecurring{among(paused)};
    case 3:
      return RunRecurringNow{name};
    case 4:
      return BackfillRecurring{name, now.wall - draw.one_of<Duration>({1min, 1h}), now.wall + Duration(1)};
    case 5:
      return BackfillRecurring{name, now.wall - 24h, now.wall - 23h - 50min};
    case 7:
      return RemoveRecurring{name};
    case 6: {
      SyncRecurring sync{draw.owner(), {}};
      for (const char* one : {"hourly", "nightly"}) {
        if (draw.once_in(2)) sync.specs.push_back(spec(draw, now, one));
      }
      return sync;
    }
    default:
      return DeclareRecurring{draw.owner(), spec(draw, now, name)};
  }
}

}  // namespace daybook::testing
