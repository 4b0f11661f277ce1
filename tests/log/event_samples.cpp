// SPDX-License-Identifier: Apache-2.0
#include "event_samples.hpp"

#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace daybook {
namespace {

constexpr Instant noon(Duration(1'772'625'900'113'204));  // 2026-03-04T12:05:00.113204Z
constexpr JobId job{Sequence(12), GenerationTag(0x9f3ac1d2)};
constexpr Token token{Sequence(14), GenerationTag(0x9f3ac1d2)};

Uuid uuid(std::uint8_t from) {
  Uuid made;
  for (auto& byte : made.bytes) byte = from++;
  return made;
}

// Every kind of byte, zero among them: texts are bytes, not strings of C.
std::string any_bytes() {
  std::string made;
  for (int i = 0; i < 256; ++i) made += static_cast<char>(i);
  return made;
}

Envelope sealed() {
  return Envelope(Envelope::Contents{
      .codec = 7, .subject = "customer 4711", .key_id = 99, .nonce = std::string("\0\1\2", 3), .bytes = any_bytes()});
}

JobScheduled scheduled_in_full() {
  JobSpec spec{.queue = NameId(1),
               .kind = NameId(2),
               .priority = Priority(-5),
               .retry = {.backoff = RetryPolicy::Backoff::fixed,
                         .first = Duration(1'500'000),
                         .cap = Duration(60'000'000),
                         .jitter_permille = 1000,
                         .max_attempts = 3},
               .unique_key = "invoice/2026-03",
               .tags = {{"region", "eu"}, {"", "a value without a key"}, {"a key without a value", ""}},
               .payload = sealed()};
  return {.spec = std::make_shared<const JobSpec>(std::move(spec)),
          .generation = GenerationTag(0x9f3ac1d2),
          .due = {noon, BookTime(Duration(86'400'000'000))}};
}

JobScheduled scheduled_by_a_schedule() {
  JobScheduled event = scheduled_in_full();
  JobSpec spec = *event.spec;
  spec.unique_key.clear();
  spec.recurring = NameId(10);
  spec.nominal = noon;
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
  return event;
}

std::shared_ptr<const RecurringTerms> terms_of(std::variant<CronRule, IntervalRule, CalendarRule> rule) {
  RecurringTerms terms;
  terms.recurrence.rule = std::move(rule);
  terms.job.queue = NameId(1);
  terms.job.kind = NameId(2);
  return std::make_shared<const RecurringTerms>(std::move(terms));
}

std::shared_ptr<const RecurringTerms> nightly_terms() {
  RecurringTerms terms;
  terms.recurrence.rule = CronRule{.expression = *parse_cron("30 2 1,L * FRI#2"),
                                   .zone = "Europe/Prague",
                                   .gap = DstGap::skip,
                                   .repeat = DstRepeat::both};
  terms.recurrence.start = noon;
  terms.recurrence.end = noon + Duration(86'400'000'000);
  terms.recurrence.jitter = Duration(90'000'000);
  terms.job = *scheduled_in_full().spec;
  terms.job.unique_key.clear();
  terms.job.run_timeout = Duration(600'000'000);
  terms.start_deadline = Duration(3'600'000'000);
  terms.missed = {.runs = Missed::all, .window = Duration(7'200'000'000), .cap = 7};
  terms.overlap = Overlap::cancel_other;
  return std::make_shared<const RecurringTerms>(std::move(terms));
}

JobScheduled scheduled_with_deadlines() {
  JobScheduled event = scheduled_in_full();
  JobSpec spec = *event.spec;
  spec.start_by = Due{noon, BookTime(Duration(7))};
  spec.run_timeout = Duration(600'000'000);
  spec.total_timeout = Duration(86'400'000'000);
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
  return event;
}

JobScheduled scheduled_with_parents() {
  JobScheduled event = scheduled_in_full();
  JobSpec spec = *event.spec;
  spec.dependencies = {.parents = {job, {Sequence(18), GenerationTag(0x9f3ac1d2)}},
                       .run_when = RunWhen::failed,
                       .otherwise = Otherwise::cancel,
                       .on_dead = true};
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
  event.awaits = Sequence(18);
  return event;
}

JobScheduled scheduled_plainly() {
  JobSpec spec{.queue = NameId(1),
               .kind = NameId(2),
               .priority = Priority(0),
               .retry = {},
               .unique_key = {},
               .tags = {},
               .payload = {}};
  return {.spec = std::make_shared<const JobSpec>(std::move(spec)),
          .generation = GenerationTag(1),
          .due = {noon, std::nullopt}};
}

JobScheduled scheduled_under_a_key() {
  JobScheduled event = scheduled_in_full();
  JobSpec spec = *event.spec;
  spec.unique_scope = {.completed = true, .cancelled = false, .dead = true};
  spec.keep_result = Duration(3'600'000'000);
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
  event.unique_until = BookTime(Duration(123'456'789));
  event.due_latest = Due{noon, BookTime(Duration(7))};
  event.key_from = job;
  return event;
}

JobScheduled scheduled_in_a_group() {
  JobScheduled event = scheduled_plainly();
  JobSpec spec = *event.spec;
  spec.group = NameId(9);
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
  return event;
}

std::vector<Event> events() {
  using std::numeric_limits;
  return {
      BookOpened{.epoch = Epoch(3),
                 .boot_id = uuid(0x10),
                 .book_offset = Duration(-77),
                 .new_boot = true,
                 .tail = TailStatus::torn,
                 .bytes_cut = 4321,
                 .cut_sha256 = std::string(32, '\x5a'),
                 .process = 4711,
                 .host = "host.example",
                 .release = "0.1.0"},
      BookClosed{},
      ClockStepped{.by = Duration(-3'600'000'000), .era = 2},
      ConfigurationChanged{.setting = {"payload_bytes", "262144"}, .before = "1024"},
      NameDefined{.name = {NameId(1), NameSort::queue, "mail"}},
      GenerationBegun{.generation = {2, GenerationTag(0x9f3ac1d2)},
                      .held = true,
                      .copied_from = uuid(0xe0),
                      .nonce_salt = 0x0123456789abcdef},
      BookAdopted{},
      QueuePaused{.queue = NameId(1)},
      QueueResumed{.queue = NameId(1)},
      WorkerJoined{.worker = {.id = NameId(4),
                              .holder = Holder::handler,
                              .slots = 8,
                              .queues = {NameId(1), NameId(6)},
                              .kinds = {NameId(2)},
                              .joined_at = noon,
                              .epoch = Epoch(3)}},
      WorkerLeft{.worker = NameId(4), .reason = LeaveReason::process_died},
      scheduled_in_full(),
      DuplicateSuppressed{.holder = job, .kind = NameId(2), .answer = OnConflict::return_existing},
      JobClaimed{.job = job,
                 .attempt = 1,
                 .worker = NameId(4),
                 .holder = Holder::handler,
                 .generation = GenerationTag(0x9f3ac1d2),
                 .lease = Duration(30'000'000),
                 .lease_ends_at = BookTime(Duration(123'456'789)),
                 .lease_ends_at_wall = noon},
      LeasesRenewed{.lease = Duration(30'000'000),
                    .reason = RenewReason::new_boot,
                    .renewals = {{job, token, BookTime(Duration(1)), noon, std::nullopt},
                                 {job, token, BookTime(Duration(2)), noon, Envelope()},
                                 {job, token, BookTime(Duration(3)), noon, Envelope("half way")}}},
      JobCompleted{.job = job, .token = token, .attempt = 1, .result = Envelope("sent")},
      AttemptFailed{.job = job,
                    .token = token,
                    .attempt = 1,
                    .error = Envelope("connection refused"),
                    .error_kind = NameId(5),
                    .retryable = true,
                    .next = Again{{noon, BookTime(Duration(99))}}},
      LeaseExpired{.job = job,
                   .token = token,
                   .attempt = 3,
                   .reason = ExpiryReason::another_history,
                   .next = Dead{DeadReason::lease_lost}},
      JobSnoozed{.job = job, .token = token, .next = Again{{noon, std::nullopt}}},
      JobReleased{.job = job, .token = token, .next = Cancelled{}},
      CancelRequested{.job = job},
      JobCancelled{.job = job},
      JobRescheduled{.job = job, .due = {noon, std::nullopt}},
      JobRetried{.job = job, .due = {noon, BookTime(Duration(5))}, .attempts_allowed = 6},
      OutcomeRefused{
          .job = job, .token = token, .outcome = OutcomeKind::snooze, .reason = RefusalCode::already_completed},
      RequestRefused{.refusal = {RefusalCode::too_old, "request 9 is older than 24h", 12}},
      // Other shapes of the same types.
      scheduled_plainly(),
      JobCompleted{.job = {}, .token = {}, .attempt = 0, .result = {}},
      AttemptFailed{.job = job,
                    .token = token,
                    .attempt = numeric_limits<std::uint32_t>::max(),
                    .error = {},
                    .error_kind = {},
                    .retryable = false,
                    .next = Dead{DeadReason::not_retryable}},
      ClockStepped{.by = Duration(numeric_limits<std::int64_t>::min()), .era = 0},
      BookOpened{},
      JobRescheduled{.job = {Sequence(numeric_limits<std::uint64_t>::max()), GenerationTag(0xffffffff)},
                     .due = {Instant(Duration(numeric_limits<std::int64_t>::max())),
                             BookTime(Duration(numeric_limits<std::int64_t>::min()))}},
      // Feature level 2.
      FeatureLevelRaised{.before = 1, .after = 2},
      ClockDoubted{.last_wall = noon, .by = Duration(-31'536'000'000'000)},
      ClockConfirmed{},
      SnapshotTaken{.sequence = Sequence(30),
                    .state_hash = std::string(32, '\x17'),
                    .file_sha256 = std::string(32, '\xe8'),
                    .jobs = 12},
      SegmentsDropped{.first = Sequence(1), .last = Sequence(20)},
      JobMarkedUncertain{.job = job, .why = "events 21 to 24 are lost"},
      GapDeclared{.last = Sequence(42), .reason = "log/1.seg: payload checksum"},
      EventLost{},
      EventSetAside{.why = "there is no job 22", .stored = any_bytes()},
      RequestRefused{.refusal = {RefusalCode::is_uncertain, "job 12 is uncertain", 12}},
      scheduled_under_a_key(),
      DuplicateSuppressed{.holder = job, .kind = NameId(2), .answer = OnConflict::throttle},
      OutcomeRefused{.job = job, .token = token, .outcome = OutcomeKind::step, .reason = RefusalCode::lease_lost},
      JobCompleted{
          .job = job, .token = token, .attempt = 1, .result = Envelope("sent"), .result_until = noon + Duration(1)},
      JobReplaced{.job = job,
                  .spec = scheduled_under_a_key().spec,
                  .due = {noon, std::nullopt},
                  .due_latest = std::nullopt,
                  .attempts_allowed = 30,
                  .policy = OnConflict::debounce},
      StepRecorded{.job = job, .token = token, .step = {"charge", Envelope("receipt 17")}},
      ResultsForgotten{.jobs = {job, {Sequence(18), GenerationTag(0x9f3ac1d2)}}},
      JobsPruned{.jobs = {{job, JobState::cancelled, noon, Sequence(30)}, {job, JobState::dead, noon, Sequence(31)}}},
      NameDefined{.name = {NameId(9), NameSort::group, "customer-7"}},
      scheduled_in_a_group(),
      JobClaimed{.job = job,
                 .attempt = 2,
                 .worker = NameId(4),
                 .holder = Holder::handler,
                 .generation = GenerationTag(0x9f3ac1d2),
                 .lease = Duration(30'000'000),
                 .lease_ends_at = BookTime(Duration(99)),
                 .lease_ends_at_wall = noon,
                 .turn_left = 3,
                 .queue_bucket = Bucket{-1, BookTime(Duration(98))},
                 .group_bucket = Bucket{2'500'000, BookTime(Duration(97))}},
      LimitsSet{.queue = NameId(2),
                .limits = {.running = 10,
                           .running_per_group = 2,
                           .rate = {100, Duration(1'000'000), 50},
                           .rate_per_group = {5, Duration(600'000'000), 5}}},
      WeightSet{.queue = NameId(2), .group = NameId(9), .weight = 1000},
      JobMoved{.job = job, .queue = NameId(3)},
      OperatorCommanded{.verb = OperatorVerb::reschedule,
                        .filter = "queue = mail and state = scheduled",
                        .matched = 1204,
                        .due = Due{noon, BookTime(Duration(5))},
                        .queue = {}},
      OperatorCommanded{
          .verb = OperatorVerb::move, .filter = "all", .matched = 1, .due = std::nullopt, .queue = NameId(3)},
      HoldPlaced{.filter = "tag.case = \"8812\""},
      HoldLifted{.hold = Sequence(40)},
      JobExpired{.job = job},
      JobTimedOut{.job = job, .token = token, .cancelled = true},
      JobTimedOut{.job = job, .token = {}, .cancelled = false},
      scheduled_with_deadlines(),
      scheduled_with_parents(),
      ChildFreed{.job = {Sequence(30), GenerationTag(0x9f3ac1d2)}, .parent = job},
      ChildDropped{.job = {Sequence(31), GenerationTag(0x9f3ac1d2)}, .parent = job, .cancelled = false},
      ChildDropped{.job = {Sequence(32), GenerationTag(0x9f3ac1d2)}, .parent = job, .cancelled = true},
      ChildAwaits{.job = {Sequence(33), GenerationTag(0x9f3ac1d2)}, .next = job},
      OnDeadSet{.queue = NameId(2), .on_dead = OnDead{NameId(5), NameId(3)}},
      OnDeadSet{.queue = NameId(2), .on_dead = std::nullopt},
      StateHashed{.sequence = Sequence(65'536), .state_hash = std::string(32, '\x2a')},
      NameDefined{.name = {NameId(10), NameSort::recurring, "nightly"}},
      scheduled_by_a_schedule(),
      RecurringDeclared{.recurring = NameId(10),
                        .owner = "reports",
                        .terms = nightly_terms(),
                        .handled = noon,
                        .next = Occurrence{noon + Duration(1), noon + Duration(2)},
                        .changed = true},
      RecurringDeclared{.recurring = NameId(10),
                        .owner = "reports",
                        .terms = terms_of(IntervalRule{Duration(60'000'000), noon}),
                        .handled = noon,
                        .next = std::nullopt,
                        .changed = false},
      RecurringDeclared{.recurring = NameId(10),
                        .owner = "reports",
                        .terms = terms_of(CalendarRule{{noon, noon + Duration(1)}}),
                        .handled = noon,
                        .next = Occurrence{noon + Duration(1), noon + Duration(1)},
                        .changed = false},
      RecurringFired{.recurring = NameId(10),
                     .nominal = noon,
                     .by = FiredBy::backfill,
                     .next = Occurrence{noon + Duration(1), noon + Duration(2)}},
      RecurringSkipped{.recurring = NameId(10),
                       .from = noon,
                       .until = noon + Duration(5),
                       .count = 6,
                       .reason = SkipReason::removed,
                       .buffered = true,
                       .next = std::nullopt},
      RecurringBuffered{.recurring = NameId(10), .nominal = noon, .next = Occurrence{noon, noon}},
      RecurringPaused{.recurring = NameId(10), .problem = "no such zone"},
      RecurringResumed{.recurring = NameId(10), .until = noon, .next = Occurrence{noon, noon}},
      RecurringRemoved{.recurring = NameId(10)},
      RecurringReplanned{.recurring = NameId(10), .next = std::nullopt},
      RecurringBackfilled{.recurring = NameId(10), .from = noon, .until = noon + Duration(9), .count = 3},
  };
}

}  // namespace

std::vector<RecordedEvent> sample_events() {
  std::vector<RecordedEvent> made;
  std::uint64_t sequence = 0;
  for (Event& event : events()) {
    ++sequence;
    RecordedEvent recorded{
        .sequence = Sequence(sequence),
        .epoch = Epoch(3),
        .wall = noon + Duration(sequence),
        .boot = BootTime(Duration(1'000'000 + sequence)),
        .by = {.actor = NameId(7), .origin = ActorOrigin::declared, .cause = {}, .reason = {}, .trace = {}},
        .request = std::nullopt,
        .event = std::move(event)};
    if (sequence % 3 == 0) {
      recorded.by.origin = ActorOrigin::token;
      recorded.by.cause = Sequence(sequence - 1);
      recorded.by.reason = "ticket 8812";
      recorded.by.trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    }
    if (sequence % 4 == 0) recorded.request = RequestRef{NameId(8), "r-" + std::to_string(sequence), 65535};
    if (sequence % 8 == 0) recorded.request = RequestRef{};
    made.push_back(std::move(recorded));
  }
  return made;
}

}  // namespace daybook
