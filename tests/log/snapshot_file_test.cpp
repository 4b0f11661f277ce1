// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/snapshot_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cerrno>

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/state_hash.hpp"
#include "entity_codec.hpp"
#include "hex.hpp"
#include "support/generators.hpp"
#include "support/histories.hpp"
#include "support/memory_storage.hpp"

// A file of entities: what comes out is what went in, and nothing comes out of one that was touched.

namespace daybook::test {
namespace {

using daybook::testing::histories;
using daybook::testing::random_steps;
using daybook::testing::Steps;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

State state_of(const Steps& steps) {
  State state;
  for (const RecordedEvent& recorded : daybook::testing::record(steps).events) apply(state, recorded);
  return state;
}

SnapshotPoint point_of(const State& state) {
  SnapshotPoint point{.log_uuid = Uuid{{7}}, .sequence = state.book().head, .generation = state.book().generation};
  point.chain.fill(0x5a);
  return point;
}

MerkleFrontier frontier_of(const State& state) {
  MerkleFrontier tree;
  while (tree.leaves() < state.book().head.value()) tree.add(merkle_leaf({}));
  return tree;
}

class SnapshotFile : public ::testing::Test {
 protected:
  SnapshotSummary write(const State& state) {
    const auto summary = write_snapshot_file(storage, state, point_of(state), frontier_of(state));
    EXPECT_TRUE(summary.has_value());
    name = unfinished_snapshot_name(state.book().head);
    return *summary;
  }
  SnapshotSummary read(Store* into = nullptr) {
    const auto summary = read_snapshot_file(storage, name, into, SnapshotProof::meaning);
    EXPECT_TRUE(summary.has_value());
    return *summary;
  }
  std::string refusal() {
    try {
      (void)read();
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.place().path, name);
      return error.what();
    }
    return {};
  }

  MemoryStorage storage;
  std::string name;
};

RC_GTEST_PROP(SnapshotOfAnyState, HoldsAllOfIt, ()) {
  const State state = state_of(*histories());
  MemoryStorage storage;
  const auto written = write_snapshot_file(storage, state, point_of(state), frontier_of(state));
  State found;
  const auto read =
      read_snapshot_file(storage, unfinished_snapshot_name(state.book().head), &found, SnapshotProof::meaning);
  RC_ASSERT(written.has_value() && read.has_value());
  RC_ASSERT(differences(state, found).empty());
  RC_ASSERT(*read == *written);
  RC_ASSERT(read->state_hash == state_hash(state));
  RC_ASSERT(state_hash(found) == state_hash(state));
}

TEST_F(SnapshotFile, TheSameStateIsTheSameFile) {
  const State state = state_of(random_steps(5, 200));
  const SnapshotSummary first = write(state);
  const std::vector<std::byte> bytes = storage.content(name);
  EXPECT_EQ(bytes.size(), first.bytes);
  remove_snapshot_file(storage, name);
  EXPECT_EQ(write(state), first);
  EXPECT_EQ(storage.content(name), bytes);
}

TEST_F(SnapshotFile, EveryFlippedBitIsNoticed) {
  const State state = state_of(random_steps(5, 12));
  write(state);
  const std::uint64_t bits = storage.content(name).size() * 8;
  std::uint64_t absorbed = 0;
  for (std::uint64_t bit = 0; bit < bits; ++bit) {
    storage.flip_bit(name, bit);
    absorbed += refusal().empty() ? 1 : 0;
    storage.flip_bit(name, bit);
  }
  EXPECT_EQ(absorbed, 0U) << "of " << bits << " bits";
  EXPECT_THAT(refusal(), IsEmpty());
}

TEST_F(SnapshotFile, EveryCutIsNoticed) {
  const State state = state_of(random_steps(5, 12));
  write(state);
  for (std::uint64_t size = storage.content(name).size(); size-- > 0;) {
    storage.cut(name, size);
    ASSERT_FALSE(refusal().empty()) << "cut to " << size << " bytes";
  }
}

TEST_F(SnapshotFile, BytesBehindTheTrailerAreNoticed) {
  write(state_of(random_steps(5, 12)));
  std::vector<std::byte> bytes = storage.content(name);
  bytes.resize(bytes.size() + 8);
  storage.write_durably(name, std::move(bytes));
  EXPECT_THAT(refusal(), HasSubstr("8 bytes behind the trailer"));
}

TEST_F(SnapshotFile, FramesDoNotChangePlaces) {
  // Each payload is larger than a frame is filled with, so each job has a frame of its own, of the same size.
  State state = state_of(random_steps(5, 12));
  Job job;
  auto spec = std::make_shared<JobSpec>();
  spec->payload = Envelope(std::string(200 * 1024, 'x'));
  job.spec = spec;
  for (std::uint64_t id = 100'000; id < 100'003; ++id) {
    job.id.sequence = Sequence(id);
    state.put(job);
  }
  const SnapshotSummary summary = write(state);
  std::vector<std::byte> bytes = storage.content(name);
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t second = view.find("DFRM", view.find("DFRM") + 4);
  const std::size_t third = view.find("DFRM", second + 4);
  ASSERT_EQ(view.find("DFRM", third + 4) - third, third - second);
  ASSERT_GT(summary.bytes, 600'000U);
  std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(second),
                   bytes.begin() + static_cast<std::ptrdiff_t>(third),
                   bytes.begin() + static_cast<std::ptrdiff_t>(third));
  storage.write_durably(name, std::move(bytes));
  EXPECT_THAT(refusal(), HasSubstr("expected frame 1"));
}

TEST_F(SnapshotFile, StopsWhenItIsToldTo) {
  const State state = state_of(random_steps(5, 12));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(write_snapshot_file(storage, state, point_of(state), frontier_of(state), stop.get_token()), std::nullopt);
  EXPECT_THAT(list_snapshot_files(storage).unfinished, IsEmpty());
  write(state);
  EXPECT_EQ(read_snapshot_file(storage, name, nullptr, SnapshotProof::bytes, stop.get_token()), std::nullopt);
}

TEST_F(SnapshotFile, AFullDiskLeavesNoFileBehind) {
  const State state = state_of(random_steps(5, 200));
  storage.set_free_bytes(1000);
  EXPECT_THROW((void)write_snapshot_file(storage, state, point_of(state), frontier_of(state)), StorageError);
  EXPECT_THAT(list_snapshot_files(storage).unfinished, IsEmpty());
}

TEST_F(SnapshotFile, WhatCannotBeMadeDurableOrReadBackFromTheDiskIsNotWritten) {
  const State state = state_of(random_steps(5, 12));
  for (const Operation operation : {Operation::sync, Operation::drop_cache, Operation::sync_folder}) {
    SCOPED_TRACE(name_of(operation));
    storage.fail_next(operation, EIO);
    try {
      (void)write_snapshot_file(storage, state, point_of(state), frontier_of(state));
      ADD_FAILURE() << "written";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), EIO);
    }
    EXPECT_THAT(list_snapshot_files(storage).unfinished, IsEmpty());
    storage.heal();
  }
}

