// SPDX-License-Identifier: Apache-2.0
#include "support/generators.hpp"

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "support/generator_draws.hpp"

namespace daybook {

using namespace draw;

namespace generate {

rc::Gen<std::string> bytes(std::size_t most) {
  return rc::gen::exec([most] {
    static const std::vector<std::string> notable = {"",
                                                     "a",
                                                     "two words",
                                                     "line\nbreak",
                                                     std::string("nul\0inside", 10),
                                                     "\x1b[31m",
                                                     "grüße, 日本",
                                                     "\xff\xfe\x80",
                                                     "back\\slash \"q\"",
                                                     "\xe2\x80\xae"
                                                     "drow",
                                                     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
    std::string text;
    switch (pick(0, 8)) {
      case 0:
        text = std::string(most, 'x');
        break;
      case 1:
      case 2:
        text = any<std::string>();
        break;
      default:
        text = notable[pick<std::size_t>(0, notable.size())];
    }
    if (text.size() > most) text.resize(most);
    return text;
  });
}

rc::Gen<std::string> name() {
  return rc::gen::element<std::string>("a", "mail", "default", "mailer-1", "Ä", "日本語", "with space", "=\"\\",
                                       std::string(limits::name_bytes_max, 'n'), "😀", "payments.eu/1");
}

rc::Gen<Next> next_without_death() {
  return rc::gen::exec([]() -> Next {
    if (coin()) return Cancelled{};
    return Again{any<Due>()};
  });
}

rc::Gen<Job> job_in(JobState state) {
  return rc::gen::exec([state] {
    Job job;
    job.id = any<JobId>();
    job.spec = some_spec();
    job.state = state;
    job.attempts_allowed = attempt_number();
    job.attempt =
        state == JobState::running || state == JobState::completed ? attempt_number() : number<std::uint32_t>();
    job.due = any<Due>();
    job.scheduled_at = any<Instant>();
    if (is_final(state)) job.finalized_at = any<Instant>();
    if (state == JobState::running) {
      job.lease = any<Lease>();
      job.cancel_requested = coin();
    }
    if (state == JobState::completed) {
      job.completed_by = any<Token>();
      job.result = any<Envelope>();
    }
    if (state == JobState::dead) job.dead_reason = one_of_enum<DeadReason>(1, job.spec->total_timeout ? 6 : 5);
    job.progress = any<Envelope>();
    job.error = any<Envelope>();
    job.error_kind = name_or_none();
    job.trace = some_bytes(limits::trace_bytes_max);
    job.last_event = any<Sequence>();
    if (is_final(state) && coin()) job.final_event = any<Sequence>();
    const std::vector<JobId>& parents = job.spec->dependencies.parents;
    if (state == JobState::awaiting && !parents.empty()) job.awaits = parents.back().sequence;
    job.refused = a_few<RefusedOutcome>(0, 3);
    job.key_handed_over = pick(0, 5) == 0;
    if (pick(0, 3) == 0) job.unique_until = any<BookTime>();
    if (pick(0, 3) == 0) job.due_latest = any<Due>();
    if (state == JobState::completed && coin()) job.result_until = any<Instant>();
    if (state != JobState::completed && state != JobState::cancelled && pick(0, 3) == 0) {
      job.steps = {{*generate::name(), any<Envelope>()}, {*generate::name(), Envelope()}};
    }
    if (coin()) job.start_by = job.spec->start_by;
    if (job.spec->total_timeout && coin()) job.end_by = any<BookTime>();
    if (job.lease && job.spec->run_timeout) job.lease->run_ends_at = any<BookTime>();
    return job;
  });
}

}  // namespace generate

void showValue(const Event& event, std::ostream& out) {
  out << type_name(event);
}

void showValue(const RecordedEvent& recorded, std::ostream& out) {
  out << recorded.sequence.value() << ' ' << to_string(recorded.wall) << ' ' << type_name(recorded.event);
}

void showValue(const Due& due, std::ostream& out) {
  out << to_string(due.at);
  if (due.after) out << " or book " << to_string(due.after->time_since_epoch());
}

void showValue(const Job& job, std::ostream& out) {
  out << "job " << to_string(job.id) << ' ' << to_string(job.state) << " queue " << job.spec->queue.value() << " kind "
      << job.spec->kind.value() << " priority " << job.spec->priority.value() << " key " << quoted(job.spec->unique_key)
      << " due ";
  showValue(job.due, out);
  if (job.lease) out << " lease to " << to_string(job.lease->ends_at.time_since_epoch());
}

void showValue(const RetryPolicy& policy, std::ostream& out) {
  out << (policy.backoff == RetryPolicy::Backoff::fixed ? "fixed " : "exponential ") << to_string(policy.first)
      << " up to " << to_string(policy.cap) << ", jitter " << policy.jitter_permille << ", attempts "
      << policy.max_attempts;
}

void showValue(const Moment& moment, std::ostream& out) {
  out << "wall " << to_string(moment.wall) << " boot " << to_string(moment.boot.time_since_epoch()) << " book "
      << to_string(moment.book.time_since_epoch());
}

}  // namespace daybook

namespace rc {

using namespace daybook;  // NOLINT(google-build-using-namespace): one specialisation after the other

// Each specialisation draws its parts in the order of the fields.
#define DAYBOOK_DRAW(Type, ...)                 \
  Gen<Type> Arbitrary<Type>::arbitrary() {      \
    return gen::exec([]() -> Type __VA_ARGS__); \
  }

DAYBOOK_DRAW(Sequence, { return Sequence(number<std::uint64_t>(1)); })
DAYBOOK_DRAW(Epoch, { return Epoch(number<std::uint64_t>(1)); })
DAYBOOK_DRAW(NameId, { return NameId(number<std::uint32_t>(1)); })
DAYBOOK_DRAW(Priority, { return Priority(number<std::int32_t>()); })
DAYBOOK_DRAW(GenerationTag, { return GenerationTag(number<std::uint32_t>(1)); })
DAYBOOK_DRAW(JobId, { return JobId{any<Sequence>(), any<GenerationTag>()}; })
DAYBOOK_DRAW(Token, { return Token{any<Sequence>(), any<GenerationTag>()}; })
DAYBOOK_DRAW(Uuid, {
  Uuid uuid;
  for (auto& byte : uuid.bytes) byte = number<std::uint8_t>();
  return uuid;
})

// Raw times are whatever a clock said.
DAYBOOK_DRAW(Instant, { return Instant(any<Duration>()); })
DAYBOOK_DRAW(BootTime, { return BootTime(any<Duration>()); })
DAYBOOK_DRAW(BookTime, { return BookTime(any<Duration>()); })
DAYBOOK_DRAW(Duration, { return Duration(number<std::int64_t>()); })
DAYBOOK_DRAW(Moment, { return Moment{any<Instant>(), any<BootTime>(), any<BookTime>(), number<std::uint64_t>()}; })

DAYBOOK_DRAW(Envelope, {
  switch (pick(0, 4)) {
    case 0:
      return Envelope();
    case 1:
      return Envelope(Envelope::Contents{number<std::uint16_t>(), some_bytes(32), number<std::uint32_t>(),
                                         some_bytes(24), some_bytes(256)});
    default:
      return Envelope(some_bytes(4096));
  }
})
DAYBOOK_DRAW(RetryPolicy, {
  RetryPolicy policy;
  policy.backoff = one_of_enum<RetryPolicy::Backoff>(0, 1);
  policy.first = Duration(number<std::int64_t>(0, limits::backoff_max.count()));
  policy.cap = std::max(policy.first, Duration(number<std::int64_t>(0, limits::backoff_max.count())));
  policy.jitter_permille = number<std::uint16_t>(0, limits::jitter_permille_max);
  policy.max_attempts = attempt_number();
  return policy;
})
DAYBOOK_DRAW(Due, { return Due{due_instant(), coin() ? std::optional(any<BookTime>()) : std::nullopt}; })
DAYBOOK_DRAW(Tag, { return Tag{some_bytes(limits::tag_bytes_max), some_bytes(limits::tag_bytes_max)}; })
DAYBOOK_DRAW(JobSpec, {
  JobSpec spec;
  spec.queue = any<NameId>();
  spec.kind = any<NameId>();
  spec.priority = any<Priority>();
  spec.retry = any<RetryPolicy>();
  spec.unique_key = some_bytes(limits::unique_key_bytes_max);
  spec.tags = pick(0, 8) == 0 ? a_few<Tag>(16, 16) : a_few<Tag>(0, 2);
  spec.payload = any<Envelope>();
  if (pick(0, 3) == 0) spec.unique_scope = {coin(), coin(), coin()};
  if (pick(0, 3) == 0) spec.keep_result = any<Duration>();
  if (coin()) spec.group = any<NameId>();
  if (pick(0, 3) == 0) {
    spec.start_by = maybe<Due>();
    spec.run_timeout = some_timeout();
    spec.total_timeout = some_timeout();
  }
  spec.dependencies = some_dependencies();
  if (pick(0, 4) == 0) {
    spec.recurring = any<NameId>();
    spec.nominal = any<Instant>();
  }
  return spec;
})
DAYBOOK_DRAW(Lease, {
  return Lease{any<Token>(),    any<NameId>(),  some_holder(),  lease_length(),
               any<BookTime>(), any<Instant>(), any<Instant>(), std::nullopt};
})
DAYBOOK_DRAW(RefusedOutcome, { return RefusedOutcome{any<Token>(), one_of_enum<RefusalCode>(1, 24)}; })
DAYBOOK_DRAW(JobState, { return one_of_enum<JobState>(0, 6); })
DAYBOOK_DRAW(Job, { return *generate::job_in(any<JobState>()); })
DAYBOOK_DRAW(Name, { return Name{any<NameId>(), one_of_enum<NameSort>(1, 8), *generate::name()}; })
DAYBOOK_DRAW(Rate, {
  if (coin()) return Rate{};
  return Rate{number<std::uint32_t>(1), any<Duration>(), number<std::uint32_t>()};
})
DAYBOOK_DRAW(Bucket, { return Bucket{number<std::int64_t>(), any<BookTime>()}; })
DAYBOOK_DRAW(QueueLimits, {
  return QueueLimits{number<std::uint32_t>(), number<std::uint32_t>(), any<Rate>(), any<Rate>()};
})
DAYBOOK_DRAW(Queue, {
  Queue queue{any<NameId>(), coin()};
  if (coin()) return queue;
  queue.limits = any<QueueLimits>();
  queue.turn = Turn{any<NameId>(), number<std::uint32_t>()};
  if (coin()) queue.bucket = any<Bucket>();
  if (coin()) queue.on_dead = OnDead{any<NameId>(), any<NameId>()};
  return queue;
})
DAYBOOK_DRAW(Group, {
  Group group{any<NameId>(), any<NameId>(), number<std::uint32_t>(1)};
  if (coin()) group.bucket = any<Bucket>();
  return group;
})
DAYBOOK_DRAW(Worker, {
  return Worker{any<NameId>(),  some_holder(), number<std::uint32_t>(), a_few<NameId>(0, 3), a_few<NameId>(0, 3),
                any<Instant>(), any<Epoch>()};
})
DAYBOOK_DRAW(RequestRecord, {
  const auto first = any<Sequence>();
  return RequestRecord{any<NameId>(), "r" + some_bytes(limits::request_id_bytes_max - 1), first,
                       std::max(first, any<Sequence>()), any<BookTime>()};
})
DAYBOOK_DRAW(Setting, { return Setting{*generate::name(), some_bytes(64)}; })
DAYBOOK_DRAW(Hold, {
  return Hold{any<Sequence>(), some_bytes(200), some_bytes(limits::reason_bytes_max), name_or_none(), any<Instant>()};
})
DAYBOOK_DRAW(Generation, { return Generation{number<std::uint32_t>(1), any<GenerationTag>()}; })
DAYBOOK_DRAW(Book, {
  Book book;
  book.head = any<Sequence>();
  book.head_wall = any<Instant>();
  // Half of the range each: their sum is the book time.
  book.head_boot = BootTime(any<Duration>() / 2);
  book.epoch = any<Epoch>();
  book.boot_id = any<Uuid>();
  book.book_offset = any<Duration>() / 2;
  book.open = coin();
  book.era = number<std::uint32_t>();
  book.names = number<std::uint32_t>();
  book.generation = any<Generation>();
  book.held = coin();
  book.feature_level = number<std::uint32_t>();
  book.clock_doubted = coin();
  book.dropped_through = any<Sequence>();
  book.lost_through = any<Sequence>();
  return book;
})
DAYBOOK_DRAW(Refusal, { return Refusal{one_of_enum<RefusalCode>(1, 30), some_bytes(200), number<std::uint64_t>()}; })
DAYBOOK_DRAW(Next, {
  switch (pick(0, 3)) {
    case 0:
      return Again{any<Due>()};
    case 1:
      return Dead{one_of_enum<DeadReason>(1, 5)};
    default:
      return Cancelled{};
  }
})
DAYBOOK_DRAW(Provenance, {
  return Provenance{name_or_none(), one_of_enum<ActorOrigin>(0, 2), coin() ? Sequence() : any<Sequence>(),
                    some_bytes(limits::reason_bytes_max), some_bytes(limits::trace_bytes_max)};
})
DAYBOOK_DRAW(RequestRef, {
  return RequestRef{any<NameId>(), "r" + some_bytes(limits::request_id_bytes_max - 1), number<std::uint16_t>()};
})
DAYBOOK_DRAW(Event, { return *generate::event_of(pick<std::size_t>(0, std::variant_size_v<Event>)); })
DAYBOOK_DRAW(RecordedEvent, {
  return RecordedEvent{any<Sequence>(),   any<Epoch>(),        any<Instant>(), any<BootTime>(),
                       any<Provenance>(), maybe<RequestRef>(), any<Event>()};
})
#undef DAYBOOK_DRAW

}  // namespace rc
