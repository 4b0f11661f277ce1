// SPDX-License-Identifier: Apache-2.0
#include "support/memory_storage.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <set>

// The disk that the other tests believe: each fate of a crash and each fault does what it says, and nothing else.

namespace daybook::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr std::size_t sector = 512;

std::vector<std::byte> filled(std::size_t bytes, char with) {
  return std::vector<std::byte>(bytes, static_cast<std::byte>(with));
}

/// A disk with one file of eight synced sectors of 'o'.
class SimulatedDisk : public testing::Test {
 protected:
  SimulatedDisk() {
    disk->write_durably("log/a", filled(8 * sector, 'o'));
    file = open("log/a");
  }

  std::unique_ptr<File> open(const std::string& name) { return disk->open(name, OpenMode::read_write).file; }
  std::unique_ptr<File> create(const std::string& name) { return disk->open(name, OpenMode::create).file; }
  void write(std::uint64_t offset, std::size_t bytes, char with) {
    ASSERT_EQ(file->write_at(offset, filled(bytes, with)).bytes, bytes);
  }
  void crash(const CrashPlan& plan) {
    file.reset();
    disk->crash(plan);
    file = open("log/a");
  }
  std::vector<std::byte> read() {
    std::vector<std::byte> bytes(16 * sector);
    bytes.resize(file->read_at(0, bytes).bytes);
    return bytes;
  }
  // What each sector holds: 'o', 'n', 'h' for both, '?' for something else.
  std::string picture(const std::string& name = "log/a") const {
    const auto content = disk->content(name);
    std::string seen;
    for (std::size_t at = 0; at < content.size(); at += sector) {
      std::set<char> bytes;
      for (std::size_t i = at; i < std::min(at + sector, content.size()); ++i) {
        bytes.insert(static_cast<char>(content[i]));
      }
      seen += bytes.size() == 1 ? *bytes.begin() : bytes == std::set{'n', 'o'} ? 'h' : '?';
    }
    std::replace(seen.begin(), seen.end(), '\0', '0');
    return seen;
  }
  std::uint64_t fired(Fault fault) const { return disk->fault_counts()[fault]; }

  std::unique_ptr<MemoryStorage> disk = std::make_unique<MemoryStorage>();
  std::unique_ptr<File> file;
};

// ---- crashes ----

TEST_F(SimulatedDisk, KeepsWhatWasSyncedThroughAnyCrash) {
  write(0, 3 * sector, 'n');
  ASSERT_EQ(file->sync_data(), 0);
  crash({.seed = 1, .kept_percent = 0, .garbage_percent = 100});
  EXPECT_EQ(picture(), "nnnooooo");
}

TEST_F(SimulatedDisk, KeepsOrLosesEachUnsyncedSectorByItself) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto other = disk->clone();
    auto open_file = other->open("log/a", OpenMode::read_write).file;
    ASSERT_EQ(open_file->write_at(0, filled(2 * sector, 'n')).error, 0);
    other->crash({.seed = seed});
    std::string picture;
    for (const std::size_t at : {std::size_t{0}, sector}) picture += static_cast<char>(other->content("log/a")[at]);
    seen.insert(picture);
    EXPECT_EQ(other->fault_counts()[Fault::sector_kept] + other->fault_counts()[Fault::sector_lost], 2U);
  }
  EXPECT_THAT(seen, UnorderedElementsAre("oo", "on", "no", "nn"));
}

TEST_F(SimulatedDisk, MixesOldAndNewWithinAHalvedSector) {
  write(0, 8 * sector, 'n');
  crash({.seed = 5, .kept_percent = 0, .halved_percent = 100});
  EXPECT_EQ(picture(), "hhhhhhhh");
  EXPECT_EQ(fired(Fault::sector_halved), 8U);
}

TEST_F(SimulatedDisk, GarblesOnlyTheBytesThatWereBeingWritten) {
  write(sector + 100, 200, 'n');
  crash({.seed = 5, .kept_percent = 0, .garbage_percent = 100});
  auto content = disk->content("log/a");
  EXPECT_NE(std::vector(content.begin() + sector + 100, content.begin() + sector + 300), filled(200, 'n'));
  content.erase(content.begin() + sector + 100, content.begin() + sector + 300);
  EXPECT_THAT(content, Each(std::byte{'o'}));
  EXPECT_EQ(fired(Fault::sector_garbled), 1U);
}

