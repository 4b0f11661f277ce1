// SPDX-License-Identifier: Apache-2.0
#include "event_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "event_samples.hpp"
#include "hex.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

using ::testing::HasSubstr;

// Where version 1 keeps them in every message: the root's pointer, then its data. Part of the format.
constexpr std::size_t type_at = 40;
constexpr std::size_t revision_at = 42;

std::vector<std::byte> encoded(const RecordedEvent& event) {
  std::vector<std::byte> bytes;
  const std::size_t size = encode_event(event, bytes);
  EXPECT_EQ(size, bytes.size());
  return bytes;
}

RecordedEvent recorded(Event event) {
  RecordedEvent made = sample_events().front();
  made.event = std::move(event);
  return made;
}

/// The first sample of a type, changed.
template <class Type, class Change>
Event but(Change change) {
  auto events = sample_events();
  for (RecordedEvent& event : events) {
    if (auto* found = std::get_if<Type>(&event.event)) {
      change(*found);
      return std::move(*found);
    }
  }
  throw std::logic_error("no sample of this type");
}

std::optional<CorruptionError> refusal_of(std::span<const std::byte> message, const Place& where = {}) {
  try {
    (void)decode_event(message, where);
    return std::nullopt;
  } catch (const CorruptionError& error) {
    return error;
  }
}

TEST(EventCodec, EveryTypeOfEventReadsBackAsItWasWritten) {
  std::set<std::string_view> met;
  for (const RecordedEvent& event : sample_events()) {
    const auto bytes = encoded(event);
    EXPECT_EQ(bytes.size() % 8, 0U);
    EXPECT_EQ(decode_event(bytes), event) << type_name(event.event);
    met.insert(type_name(event.event));
  }
  EXPECT_EQ(met.size(), all_event_type_names().size()) << "a type of event has no sample";
}

RC_GTEST_PROP(EventCodec, DecodingIsTheInverseOfEncoding, (const RecordedEvent& event)) {
  RC_ASSERT(decode_event(encoded(event)) == event);
}

TEST(EventCodec, EveryEventStillHasTheBytesOfVersion1) {
  const auto fixture = read_fixture("v1/events.hex");
  const auto events = sample_events();
  ASSERT_EQ(fixture.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& [name, bytes] = fixture[i];
    EXPECT_EQ(name, type_name(events[i].event));
    EXPECT_EQ(decode_event(bytes), events[i]) << name;
    EXPECT_EQ(to_hex(encoded(events[i])), to_hex(bytes)) << name;
  }
}

TEST(EventCodec, ADueAtTheBeginningOfBookTimeIsStillRelative) {
  const RecordedEvent event = recorded(JobRescheduled{.job = {}, .due = {.at = {}, .after = BookTime()}});
  EXPECT_EQ(decode_event(encoded(event)), event);
}

TEST(EventCodec, AMessageIsReadAtAnyAlignment) {
  const RecordedEvent event = sample_events()[11];
  const auto message = encoded(event);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::vector<std::byte> buffer(shift + message.size());
    std::memcpy(buffer.data() + shift, message.data(), message.size());
    EXPECT_EQ(decode_event(std::span(buffer).subspan(shift)), event);
  }
}

TEST(EventCodec, AppendsBehindWhatIsThere) {
  const auto events = sample_events();
  std::vector<std::byte> bytes;
  const std::size_t first = encode_event(events[0], bytes);
  const std::size_t second = encode_event(events[1], bytes);
  ASSERT_EQ(bytes.size(), first + second);
  EXPECT_EQ(decode_event(std::span(bytes).first(first)), events[0]);
  EXPECT_EQ(decode_event(std::span(bytes).last(second)), events[1]);
}

TEST(EventCodec, APartThatWasGuessedTooSmallIsWrittenAllTheSame) {
  BookOpened opened;
  opened.host = std::string(5000, 'h');
  opened.release = std::string(9000, 'r');
  opened.cut_sha256 = std::string(7000, 's');
  const RecordedEvent event = recorded(opened);
  EXPECT_EQ(decode_event(encoded(event)), event);
}

TEST(EventCodec, TheLargestPayloadFits) {
  JobSpec spec;
  spec.payload = Envelope(std::string(limits::payload_bytes_max, '\xff'));
  const RecordedEvent event =
      recorded(JobScheduled{.spec = std::make_shared<const JobSpec>(spec), .generation = {}, .due = {}});
  EXPECT_EQ(decode_event(encoded(event)), event);
}

TEST(EventCodec, AHeartbeatOfTenThousandClaimsFits) {
  LeasesRenewed renewed;
  renewed.renewals.resize(limits::claim_count_max);
  const RecordedEvent event = recorded(renewed);
  EXPECT_EQ(decode_event(encoded(event)), event);
}

