// SPDX-License-Identifier: Apache-2.0
#include "support/histories.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "daybook/core/apply.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/retention.hpp"
#include "daybook/core/state.hpp"
#include "support/recurring_choices.hpp"

// The spaces to choose from are small on purpose: two steps shall meet at the same queue, key or job. About
// one command in twelve is wrong in some way, because refusals are part of every history.

namespace daybook::testing {

using namespace std::chrono_literals;
using Kind = Step::Kind;

namespace {

constexpr std::array<std::string_view, 30> kind_names = {
    "schedule", "claim",   "renew", "complete", "fail",  "snooze", "release",   "cancel", "reschedule", "retry",
    "move",     "operate", "pause", "resume",   "join",  "leave",  "configure", "limit",  "expire",     "batch",
    "repeat",   "pass",    "jump",  "restart",  "crash", "copy",   "adopt",     "record", "recur",      "fire"};

// Out of a hundred.
constexpr std::array<std::pair<Kind, std::uint32_t>, 30> weights = {{
    {Kind::schedule, 10}, {Kind::claim, 12},    {Kind::renew, 4},  {Kind::complete, 7},   {Kind::fail, 7},
    {Kind::snooze, 2},    {Kind::release, 2},   {Kind::cancel, 3}, {Kind::reschedule, 2}, {Kind::retry, 3},
    {Kind::move, 2},      {Kind::operate, 1},   {Kind::pause, 1},  {Kind::resume, 1},     {Kind::join, 1},
    {Kind::leave, 1},     {Kind::configure, 1}, {Kind::limit, 2},  {Kind::expire, 4},     {Kind::batch, 8},
    {Kind::repeat, 2},    {Kind::pass, 7},      {Kind::jump, 2},   {Kind::restart, 1},    {Kind::crash, 2},
    {Kind::copy, 1},      {Kind::adopt, 2},     {Kind::record, 2}, {Kind::recur, 5},      {Kind::fire, 2},
}};

std::uint64_t mix(std::uint64_t& state) {  // splitmix64
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

Uuid uuid_of(std::uint64_t number) {
  Uuid uuid;
  for (std::size_t i = 0; i < 8; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return uuid;
}

}  // namespace

class Driver::Choices {
 public:
  explicit Choices(std::uint64_t seed) : state_(seed) {}

  std::uint64_t any() { return mix(state_); }
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(any() % end); }
  bool once_in(std::size_t n) { return below(n) == 0; }

  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(values.size()));
  }

  Duration delay() { return one_of<Duration>({0s, 0s, 1ms, 1s, 10s, 60s, 1h, 24h}); }
  std::string queue() { return one_of<std::string>({"mail", "bills", "übung"}); }
  std::string kind() { return one_of<std::string>({"send", "render"}); }
  std::string worker() { return one_of<std::string>({"w1", "w2", "w3"}); }
  Filter filter() {
    return *Filter::parse(
        one_of<const char*>({"all", "queue = mail", "state in (dead, scheduled)", "not kind = send"}));
  }
  Duration lease() { return once_in(20) ? Duration(0) : one_of<Duration>({1s, 30s, 30s, 1h}); }
  std::string group() { return one_of<std::string>({"red", "green", "blue"}); }
  Rate rate() { return one_of<Rate>({{}, {1, 1s, 1}, {2, 10s, 0}, {5, 1s, 3}, {1, 20s, 2}}); }
  Envelope contents() {
    if (once_in(40)) return Envelope(std::string(300, 'x'));  // over the driver's bounds
    return one_of<Envelope>({Envelope(), Envelope("small"), Envelope(std::string(200, 'p'))});
  }
  When when(const Moment& now) {
    if (once_in(30)) return at(Instant(Duration(-1)));
    if (once_in(30)) return after(Duration(-1));
    if (once_in(3)) return at_once();
    if (once_in(2)) return after(delay());
    return at(now.wall + delay() - one_of<Duration>({0s, 0s, 1h}));
  }

 private:
  std::uint64_t state_;
};

std::string_view to_string(Kind kind) {
  return kind_names.at(static_cast<std::size_t>(kind));
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << to_string(step.kind) << '(' << step.choice << ')';
}

Step step_of(std::uint32_t kind, std::uint32_t choice) {
  std::uint32_t left = kind % 100;
  for (const auto& [candidate, weight] : weights) {
    if (left < weight) return {candidate, choice};
    left -= weight;
  }
  return {Kind::pass, choice};
}