TEST_F(SimulatedDisk, GarblesWholeBlocksWhenCommitsAreAlignedToThem) {
  write(sector + 100, 200, 'n');
  const auto other = disk->clone();
  crash({.seed = 5, .kept_percent = 0, .garbage_percent = 100, .garbage_block = 512});
  EXPECT_EQ(picture(), "o?oooooo");
  EXPECT_EQ(read(), disk->content("log/a"));
  other->crash({.seed = 5, .kept_percent = 0, .garbage_percent = 100, .garbage_block = 4096});
  const auto content = other->content("log/a");
  EXPECT_LT(std::count(content.begin(), content.end(), std::byte{'o'}), 100);
}

TEST_F(SimulatedDisk, SettlesSizesApartFromData) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto other = disk->clone();
    auto open_file = other->open("log/a", OpenMode::read_write).file;
    ASSERT_EQ(open_file->write_at(8 * sector, filled(sector, 'n')).error, 0);
    ASSERT_EQ(open_file->truncate(10 * sector), 0);
    other->crash({.seed = seed});
    other.swap(disk);
    seen.insert(picture());
    other.swap(disk);
  }
  EXPECT_THAT(seen, UnorderedElementsAre("oooooooo", "oooooooo0", "oooooooon", "oooooooo00", "oooooooon0"));
}

TEST_F(SimulatedDisk, LeavesWhatIsChosenOfSizesSectorsAndChangesOfAFolder) {
  write(8 * sector, sector, 'n');
  ASSERT_EQ(file->truncate(10 * sector), 0);
  (void)create("log/b");
  std::set<std::pair<std::string, bool>> seen;
  for (unsigned chosen = 0; chosen < 16; ++chosen) {
    auto other = disk->clone();
    EXPECT_EQ(other->crash_with([&](std::size_t i) { return (chosen >> i & 1U) != 0; }), 4U);
    EXPECT_EQ(other->crash_with([](std::size_t) { return true; }), 0U) << "nothing is left to choose";
    other.swap(disk);
    seen.emplace(picture(), disk->exists("log/b"));
    other.swap(disk);
  }
  std::set<std::pair<std::string, bool>> all;
  for (const char* picture : {"oooooooo", "oooooooo0", "oooooooon", "oooooooo00", "oooooooon0"}) {
    all.emplace(picture, false);
    all.emplace(picture, true);
  }
  EXPECT_EQ(seen, all);
}

TEST_F(SimulatedDisk, MayBringBackWhatWasCutOff) {
  ASSERT_EQ(file->truncate(2 * sector), 0);
  const auto other = disk->clone();
  crash({.kept_percent = 0});
  EXPECT_EQ(picture(), "oooooooo");
  EXPECT_EQ(fired(Fault::size_lost), 1U);
  other->crash({.kept_percent = 100});
  EXPECT_EQ(other->content("log/a").size(), 2 * sector);
}

TEST_F(SimulatedDisk, ForgetsAnyOfTheChangesOfAFolderUntilItIsSynced) {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto other = disk->clone();
    ASSERT_EQ(other->open("log/b", OpenMode::create).error, 0);
    ASSERT_EQ(other->remove("log/a"), 0);
    other->crash({.seed = seed});
    seen.insert(other->names());
    EXPECT_EQ(other->fault_counts()[Fault::folder_change_kept] + other->fault_counts()[Fault::folder_change_lost], 2U);
  }
  using Names = std::vector<std::string>;
  EXPECT_THAT(seen, UnorderedElementsAre(Names{}, Names{"log/a"}, Names{"log/b"}, Names{"log/a", "log/b"}));
}

TEST_F(SimulatedDisk, RemembersASyncedFolderWhateverBecomesOfLaterChanges) {
  ASSERT_EQ(disk->rename("log/a", "log/b"), 0);
  ASSERT_EQ(disk->sync_folder("log"), 0);
  ASSERT_EQ(disk->rename("log/b", "log/c"), 0);
  disk->crash();
  EXPECT_THAT(disk->names(), ElementsAre("log/b"));
}

TEST_F(SimulatedDisk, LosesANewFolderWithAllThatIsInIt) {
  ASSERT_EQ(disk->make_folder("quarantine"), 0);
  ASSERT_EQ(disk->open("quarantine/x", OpenMode::create).error, 0);
  ASSERT_EQ(disk->sync_folder("quarantine"), 0);
  const auto other = disk->clone();
  disk->crash();
  EXPECT_THAT(disk->names(), ElementsAre("log/a"));
  ASSERT_EQ(other->sync_folder(""), 0);
  other->crash();
  EXPECT_THAT(other->names(), ElementsAre("log/a", "quarantine/x"));
}