TEST(EventCodec, AnUnknownTypeOfEventAsksForAnUpgrade) {
  auto bytes = encoded(sample_events().front());
  bytes[type_at] = std::byte{90};
  const auto refusal = refusal_of(bytes, {"log/1.seg", 4096, std::nullopt});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->damage(), Damage::unknown_format);
  EXPECT_EQ(refusal->place().path, "log/1.seg");
  EXPECT_EQ(refusal->place().offset, 4096U);
  EXPECT_EQ(refusal->place().sequence, Sequence(1));
  EXPECT_THAT(refusal->what(), HasSubstr("event of type 90, revision 1"));
  EXPECT_THAT(refusal->what(), HasSubstr("newer release of Daybook; upgrade"));
}

TEST(EventCodec, ALaterRevisionOfAnyEventAsksForAnUpgrade) {
  for (const RecordedEvent& event : sample_events()) {
    auto bytes = encoded(event);
    const bool second =
        std::holds_alternative<RequestRefused>(event.event) || std::holds_alternative<OutcomeRefused>(event.event) ||
        std::holds_alternative<DuplicateSuppressed>(event.event) || std::holds_alternative<NameDefined>(event.event);
    bytes[revision_at] = second ? std::byte{3} : std::byte{2};
    const auto refusal = refusal_of(bytes);
    ASSERT_TRUE(refusal) << type_name(event.event);
    EXPECT_EQ(refusal->damage(), Damage::unknown_format);
    EXPECT_THAT(refusal->what(), HasSubstr(second ? "revision 3, expected revisions up to 2 of it"
                                                  : "revision 2, expected revisions up to 1 of it"));
  }
}

TEST(EventCodec, AValueOfALaterRevisionUnderAnEarlierOneIsRefused) {
  auto bytes = encoded(recorded(RequestRefused{{RefusalCode::clock_doubted, "", 0}}));
  ASSERT_EQ(bytes[revision_at], std::byte{2});
  bytes[revision_at] = std::byte{1};
  ASSERT_TRUE(refusal_of(bytes));
  EXPECT_EQ(refusal_of(bytes)->damage(), Damage::foreign);
  EXPECT_EQ(encoded(recorded(RequestRefused{{RefusalCode::too_old, "", 0}}))[revision_at], std::byte{1});
}

TEST(EventCodec, AClaimThatTakesNoTurnIsWrittenAsLevel1HasIt) {
  JobClaimed plain;
  plain.attempt = 1;
  JobClaimed turned = plain;
  turned.turn_left = 0;
  EXPECT_LT(encoded(recorded(plain)).size(), encoded(recorded(turned)).size());
  EXPECT_EQ(decode_event(encoded(recorded(turned))).event, Event(turned));
}

TEST(EventCodec, ATypeThatContradictsTheBodyIsRefused) {
  auto bytes = encoded(sample_events().front());
  bytes[type_at] = std::byte{1};
  ASSERT_TRUE(refusal_of(bytes));
  EXPECT_EQ(refusal_of(bytes)->damage(), Damage::foreign);
  bytes[type_at] = std::byte{0};
  bytes[revision_at] = std::byte{0};
  ASSERT_TRUE(refusal_of(bytes));
  EXPECT_EQ(refusal_of(bytes)->damage(), Damage::foreign);
}

template <class Change>
Event terms_but(Change change) {
  return but<RecurringDeclared>([&](RecurringDeclared& event) {
    RecurringTerms terms = *event.terms;
    change(terms);
    event.terms = std::make_shared<const RecurringTerms>(std::move(terms));
  });
}

template <class Change>
Event parents_but(Change change) {
  return but<JobScheduled>([&](JobScheduled& event) {
    JobSpec spec = *event.spec;
    spec.dependencies = {.parents = {{Sequence(2), GenerationTag(1)}}, .run_when = RunWhen::always};
    change(spec.dependencies.parents);
    event.spec = std::make_shared<const JobSpec>(std::move(spec));
  });
}