TEST_F(SnapshotFile, NamesThatAreNoSnapshotsAreLeftAlone) {
  storage.write_durably("snapshots/notes.txt", {});
  storage.write_durably("snapshots/00000000000000000000.snap", {});
  storage.write_durably("snapshots/00000000000000000012.snap", {});
  storage.write_durably("snapshots/00000000000000000003.snap", {});
  EXPECT_THAT(list_snapshot_files(storage).snapshots, ::testing::ElementsAre(Sequence(3), Sequence(12)));
  EXPECT_EQ(snapshot_name(Sequence(12)), "snapshots/00000000000000000012.snap");
}

// ---- bytes of version 1, written once ----

/// Something of every kind, and every field set.
State a_full_state() {
  State state;
  Book book;
  book.head = Sequence(40);
  book.head_wall = Instant(Duration(1'772'625'900'113'204));
  book.head_boot = BootTime(Duration(100'000'000));
  book.epoch = Epoch(3);
  book.boot_id = Uuid{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  book.book_offset = Duration(10'000'000);
  book.open = true;
  book.era = 2;
  book.names = 4;
  book.generation = {2, GenerationTag(0x9f3ac1d2)};
  book.held = true;
  book.feature_level = 2;
  book.clock_doubted = true;
  book.dropped_through = Sequence(12);
  book.lost_through = Sequence(11);
  state.put(Name{NameId(1), NameSort::queue, "mail"});
  state.put(Name{NameId(2), NameSort::kind, "send"});
  state.put(Name{NameId(3), NameSort::worker, "w1"});
  state.put(Name{NameId(4), NameSort::client, "c1"});
  state.put(Setting{"payload_bytes", "262144"});
  state.put(Queue{NameId(1), true});
  state.put(Worker{.id = NameId(3),
                   .holder = Holder::handler,
                   .slots = 4,
                   .queues = {NameId(1)},
                   .kinds = {NameId(2)},
                   .joined_at = Instant(Duration(1'772'625'600'000'000)),
                   .epoch = Epoch(3)});
  state.put(RequestRecord{NameId(4), "r17", Sequence(20), Sequence(22), BookTime(Duration(105'000'000))});

  auto spec = std::make_shared<JobSpec>();
  spec->queue = NameId(1);
  spec->kind = NameId(2);
  spec->priority = Priority(-5);
  spec->retry = {RetryPolicy::Backoff::fixed, Duration(2'000'000), Duration(60'000'000), 250, 7};
  spec->unique_key = "k1";
  spec->tags = {{"team", "blue"}, {"tier", "1"}};
  spec->payload = Envelope(Envelope::Contents{1, "ada", 9, "nonce", "payload"});
  Job job;
  job.id = {Sequence(20), GenerationTag(0x9f3ac1d2)};
  job.spec = spec;
  job.state = JobState::running;
  job.cancel_requested = true;
  job.attempt = 2;
  job.attempts_allowed = 7;
  job.due = {Instant(Duration(1'772'625'700'000'000)), BookTime(Duration(106'000'000))};
  job.scheduled_at = Instant(Duration(1'772'625'600'000'000));
  job.lease = Lease{.token = {Sequence(31), GenerationTag(0x9f3ac1d2)},
                    .worker = NameId(3),
                    .holder = Holder::handler,
                    .length = Duration(30'000'000),
                    .ends_at = BookTime(Duration(140'000'000)),
                    .ends_at_wall = Instant(Duration(1'772'625'930'000'000)),
                    .claimed_at = Instant(Duration(1'772'625'900'000'000))};
  job.progress = Envelope("half");
  job.error = Envelope("it broke");
  job.error_kind = NameId(2);
  job.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  job.last_event = Sequence(33);
  job.refused = {{{Sequence(25), GenerationTag(0x9f3ac1d2)}, RefusalCode::lease_lost}};
  state.put(job);

  Job dead;
  dead.id = {Sequence(13), GenerationTag(1)};
  auto plain = std::make_shared<JobSpec>();
  plain->queue = NameId(1);
  plain->kind = NameId(2);
  dead.spec = plain;
  dead.state = JobState::dead;
  dead.dead_reason = DeadReason::attempts_exhausted;
  dead.finalized_at = Instant(Duration(0));
  state.put(dead);
  Job done = dead;
  done.id.sequence = Sequence(14);
  done.state = JobState::completed;
  done.dead_reason = DeadReason::none;
  done.completed_by = Token{Sequence(15), GenerationTag(1)};
  done.result = Envelope("result");
  state.put(done);
  Job uncertain = dead;
  uncertain.id.sequence = Sequence(16);
  uncertain.state = JobState::uncertain;
  uncertain.dead_reason = DeadReason::none;
  uncertain.finalized_at.reset();
  state.put(uncertain);
  state.put(book);
  return state;
}

TEST_F(SnapshotFile, OfVersionOneIsReadAndWrittenAsItStandsInTheFixture) {
  const State state = a_full_state();
  SnapshotPoint point = point_of(state);
  point.feature_level = state.book().feature_level;
  const auto written = write_snapshot_file(storage, state, point, frontier_of(state));
  name = unfinished_snapshot_name(point.sequence);
  const auto fixture = read_fixture("v1/snapshot.hex");
  ASSERT_EQ(fixture.size(), 3U);
  EXPECT_EQ(to_hex(storage.content(name)), to_hex(fixture[0].second));
  EXPECT_EQ(to_hex(std::as_bytes(std::span(written->state_hash))), to_hex(fixture[1].second));
  EXPECT_EQ(to_hex(std::as_bytes(std::span(written->file_sha256))), to_hex(fixture[2].second));

  storage.write_durably(name, fixture[0].second);
  State found;
  EXPECT_EQ(read(&found), *written);
  EXPECT_THAT(differences(state, found), IsEmpty());
}

// ---- the state hash ----

RC_GTEST_PROP(StateHash, ChangesWithEveryEvent, (const Steps& steps)) {
  State state;
  std::vector<Hash> hashes;
  for (const RecordedEvent& recorded : daybook::testing::record(steps).events) {
    apply(state, recorded);
    hashes.push_back(state_hash(state));
  }
  std::sort(hashes.begin(), hashes.end());
  RC_ASSERT(std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end());
}

TEST(StateHash, DoesNotDependOnTheOrderInWhichThingsCame) {
  State forwards;
  State backwards;
  const std::vector<Setting> settings = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  std::for_each(settings.begin(), settings.end(), [&](const Setting& setting) { forwards.put(setting); });
  std::for_each(settings.rbegin(), settings.rend(), [&](const Setting& setting) { backwards.put(setting); });
  EXPECT_EQ(state_hash(forwards), state_hash(backwards));
  backwards.put(Setting{"b", "3"});
  EXPECT_NE(state_hash(forwards), state_hash(backwards));
}

TEST(StateHash, ARequestThatIsTooOldToBeLookedUpDoesNotCount) {
  State state;
  Book book;
  book.head = Sequence(1);
  book.head_boot = BootTime(limits::request_window + Duration(10));
  state.put(RequestRecord{NameId(1), "new", Sequence(1), Sequence(1), BookTime(Duration(10))});
  state.put(
      RequestRecord{NameId(1), "old", Sequence(1), Sequence(1), BookTime(Duration(9))});  // out of order: it stays
  state.put(book);
  ASSERT_NE(state.request(NameId(1), "old"), nullptr);
  State pruned;
  pruned.put(RequestRecord{NameId(1), "new", Sequence(1), Sequence(1), BookTime(Duration(10))});
  pruned.put(book);
  EXPECT_EQ(state_hash(state), state_hash(pruned));
}

TEST(StateHash, TheSumCarriesAcrossAllOfIt) {
  HashSum sum;
  Hash most;
  most.fill(0xFF);
  Hash one{};
  one[0] = 1;
  sum.add(most);
  sum.add(one);
  EXPECT_EQ(sum.value(), Hash{});
  sum.add(most);
  sum.add(most);
  Hash expected = most;
  expected[0] = 0xFE;
  EXPECT_EQ(sum.value(), expected);
}

// ---- records ----

TEST(EntityCodec, WhatUsesNothingOfALaterRevisionIsWrittenAsTheFirst) {
  EntityEncoder encoder;
  EXPECT_EQ(encoder.encode(Queue{NameId(4), true}).revision, 1U);
  EXPECT_EQ(encoder.encode(Name{NameId(4), NameSort::client, "c"}).revision, 1U);
  EXPECT_EQ(encoder.encode(Name{NameId(4), NameSort::group, "g"}).revision, 2U);
  const Queue limited{NameId(4),
                      false,
                      {1, 2, {3, Duration(4), 5}, {6, Duration(7), 8}},
                      {NameId(9), 10},
                      Bucket{-11, BookTime(Duration(12))}};
  const StoredEntity stored = encoder.encode(limited);
  EXPECT_EQ(stored.revision, 2U);
  EXPECT_EQ(std::get<Queue>(decode_entity(stored, {})), limited);
  const Group group{NameId(1), NameId(2), 3, Bucket{4, BookTime(Duration(5))}};
  EXPECT_EQ(std::get<Group>(decode_entity(encoder.encode(group), {})), group);
}

RC_GTEST_PROP(EntityCodec, ARecurringScheduleReadsBackAsItWasWritten, (const Recurring& recurring)) {
  EntityEncoder encoder;
  RC_ASSERT(std::get<Recurring>(decode_entity(encoder.encode(recurring), {})) == recurring);
}

TEST(EntityCodec, ARevisionThatCannotBeIsDamage) {
  EntityEncoder encoder;
  const auto says = [](const StoredEntity& stored) -> std::string {
    try {
      (void)decode_entity(stored, {});
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), Damage::foreign);
      return error.what();
    }
    return "it was decoded";
  };
  StoredEntity stored = encoder.encode(Queue{NameId(4), true});
  stored.revision = 0;
  EXPECT_THAT(says(stored), HasSubstr("revision 0, expected both from 1"));
  Queue limited{NameId(4), true};
  limited.limits.running = 3;
  stored = encoder.encode(limited);
  stored.revision = 1;
  EXPECT_THAT(says(stored), HasSubstr("revision 1 with a value that only revision 2 has"));
}

TEST(EntityCodec, ARecordFromTheFutureIsRefusedAsSuch) {
  EntityEncoder encoder;
  StoredEntity stored = encoder.encode(Queue{NameId(4), true});
  EXPECT_EQ(std::get<Queue>(decode_entity(stored, {})), (Queue{NameId(4), true}));
  stored.revision = 99;
  EXPECT_THROW((void)decode_entity(stored, {}), CorruptionError);
  stored.revision = 1;
  for (const unsigned type : {0U, 99U, 65535U}) {
    stored.type = static_cast<EntityType>(type);
    try {
      (void)decode_entity(stored, {});
      ADD_FAILURE() << "type " << type << " was decoded";
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), type == 0 ? Damage::foreign : Damage::unknown_format);
    }
  }
}

}  // namespace
}  // namespace daybook::test