TEST_F(SimulatedDisk, MeansTheSameCrashByTheSameSeed) {
  write(100, 5 * sector, 'n');
  const CrashPlan plan{.seed = 9, .kept_percent = 30, .garbage_percent = 30, .halved_percent = 20};
  const auto other = disk->clone();
  crash(plan);
  other->crash(plan);
  EXPECT_EQ(other->content("log/a"), disk->content("log/a"));
  EXPECT_EQ(other->fault_counts(), disk->fault_counts());
}

TEST_F(SimulatedDisk, SharesNothingVisibleWithItsClone) {
  const auto other = disk->clone();
  write(0, sector, 'n');
  EXPECT_EQ(other->content("log/a"), filled(8 * sector, 'o'));
  ASSERT_EQ(file->truncate(sector + 1), 0);
  ASSERT_EQ(file->truncate(2 * sector), 0);
  EXPECT_EQ(other->content("log/a"), filled(8 * sector, 'o'));
  EXPECT_EQ(disk->content("log/a")[sector + 1], std::byte{0});
}

// ---- syncs that fail ----

TEST_F(SimulatedDisk, ShowsAfterAFailedSyncWhatTheNextSyncDoesNotWrite) {
  write(0, sector, 'n');
  disk->fail_next(Operation::sync_data, EIO);
  EXPECT_EQ(file->sync_data(), EIO);
  EXPECT_EQ(picture(), "nooooooo");
  EXPECT_EQ(file->sync_data(), 0);
  EXPECT_EQ(file->drop_cache(), 0);
  EXPECT_EQ(picture(), "oooooooo");
}

TEST_F(SimulatedDisk, OrRevertsToWhatTheDeviceHas) {
  write(0, sector, 'n');
  write(8 * sector, sector, 'n');
  disk->let_failed_syncs_revert(true);
  disk->fail_next(Operation::sync, EIO);
  EXPECT_EQ(file->sync(), EIO);
  EXPECT_EQ(picture(), "oooooooo0");
  EXPECT_EQ(file->sync(), 0);
  crash({.kept_percent = 0});
  EXPECT_EQ(picture(), "oooooooo0");
}

TEST_F(SimulatedDisk, WritesAStaleSectorThatIsWrittenAgain) {
  write(0, sector, 'n');
  disk->fail_next(Operation::sync_data, EIO);
  EXPECT_EQ(file->sync_data(), EIO);
  write(0, sector, 'n');
  EXPECT_EQ(file->sync_data(), 0);
  crash({.kept_percent = 0});
  EXPECT_EQ(picture(), "nooooooo");
}

// ---- planned failures ----

TEST_F(SimulatedDisk, FailsOneCallOrAllFromOneOn) {
  disk->fail_call(2, EIO);
  std::uint64_t size = 0;
  EXPECT_EQ(file->size(size), 0);
  EXPECT_EQ(file->size(size), EIO);
  EXPECT_EQ(file->size(size), 0);
  disk->fail_for_good(2, ENOSPC);
  EXPECT_EQ(file->size(size), 0);
  EXPECT_FALSE(disk->fired());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(file->sync(), ENOSPC);
  EXPECT_TRUE(disk->fired());
  disk->heal();
  EXPECT_EQ(file->sync(), 0);
  EXPECT_EQ(fired(Fault::planned_error), 4U);
}

TEST_F(SimulatedDisk, AnswersNothingMoreOnceThePowerIsCut) {
  disk->cut_power_at(1);
  EXPECT_THROW((void)file->sync(), PowerCut);
  EXPECT_EQ(disk->sync_folder("log"), EIO);
  EXPECT_EQ(fired(Fault::power_cut), 1U);
}

// ---- faults by chance ----

class FaultyDisk : public SimulatedDisk {
 protected:
  void always(Fault fault, const std::string& in = "") {
    FaultPlan plan;
    plan.seed = 7;
    plan.in = in;
    disk->set_faults(plan.with(fault, 1'000'000));
  }
};