TEST(EventCodec, ANumberThatNoEnumHasIsRefused) {
  const auto odd = [](auto& number) { number = static_cast<std::remove_reference_t<decltype(number)>>(77); };
  std::vector<Event> events = {
      but<BookOpened>([&](auto& event) { odd(event.tail); }),
      but<NameDefined>([&](auto& event) { odd(event.name.sort); }),
      but<NameDefined>([&](auto& event) { event.name.sort = static_cast<NameSort>(0); }),
      but<WorkerJoined>([&](auto& event) { odd(event.worker.holder); }),
      but<WorkerLeft>([&](auto& event) { odd(event.reason); }),
      but<JobScheduled>([&](auto& event) {
        JobSpec spec = *event.spec;
        odd(spec.retry.backoff);
        event.spec = std::make_shared<const JobSpec>(spec);
      }),
      but<DuplicateSuppressed>([&](auto& event) { odd(event.answer); }),
      but<JobClaimed>([&](auto& event) { odd(event.holder); }),
      but<LeasesRenewed>([&](auto& event) { odd(event.reason); }),
      but<AttemptFailed>([&](auto& event) { event.next = Dead{static_cast<DeadReason>(77)}; }),
      but<LeaseExpired>([&](auto& event) { odd(event.reason); }),
      but<OutcomeRefused>([&](auto& event) { odd(event.outcome); }),
      but<OutcomeRefused>([&](auto& event) { event.reason = static_cast<RefusalCode>(0); }),
      but<RequestRefused>([&](auto& event) { event.refusal.code = static_cast<RefusalCode>(31); }),
      but<OutcomeRefused>([&](auto& event) { event.reason = RefusalCode::clock_doubted; }),
      but<SnapshotTaken>([&](auto& event) { event.state_hash.pop_back(); }),
      but<RecurringFired>([&](auto& event) { odd(event.by); }),
      but<RecurringFired>([&](auto& event) { event.nominal = Instant(Duration(-1)); }),
      but<RecurringBuffered>([&](auto& event) { event.next->due = limits::due_max + Duration(1); }),
      but<RecurringSkipped>([&](auto& event) { odd(event.reason); }),
      but<LeasesRenewed>([](auto& event) { event.renewals.clear(); }),
      but<ResultsForgotten>([](auto& event) { event.jobs.clear(); }),
      but<JobsPruned>([](auto& event) { event.jobs.clear(); }),
      terms_but([&](RecurringTerms& terms) { odd(terms.overlap); }),
      terms_but([&](RecurringTerms& terms) { odd(terms.missed.runs); }),
      terms_but([](RecurringTerms& terms) { terms.missed.cap = 0; }),
      terms_but([](RecurringTerms& terms) { terms.missed.cap = limits::missed_cap_max + 1; }),
      terms_but([](RecurringTerms& terms) { terms.start_deadline = Duration(-1); }),
      parents_but([](std::vector<JobId>& parents) { parents.assign(limits::parents_max + 1, parents.front()); }),
      parents_but([](std::vector<JobId>& parents) { parents.assign(2, parents.front()); }),
      terms_but([&](RecurringTerms& terms) { terms.missed.window = Duration(-1); }),
      terms_but([&](RecurringTerms& terms) { odd(std::get<CronRule>(terms.recurrence.rule).gap); }),
      terms_but([&](RecurringTerms& terms) { odd(std::get<CronRule>(terms.recurrence.rule).repeat); }),
      terms_but([&](RecurringTerms& terms) { terms.recurrence.jitter = Duration(-1); }),
      terms_but([&](RecurringTerms& terms) { terms.recurrence.rule = IntervalRule{}; }),
      terms_but([&](RecurringTerms& terms) { terms.recurrence.rule = CalendarRule{}; }),
  };
  for (Event& event : events) {
    const std::string_view name = type_name(event);
    const auto refusal = refusal_of(encoded(recorded(std::move(event))));
    ASSERT_TRUE(refusal) << name;
    EXPECT_EQ(refusal->damage(), Damage::foreign);
    EXPECT_THAT(refusal->what(), HasSubstr("expected")) << name;
  }
  RecordedEvent stranger = sample_events().front();
  odd(stranger.by.origin);
  EXPECT_TRUE(refusal_of(encoded(stranger)));
}

TEST(EventCodec, ARenewalOfNothingIsRefused) {
  EXPECT_TRUE(refusal_of(encoded(recorded(LeasesRenewed{}))));
}

TEST(EventCodec, EveryTruncationOfAMessageIsRefused) {
  for (const RecordedEvent& event : sample_events()) {
    const auto bytes = encoded(event);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto refusal = refusal_of(std::span(bytes).first(length));
      ASSERT_TRUE(refusal) << type_name(event.event) << " cut to " << length << " of " << bytes.size();
      ASSERT_EQ(refusal->damage(), Damage::foreign);
    }
  }
}

// A thousand renewals that all point to one large checkpoint would be a gigabyte once read.
TEST(EventCodec, AMessageThatUnfoldsIntoFarMoreThanItsBytesIsRefused) {
  LeasesRenewed renewed;
  renewed.renewals.resize(1000);
  for (Renewal& renewal : renewed.renewals) renewal.progress = Envelope("x");
  renewed.renewals.front().progress = Envelope(std::string(limits::payload_bytes_max, 'x'));
  auto bytes = encoded(recorded(renewed));
  ASSERT_FALSE(refusal_of(bytes));

  constexpr std::uint64_t envelope_shape = 0x00030001;  // a pointer to a struct of one data word and three pointers
  std::optional<std::uint64_t> target;
  for (std::size_t at = 0; at < 40 + 7 * 1000; ++at) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at * 8, 8);
    if (word >> 32 != envelope_shape || (word & 3) != 0) continue;
    if (!target) target = at + 1 + ((word & 0xffffffff) >> 2);
    word = envelope_shape << 32 | static_cast<std::uint32_t>((*target - at - 1) << 2);
    std::memcpy(bytes.data() + at * 8, &word, 8);
  }
  ASSERT_TRUE(target);
  const auto refusal = refusal_of(bytes);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->damage(), Damage::foreign);
}

}  // namespace
}  // namespace daybook