Steps random_steps(std::uint64_t seed, std::size_t count) {
  Steps steps;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = mix(seed);
    steps.push_back(step_of(static_cast<std::uint32_t>(bits % 100), static_cast<std::uint32_t>(bits >> 44U)));
  }
  return steps;
}

Driver::Driver(Store& store) : store_(&store), boot_id_(uuid_of(1)) {
  bounds_.payload_bytes = 256;
  bounds_.batch_bytes = 700;
  book_offset_ = 10s;
  now_.wall = Instant(Duration(1'772'000'000'000'000));
  now_.boot = BootTime(100s);
  now_.book = BookTime(now_.boot.time_since_epoch() + book_offset_);
  const GenerationBegun begun{Generation{1, GenerationTag(0x9f3ac1d2)}, false, {}, 7};
  (void)submit({{BeginGeneration{begun}, opening(true, TailStatus::created)}, {}});
}

Exchange Driver::submit(Submission submission) {
  now_.chance = events_.size() * 0x9e3779b97f4a7c15ULL;
  Exchange exchange{std::move(submission), now_, store_->book().head, Outcome{}};
  exchange.outcome = execute(*store_, exchange.submission, now_, bounds_);
  for (const RecordedEvent& recorded : exchange.outcome.events) {
    if (const auto* scheduled = std::get_if<JobScheduled>(&recorded.event)) {
      jobs_.push_back({recorded.sequence, scheduled->generation});
    }
    if (const auto* claimed = std::get_if<JobClaimed>(&recorded.event)) {
      claims_.emplace_back(claimed->job, Token{recorded.sequence, claimed->generation});
    }
    events_.push_back(recorded);
  }
  if (!exchange.outcome.events.empty()) batch_ends_.push_back(events_.size());
  const auto& request = exchange.submission.context.request;
  if (request && !exchange.outcome.repeated && !exchange.outcome.events.empty() &&
      exchange.outcome.events.back().request) {
    if (requests_.insert_or_assign({request->client, request->id}, exchange).second)
      with_request_.push_back(exchange.submission);
  }
  return exchange;
}

std::vector<Exchange> Driver::step(const Step& step) {
  Choices choices(step.choice);
  std::vector<Exchange> exchanges;
  const auto open = [&](TailStatus tail) {
    const bool new_boot = choices.once_in(2);
    if (new_boot) boot_anew(choices);
    exchanges.push_back(submit({{opening(new_boot, tail)}, {}}));
  };
  switch (step.kind) {
    case Kind::pass:
      pass(choices.one_of<Duration>({1ms, 1s, 1s, 20s, 40s, 10min, 2h, 25h}));
      break;
    case Kind::jump: {
      const Duration by = choices.one_of<Duration>({2s, -2s, 3h, -3h, 24h * 366, -24h * 366});
      now_.wall += by;
      exchanges.push_back(submit({{StepClock{by}}, {}}));
      if (choices.once_in(2)) exchanges.push_back(submit({{ReplanRecurring{}}, {}}));  // as an engine does
      break;
    }
    case Kind::restart:
      exchanges.push_back(submit({{CloseBook{}}, {}}));
      pass(choices.one_of<Duration>({1s, 1h}));
      open(TailStatus::clean);
      break;
    case Kind::crash:
      pass(choices.one_of<Duration>({1s, 1h}));
      open(choices.one_of({TailStatus::unclean, TailStatus::torn}));
      break;
    case Kind::copy: {
      const Generation& last = store_->book().generation;
      const Generation next{last.number + 1, GenerationTag(last.tag.value() + 0x1000003U)};
      exchanges.push_back(submit({{BeginGeneration{{next, true, uuid_of(3), 0}}}, {}}));
      if (choices.once_in(2)) exchanges.push_back(submit({{opening(false, TailStatus::unclean)}, {}}));
      if (!choices.once_in(3)) exchanges.push_back(submit({{AdoptBook{}}, context(choices)}));
      break;
    }
    case Kind::adopt:
      exchanges.push_back(submit({{AdoptBook{}}, context(choices)}));
      break;
    case Kind::record:
      if (store_->book().feature_level < 2 && choices.once_in(2)) {
        exchanges.push_back(submit({{RaiseFeatureLevel{}}, context(choices)}));
        break;
      }
      switch (choices.below(7)) {
        case 0:
          exchanges.push_back(submit({{RaiseFeatureLevel{}}, context(choices)}));
          break;
        case 1:
          exchanges.push_back(submit({{DoubtClock{{now_.wall, choices.delay()}}}, {}}));
          if (choices.once_in(3)) break;  // mostly confirmed at once: a history goes on claiming
          [[fallthrough]];
        case 2:
          exchanges.push_back(submit({{ConfirmClock{}}, context(choices)}));
          break;
        case 3:
          exchanges.push_back(
              submit({{RecordSnapshot{{store_->book().head, std::string(32, 's'), std::string(32, 'f'), 1},
                                      {{store_->book().head, std::string(32, 's')}}}},
                      {}}));
          break;
        case 4:
          exchanges.push_back(submit({{RecordDrop{{store_->book().dropped_through.next(), store_->book().head}}}, {}}));
          break;
        case 5:
          exchanges.push_back(submit({{prune(choices)}, {}}));
          break;
        default:
          declare_gap(choices);
      }
      break;
    case Kind::repeat:
      if (!with_request_.empty()) exchanges.push_back(submit(with_request_[choices.below(with_request_.size())]));
      break;
    case Kind::limit:
      // Or most histories would stay at the first level, which has no limits.
      if (store_->book().feature_level < 2 && !choices.once_in(5))
        exchanges.push_back(submit({{RaiseFeatureLevel{}}, {}}));
      exchanges.push_back(submit({{command(step.kind, choices)}, context(choices)}));
      break;
    case Kind::batch: {
      Submission batch;
      for (std::size_t left = 2 + choices.below(4); left > 0; --left) {
        batch.commands.push_back(command(step_of(static_cast<std::uint32_t>(choices.below(69)), 0).kind, choices));
      }
      batch.context = context(choices);
      exchanges.push_back(submit(std::move(batch)));
      break;
    }
    default:
      exchanges.push_back(submit({{command(step.kind, choices)}, context(choices)}));
  }
  return exchanges;
}

Command Driver::command(Kind kind, Choices& choices) const {
  switch (kind) {
    case Kind::schedule:
      return schedule(choices);
    case Kind::claim: {
      Claim claim{.queues = {choices.queue()}, .worker = choices.worker(), .lease = choices.lease()};
      if (choices.once_in(2)) claim.queues.push_back(choices.queue());
      if (choices.once_in(3)) claim.kinds.push_back(choices.kind());
      claim.count = static_cast<std::uint32_t>(choices.below(5));  // 0 is refused
      claim.holder = choices.one_of({Holder::external, Holder::handler});
      return claim;
    }
    case Kind::renew: {
      Renew renew{.claims = {}, .lease = choices.lease()};
      for (std::size_t left = 1 + choices.below(3); left > 0; --left) {
        const auto [job, token] = claim_of(choices);
        renew.claims.push_back({job, token, choices.once_in(2) ? std::optional(choices.contents()) : std::nullopt});
      }
      return renew;
    }
    case Kind::complete: {
      const auto [job, token] = claim_of(choices);
      if (choices.once_in(4))
        return RecordStep{job, token, choices.one_of<std::string>({"s1", "s2", ""}), choices.contents()};
      return Complete{job, token, choices.contents()};
    }
    case Kind::fail: {
      const auto [job, token] = claim_of(choices);
      Fail fail{.job = job, .token = token, .error = choices.contents()};
      fail.error_kind = choices.one_of<std::string>({"", "transient", "business"});
      fail.retryable = !choices.once_in(4);
      if (choices.once_in(4)) fail.retry_in = choices.delay();
      return fail;
    }
    case Kind::snooze: {
      const auto [job, token] = claim_of(choices);
      return Snooze{job, token, choices.when(now_)};
    }
    case Kind::release: {
      const auto [job, token] = claim_of(choices);
      return Release{job, token};
    }
    case Kind::cancel:
      return Cancel{job_of(choices)};
    case Kind::reschedule:
      return Reschedule{job_of(choices), choices.when(now_)};
    case Kind::retry: {
      Retry retry{job_of(choices), choices.when(now_)};
      if (choices.once_in(4)) retry.only_if = choices.filter();
      return retry;
    }
    case Kind::move: {
      Move move{job_of(choices), choices.queue()};
      if (choices.once_in(4)) move.only_if = choices.filter();
      return move;
    }
    case Kind::operate:
      switch (choices.below(3)) {
        case 0:
          return Operate{.verb = choices.one_of({OperatorVerb::retry, OperatorVerb::cancel, OperatorVerb::move}),
                         .where = choices.filter(),
                         .matched = choices.below(9),
                         .due = choices.when(now_),
                         .queue = choices.queue()};
        case 1:
          return PlaceHold{choices.filter()};
        default: {
          std::vector<Sequence> holds;
          store_->each_hold([&](const Hold& hold) { holds.push_back(hold.id); });
          return LiftHold{holds.empty() ? Sequence(1) : holds[choices.below(holds.size())]};
        }
      }
    case Kind::pause:
      return PauseQueue{choices.queue()};
    case Kind::resume:
      return ResumeQueue{choices.queue()};
    case Kind::join:
      return JoinWorker{.worker = choices.worker(),
                        .slots = static_cast<std::uint32_t>(choices.below(4)),
                        .queues = {choices.queue()},
                        .kinds = {choices.kind()},
                        .holder = choices.one_of({Holder::external, Holder::handler})};
    case Kind::leave:
      return LeaveWorker{choices.worker()};
    case Kind::configure:
      return Configure{{{"sync", choices.one_of<std::string>({"always", "batch"})}, {"payload", "1"}}};
    case Kind::limit:
      return limit(choices);
    case Kind::recur:
      return recurring_command(*store_, now_, choices.any());
    case Kind::fire:
      if (choices.once_in(4)) return ReplanRecurring{};
      return FireRecurring{static_cast<std::uint32_t>(1 + choices.below(10))};
    default:
      if (!choices.once_in(4)) return SettleChildren{static_cast<std::uint32_t>(1 + choices.below(3))};
      return ExpireLeases{static_cast<std::uint32_t>(1 + choices.below(3))};
  }
}

Command Driver::schedule(Choices& choices) const {
  Schedule command{.queue = choices.queue(), .kind = choices.kind()};
  if (choices.once_in(40)) command.kind.clear();
  command.payload = choices.contents();
  command.due = choices.when(now_);
  command.priority = Priority(static_cast<std::int32_t>(choices.below(3)) - 1);
  command.unique_key = choices.one_of<std::string>({"", "", "k1", "k2"});
  command.on_conflict = choices.one_of({OnConflict::reject, OnConflict::return_existing, OnConflict::replace,
                                        OnConflict::debounce, OnConflict::throttle});
  if (command.unique_key.empty() && !choices.once_in(10)) command.on_conflict = OnConflict::reject;
  const bool keyed = !command.unique_key.empty() || choices.once_in(20);
  if (keyed && choices.once_in(4)) command.unique_scope = {choices.once_in(2), choices.once_in(2), choices.once_in(2)};
  if (keyed && choices.once_in(4)) command.unique_for = choices.delay();
  if (command.on_conflict == OnConflict::debounce && choices.once_in(2)) command.debounce_max = choices.delay();
  if (choices.once_in(2)) command.keep_result = choices.delay();
  command.retry.max_attempts = static_cast<std::uint32_t>(choices.one_of({1, 2, 3, 3, 0}));
  if (choices.once_in(3)) command.retry.backoff = RetryPolicy::Backoff::fixed;
  if (store_->book().feature_level >= 2 || choices.once_in(20)) {
    if (choices.once_in(4)) command.start_deadline = choices.when(now_);
    if (choices.once_in(4)) command.run_timeout = choices.delay();
    if (choices.once_in(4)) command.total_timeout = choices.delay();
    if (choices.once_in(3)) add_parents(command, choices);
  }
  if (choices.once_in(3)) command.tags.push_back({"team", choices.worker()});
  if (choices.once_in(2) && (store_->book().feature_level >= 2 || choices.once_in(20))) command.group = choices.group();
  return command;
}

void Driver::add_parents(Schedule& command, Choices& choices) const {
  if (command.on_conflict > OnConflict::return_existing && !choices.once_in(10)) return;
  for (std::size_t left = 1 + choices.below(3); left > 0; --left) {
    command.parents.emplace_back(job_of(choices));
    if (choices.once_in(6)) command.parents.back() = BatchParent{choices.below(3)};
  }
  command.run_when = choices.one_of({RunWhen::succeeded, RunWhen::failed, RunWhen::always});
  if (command.run_when != RunWhen::always) command.otherwise = choices.one_of({Otherwise::fail, Otherwise::cancel});
}

/// Mostly what the policy lets go, and some that it does not.
Prune Driver::prune(Choices& choices) const {
  const PrunePlan plan = plan_prune(*store_, now_, retention_of(*store_), {}, 1 + choices.below(20));
  Prune command{plan.jobs, plan.results};
  if (choices.once_in(2)) command.jobs.push_back(job_of(choices).sequence);
  for (const auto& [at, id] : store_->aged(Shelf::result, {Instant::min(), Sequence()}, Instant::max(), 10)) {
    if (choices.once_in(2)) command.results.push_back(id);
  }
  return command;
}

Command Driver::limit(Choices& choices) const {
  if (choices.once_in(30)) return SetWeight{choices.queue(), choices.group(), 0};
  if (choices.once_in(3)) {
    return SetWeight{choices.queue(), choices.group(), choices.one_of<std::uint32_t>({1, 2, 3, 7})};
  }
  if (choices.once_in(5)) {
    return choices.once_in(3) ? SetOnDead{choices.queue()} : SetOnDead{choices.queue(), "mourn", choices.queue()};
  }
  SetLimits limits{.queue = choices.queue(), .clear = choices.once_in(3)};
  if (choices.once_in(2)) limits.running = static_cast<std::uint32_t>(choices.below(4));
  if (choices.once_in(2)) limits.running_per_group = static_cast<std::uint32_t>(choices.below(3));
  if (choices.once_in(2)) limits.rate = choices.rate();
  if (choices.once_in(2)) limits.rate_per_group = choices.rate();
  return limits;
}

Context Driver::context(Choices& choices) {
  Context context;
  context.actor = choices.one_of<std::string>({"service", "service", "ops"});
  if (choices.once_in(4)) context.reason = "because";
  if (choices.once_in(4)) context.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  if (choices.once_in(3)) {
    context.request = RequestId{choices.one_of<std::string>({"c1", "c2"}), "r" + std::to_string(requests_made_++)};
  }
  return context;
}

std::pair<JobId, Token> Driver::claim_of(Choices& choices) const {
  const std::vector<Sequence> running = store_->running();
  if (!running.empty() && !choices.once_in(5)) {
    const Job& job = *store_->job(running[choices.below(running.size())]);
    if (choices.once_in(12))
      return {job.id, Token{Sequence(job.lease->token.claim.value() + 1), job.lease->token.generation}};
    return {job.id, job.lease->token};
  }
  if (claims_.empty()) return {JobId{Sequence(1), {}}, Token{Sequence(2), store_->book().generation.tag}};
  return claims_[choices.below(claims_.size())];
}

JobId Driver::job_of(Choices& choices) const {
  if (jobs_.empty() || choices.once_in(20)) return {Sequence(1 + choices.below(1000)), {}};
  JobId id = jobs_[choices.below(jobs_.size())];
  if (choices.once_in(4)) id.generation = GenerationTag();
  if (choices.once_in(20)) id.generation = GenerationTag(1);
  return id;
}

OpenBook Driver::opening(bool new_boot, TailStatus tail) const {
  BookOpened opened;
  opened.epoch = store_->book().epoch.next();
  opened.boot_id = boot_id_;
  opened.book_offset = book_offset_;
  opened.new_boot = new_boot;
  opened.tail = tail;
  if (tail == TailStatus::torn) {
    opened.bytes_cut = 17;
    opened.cut_sha256 = std::string(32, 'h');
  }
  opened.process = 4711;
  opened.host = "host";
  opened.release = "0.1.0";
  return {opened};
}

void Driver::pass(Duration by) {
  now_.wall += by;
  now_.boot += by;
  now_.book += by;
}

/// As salvage writes it: no command leads to these events.
void Driver::declare_gap(Choices& choices) {
  if (store_->book().feature_level < 2) return;
  const auto put_down = [&](Event event) {
    const Book& book = store_->book();
    events_.push_back({book.head.next(), book.epoch, now_.wall, now_.boot, {}, std::nullopt, std::move(event)});
    apply(*store_, events_.back());
  };
  put_down(GapDeclared{store_->book().head.next().next(), "lost"});
  put_down(EventLost{});
  put_down(EventSetAside{"it cannot follow", "bytes"});
  const Job* job = jobs_.empty() ? nullptr : store_->job(jobs_[choices.below(jobs_.size())].sequence);
  if (job && !is_final(job->state)) put_down(JobMarkedUncertain{job->id, "lost"});
  batch_ends_.push_back(events_.size());
}

void Driver::boot_anew(Choices& choices) {
  boot_id_ = uuid_of(choices.any());
  now_.boot = BootTime(choices.one_of<Duration>({5s, 90s}));
  book_offset_ = now_.book.time_since_epoch() - now_.boot.time_since_epoch();
}

RecordedHistory record(const Steps& steps) {
  State state;
  Driver driver(state);
  for (const Step& step : steps) (void)driver.step(step);
  return {driver.events(), driver.batch_ends()};
}

}  // namespace daybook::testing