TEST_F(FaultyDisk, AnswersTheErrnoOfItsKind) {
  std::uint64_t size = 0;
  always(Fault::io_error);
  EXPECT_EQ(file->size(size), EIO);
  EXPECT_EQ(disk->open("log/a", OpenMode::read).error, EIO);
  EXPECT_EQ(file->sync(), 0);
  always(Fault::read_error);
  std::array<std::byte, 4> bytes{};
  EXPECT_EQ(file->read_at(0, bytes).error, EIO);
  always(Fault::write_error);
  EXPECT_EQ(file->write_at(0, bytes).error, EIO);
  always(Fault::full);
  EXPECT_EQ(file->write_at(0, bytes).error, ENOSPC);
  EXPECT_EQ(file->allocate(1 << 20), ENOSPC);
  always(Fault::interrupted);
  EXPECT_EQ(file->read_at(0, bytes).error, EINTR);
  EXPECT_EQ(file->sync_data(), EINTR);
  always(Fault::folder_sync_error);
  EXPECT_EQ(disk->sync_folder("log"), EIO);
  for (const Fault fault : {Fault::io_error, Fault::full, Fault::interrupted}) EXPECT_EQ(fired(fault), 2U);
  for (const Fault fault : {Fault::read_error, Fault::write_error, Fault::folder_sync_error}) {
    EXPECT_EQ(fired(fault), 1U);
  }
  EXPECT_EQ(picture(), "oooooooo");
}

TEST_F(FaultyDisk, DoesNothingToNamesThatWereNotMeant) {
  always(Fault::read_error, "index/");
  std::array<std::byte, 4> bytes{};
  EXPECT_EQ(file->read_at(0, bytes).bytes, 4U);
  EXPECT_EQ(disk->fault_counts(), FaultCounts{});
}

TEST_F(FaultyDisk, MovesFewerBytesThanAskedFor) {
  std::array<std::byte, 100> bytes{};
  always(Fault::short_read);
  const std::size_t read = file->read_at(0, bytes).bytes;
  EXPECT_TRUE(read > 0 && read < 100) << read;
  always(Fault::short_write);
  const std::size_t written = file->write_at(0, filled(100, 'n')).bytes;
  EXPECT_TRUE(written > 0 && written < 100) << written;
  const auto content = disk->content("log/a");
  EXPECT_EQ(std::count(content.begin(), content.end(), std::byte{'n'}), static_cast<std::ptrdiff_t>(written));
}

TEST_F(FaultyDisk, LetsSomeOfAFailedSyncArriveAndForgetsTheRest) {
  for (const Fault fault : {Fault::sync_keeps, Fault::sync_reverts}) {
    disk->write_durably("log/a", filled(8 * sector, 'o'));
    file = open("log/a");
    write(0, 8 * sector, 'n');
    always(fault);
    EXPECT_EQ(file->sync_data(), EIO);
    disk->heal();
    if (fault == Fault::sync_keeps) {
      EXPECT_EQ(picture(), "nnnnnnnn");
    } else {
      EXPECT_THAT(picture(), testing::AllOf(testing::HasSubstr("o"), testing::HasSubstr("n")));
    }
    EXPECT_EQ(file->sync_data(), 0);
    crash({.kept_percent = 100});
    EXPECT_THAT(picture(), testing::AllOf(testing::HasSubstr("o"), testing::HasSubstr("n")));
    EXPECT_EQ(fired(fault), 1U);
  }
}

TEST_F(FaultyDisk, CannotReadABadSectorUntilItIsWrittenAnew) {
  std::array<std::byte, 4> bytes{};
  always(Fault::bad_sector);
  EXPECT_EQ(file->read_at(sector, bytes).error, EIO);
  disk->heal();
  EXPECT_EQ(file->read_at(sector, bytes).error, EIO) << "it stays";
  EXPECT_EQ(file->read_at(0, bytes).error, 0);
  crash({});
  EXPECT_EQ(file->read_at(sector, bytes).error, EIO) << "it survives a crash";
  EXPECT_EQ(file->write_at(sector + 1, bytes).error, EIO) << "the rest of it would have to be read";
  write(sector, sector, 'n');
  EXPECT_EQ(file->read_at(sector, bytes).error, 0);
  {
    const auto other = disk->clone();
    other->crash();
    auto again = other->open("log/a", OpenMode::read).file;
    EXPECT_EQ(again->read_at(sector, bytes).error, EIO) << "what was written did not reach it";
  }
  ASSERT_EQ(file->sync_data(), 0);
  crash({});
  EXPECT_EQ(file->read_at(sector, bytes).error, 0);
}

