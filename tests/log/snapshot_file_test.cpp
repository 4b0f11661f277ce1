// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/snapshot_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "entity_codec.hpp"
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

TEST_F(SnapshotFile, NamesThatAreNoSnapshotsAreLeftAlone) {
  storage.write_durably("snapshots/notes.txt", {});
  storage.write_durably("snapshots/00000000000000000000.snap", {});
  storage.write_durably("snapshots/00000000000000000012.snap", {});
  storage.write_durably("snapshots/00000000000000000003.snap", {});
  EXPECT_THAT(list_snapshot_files(storage).snapshots, ::testing::ElementsAre(Sequence(3), Sequence(12)));
  EXPECT_EQ(snapshot_name(Sequence(12)), "snapshots/00000000000000000012.snap");
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

TEST(EntityCodec, ARecordFromTheFutureIsRefusedAsSuch) {
  EntityEncoder encoder;
  StoredEntity stored = encoder.encode(Queue{NameId(4), true});
  EXPECT_EQ(std::get<Queue>(decode_entity(stored, {})), (Queue{NameId(4), true}));
  ++stored.revision;
  EXPECT_THROW((void)decode_entity(stored, {}), CorruptionError);
  stored.revision = 1;
  for (const unsigned type : {0U, 8U, 65535U}) {
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