TEST_F(FaultyDisk, FlipsOneBitOfWhatIsReadAndSaysWhere) {
  always(Fault::flipped_bit);
  const auto seen = read();
  ASSERT_EQ(disk->silent_damage().size(), 1U);
  const SilentDamage damage = disk->silent_damage().front();
  disk->heal();
  crash({});
  EXPECT_EQ(read(), seen) << "the device has it";
  const auto bits = std::popcount(static_cast<unsigned>(seen[damage.offset] ^ std::byte{'o'}));
  EXPECT_EQ(bits, 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), std::byte{'o'}), static_cast<std::ptrdiff_t>(seen.size() - 1));
  EXPECT_EQ(damage.name, "log/a");
}

TEST_F(FaultyDisk, LosesAWriteAndSaysItSucceeded) {
  write(0, sector, 'n');
  always(Fault::lost_write);
  EXPECT_EQ(file->sync_data(), 0);
  EXPECT_EQ(picture(), "nooooooo");
  EXPECT_FALSE(disk->dirty("log/a"));
  crash({.kept_percent = 100});
  EXPECT_EQ(picture(), "oooooooo");
  EXPECT_EQ(disk->silent_damage().size(), 1U);
}

TEST_F(FaultyDisk, MisdirectsAWriteWithinItsFile) {
  write(0, sector, 'n');
  always(Fault::misdirected_write);
  EXPECT_EQ(file->sync_data(), 0);
  EXPECT_EQ(picture(), "nooooooo") << "the cache does not know";
  crash({});
  const std::string found = picture();
  EXPECT_EQ(found[0], 'o');
  EXPECT_EQ(std::count(found.begin(), found.end(), 'n'), 1) << found;
  EXPECT_EQ(fired(Fault::misdirected_write), 1U);
}

TEST_F(FaultyDisk, MisdirectsAWriteIntoAnotherFile) {
  disk->write_durably("log/b", filled(4 * sector, 'o'));
  write(0, sector, 'n');
  always(Fault::misdirected_to_file);
  EXPECT_EQ(file->sync_data(), 0);
  EXPECT_EQ(picture("log/b"), "oooo");
  disk->heal();
  ASSERT_EQ(open("log/b")->drop_cache(), 0);
  EXPECT_THAT(picture("log/b"), testing::HasSubstr("n")) << "a dropped cache shows it";
  crash({});
  EXPECT_EQ(picture(), "oooooooo");
  EXPECT_EQ(disk->silent_damage().size(), 2U) << "both places";
}

TEST_F(FaultyDisk, MayWriteBackWhatIsOverwrittenBeforeItWasSynced) {
  write(0, sector, 'm');
  always(Fault::early_write_back);
  write(0, sector, 'n');
  crash({.kept_percent = 0});
  EXPECT_EQ(picture(), "mooooooo");
  EXPECT_EQ(fired(Fault::early_write_back), 1U);
}

TEST_F(FaultyDisk, KeepsItsPlanThroughCrashesAndRepeatsItByItsSeed) {
  FaultPlan plan;
  plan.seed = 11;
  for (std::size_t i = 0; i < fault_count; ++i) plan.with(static_cast<Fault>(i), 100'000);
  const auto run = [&](MemoryStorage& on) {
    on.set_faults(plan);
    for (std::uint64_t life = 0; life < 40; ++life) {
      for (int i = 0; i < 10; ++i) {
        auto opened = on.open("log/a", OpenMode::read_write);
        if (!opened.file) continue;
        std::array<std::byte, 700> bytes{};
        (void)opened.file->write_at(100 * life, filled(700, 'n'));
        (void)opened.file->write_at(100 * life, filled(700, 'm'));
        (void)opened.file->sync();
        (void)opened.file->read_at(0, bytes);
        (void)on.sync_folder("log");
        std::uint64_t size = 0;
        (void)opened.file->size(size);
      }
      on.crash({.seed = life, .kept_percent = 30, .garbage_percent = 20, .halved_percent = 20});
    }
    return on.fault_counts();
  };
  disk->write_durably("log/b", filled(4 * sector, 'o'));
  const auto other = disk->clone();
  const FaultCounts counts = run(*disk);
  EXPECT_EQ(run(*other), counts);
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Fault::early_write_back); ++i) {
    EXPECT_GT(counts[static_cast<Fault>(i)], 0U) << name_of(static_cast<Fault>(i));
  }
  FaultCounts twice = counts;
  twice += counts;
  EXPECT_EQ(twice[Fault::short_write], 2 * counts[Fault::short_write]);
  EXPECT_THAT(describe(counts), testing::HasSubstr("short_write " + std::to_string(counts[Fault::short_write]) + "\n"));
}

}  // namespace
}  // namespace daybook::test
