// SPDX-License-Identifier: Apache-2.0

// The index over a log, through losses of power: LMDB's own writes, the trust mark beside them and the log's segments each keep
// of their unsynced parts what chance leaves. Whatever that is, the index that opens is right or was made anew.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <optional>

#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/open_store.hpp"
#include "index_disk.hpp"
#include "support/histories.hpp"
#include "support/manual_clock.hpp"

namespace daybook::test {
namespace {

constexpr const char* data_file = "index/data.mdb";
constexpr const char* state_file = "index/state";
constexpr std::byte clean_status{2};  // at offset 12 of the state file: docs/index_format.md

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes_min = 64 * 1024;
  options.segment_bytes_max = 128 * 1024;
  return options;
}

/// A log and its index, each on a disk of its own, at some moment of their life.
struct Machine {
  std::unique_ptr<MemoryStorage> log;
  std::unique_ptr<MemoryStorage> index;
  ManualClock clock;
  FixedRandom random;

  [[nodiscard]] Machine clone() const { return {log->clone(), index->clone(), clock, random}; }
};

/// Log and index opened together as a book opens them.
struct OpenedPair {
  LogOpening opening;
  std::unique_ptr<SegmentLog> log;
  StoreOpening store;
};

Moment moment_of(ManualClock& clock) {
  return {clock.wall(), clock.boot(), BookTime{}, 0};
}

OpenedPair open_pair(MemoryStorage& log, const IndexDisk& index, ManualClock& clock, FixedRandom& random) {
  OpenedPair opened;
  opened.log = log_exists(log) ? SegmentLog::open(log, clock, random, small_segments(), opened.opening)
                               : SegmentLog::create(log, clock, random, small_segments(), opened.opening);
  opened.store = open_store(index.folder(), *opened.log, opened.opening.log_uuid, clock.boot_id(), moment_of(clock),
                            [&](Sequence sequence) { return LogReader(log).chain_at(sequence); });
  return opened;
}

std::vector<std::string> differences_from_log(const JobIndex& index, SegmentLog& log) {
  return differences(index, rebuild(events_of(log), index.book().head), 3);
}

/// A random history, appended batch by batch, with projections, clean ends and kills in between; verbs for one story.
class IndexStory {
 public:
  explicit IndexStory(std::uint64_t seed, std::size_t steps = 150)
      : chance_(seed), history_(testing::record(testing::random_steps(seed, steps))) {
    random = FixedRandom(seed);
    open();
  }

  void open() { pair = open_pair(*log_disk, disk, clock, random); }
  void kill() {  // the process; the page cache stays
    pair = {};
    log_disk->kill();
    disk.memory().kill();
  }
  void close() {
    project();
    pair.log->close();
    pair.store.index->close();
    pair = {};
  }
  void project() {
    JobIndex& index = *pair.store.index;
    const Head head = pair.log->tail();
    index.project({index.mark().log_uuid, head.sequence, head.chain}, now());
  }
  /// Appends the next batch and applies it. False: the history is over.
  bool append() {
    if (next_ == history_.batch_ends.size()) return false;
    BatchEncoder encoder;
    const std::size_t begin = next_ == 0 ? 0 : history_.batch_ends[next_ - 1];
    for (std::size_t at = begin; at < history_.batch_ends[next_]; ++at) encoder.add(history_.events[at]);
    ++next_;
    const AppendResult result = pair.log->append(pair.log->epoch(), pair.log->tail(), encoder.batch(), Room::ordinary);
    if (!std::holds_alternative<Committed>(result)) throw std::logic_error("test: the batch was not committed");
    catch_up(*pair.store.index, events_of(*pair.log), pair.log->tail().sequence);
    clock.advance(std::chrono::seconds(1));
    return true;
  }
  /// Until the history is over.
  void live() {
    while (append()) {
      if (chance_.percent(30)) project();
      if (chance_.percent(10)) disk.memory().write_back(data_file);
      if (chance_.percent(6)) {
        close();
        between_lives();
        open();
      } else if (chance_.percent(4)) {
        kill();
        open();
      }
    }
  }

  [[nodiscard]] Machine machine() const { return {log_disk->clone(), disk_memory().clone(), clock, random}; }

  std::unique_ptr<MemoryStorage> log_disk = std::make_unique<MemoryStorage>();
  IndexDisk disk;
  ManualClock clock;
  FixedRandom random;
  OpenedPair pair;
  std::function<void()> between_lives = [] {};

 private:
  [[nodiscard]] MemoryStorage& disk_memory() const { return const_cast<IndexDisk&>(disk).memory(); }
  [[nodiscard]] Moment now() const {
    const Book& book = pair.store.index->book();
    return {book.head_wall, book.head_boot, book.book_time(book.head_boot), 0};
  }

  Chance chance_;
  testing::RecordedHistory history_;
  std::size_t next_ = 0;  // batch
};

CrashPlan any_crash(Chance& chance) {
  return {.seed = chance.next(),
          .kept_percent = static_cast<unsigned>(chance.below(101)),
          .garbage_percent = chance.percent(20) ? 10U : 0U,
          .halved_percent = chance.percent(20) ? 10U : 0U,
          .sector = chance.percent(50) ? 512U : 4096U};
}

struct Tally {
  std::uint64_t images = 0;
  std::uint64_t trusted = 0;
  std::uint64_t rebuilt = 0;
  FaultCounts faults;
};

/// Opens what is left of a machine under the trust rule, and holds the index against the log. While it opens, it may
/// hand on a later moment of the same machine.
void expect_right_or_rebuilt(Machine machine, Tally& tally, std::optional<Machine>* later = nullptr,
                             std::uint64_t after_calls = 0) {
  tally.faults += machine.index->fault_counts();
  const MemoryStorage& memory = *machine.index;
  const bool had_clean_state = memory.exists(state_file) && memory.content(state_file)[12] == clean_status;
  IndexDisk disk(std::move(machine.index));
  if (later != nullptr) {
    disk.before_each_change([&] {
      if (after_calls-- == 0)
        *later = Machine{machine.log->clone(), disk.memory().clone(), machine.clock, machine.random};
    });
  }
  OpenedPair pair = open_pair(*machine.log, disk, machine.clock, machine.random);
  ++tally.images;
  ++(pair.store.rebuilt ? tally.rebuilt : tally.trusted);
  const auto wrong = differences_from_log(*pair.store.index, *pair.log);
  EXPECT_TRUE(wrong.empty()) << (pair.store.rebuilt ? "made anew" : "believed") << ", state "
                             << (had_clean_state ? "clean" : "open or missing") << ": " << wrong.front();
  EXPECT_EQ(pair.store.index->book().head, pair.log->tail().sequence);
}

/// Moments of a story at calls that change the index's disk, one in `every`, and between its lives.
std::vector<Machine> moments_of(IndexStory& story, std::uint64_t every) {
  std::vector<Machine> moments;
  std::uint64_t calls = 0;
  story.disk.before_each_change([&] {
    if (++calls % every == 0) moments.push_back(story.machine());
  });
  story.between_lives = [&] { moments.push_back(story.machine()); };
  story.live();
  story.disk.before_each_change(nullptr);
  return moments;
}

// ---- the order of writes and syncs that the rule rests on ----

TEST(IndexOrder, ACleanlyClosedIndexHasNothingLeftToLose) {
  IndexStory story(3);
  while (story.append()) {
  }
  story.close();
  EXPECT_FALSE(story.disk.memory().dirty(data_file)) << "marked as clean, and not synced";
  EXPECT_FALSE(story.disk.memory().dirty(state_file));
  Machine machine = story.machine();
  machine.log->crash();
  machine.index->crash();
  machine.clock.reboot();
  ASSERT_FALSE(HasFailure()) << "reading it could take the process down";
  Tally tally;
  expect_right_or_rebuilt(std::move(machine), tally);
  EXPECT_EQ(tally.trusted, 1U) << "and is believed after a loss of power";
}

// Looks at every change: while data waits to be synced, no clean mark is on the device. Counts the changes that it looked at.
void expect_no_clean_mark_over_unsynced_data(IndexStory& story, std::uint64_t& looked_at) {
  story.disk.before_each_change([&story, &looked_at] {
    MemoryStorage& memory = story.disk.memory();
    if (!memory.exists(data_file) || !memory.dirty(data_file)) return;
    ++looked_at;
    const auto state = memory.durable_content(state_file);
    EXPECT_TRUE(!state || (*state)[12] != clean_status) << "a loss of power now would leave it believed";
  });
}

TEST(IndexOrder, NothingIsWrittenUnderACleanMark) {
  IndexStory story(4);
  std::uint64_t looked_at = 0;
  expect_no_clean_mark_over_unsynced_data(story, looked_at);
  story.live();
  story.disk.before_each_change(nullptr);
  EXPECT_GT(looked_at, 100U);
}

// The new file may stand at the same point, have the same size, and be given the number of the old one.
TEST(IndexOrder, NothingIsWrittenUnderTheCleanMarkOfAnIndexThatIsMadeAnew) {
  IndexStory story(4);
  for (int i = 0; i < 40; ++i) story.append();
  story.close();
  LogOpening opening;
  const auto log = SegmentLog::open(*story.log_disk, story.clock, story.random, small_segments(), opening);
  std::uint64_t looked_at = 0;
  expect_no_clean_mark_over_unsynced_data(story, looked_at);
  (void)rebuild_store(story.disk.folder(), *log, opening.log_uuid, story.clock.boot_id(), moment_of(story.clock));
  story.disk.before_each_change(nullptr);
  EXPECT_GT(looked_at, 5U);
}

TEST(IndexOrder, ACleanMarkIsNotMadeWhenTheDataCannotBeSynced) {
  for (const bool reverts : {false, true}) {
    IndexStory story(6);
    for (int i = 0; i < 40; ++i) story.append();
    story.project();
    story.disk.memory().let_failed_syncs_revert(reverts);
    story.disk.memory().fail_next(Operation::sync_data, EIO);
    EXPECT_THROW(story.pair.store.index->close(), StorageError);
    story.pair.store.index->condemn();
    story.pair = {};
    EXPECT_FALSE(story.disk.memory().exists(state_file)) << "what failed is not believed, not even in the same boot";
    story.log_disk->kill();
    story.open();
    EXPECT_TRUE(story.pair.store.rebuilt);
    EXPECT_TRUE(differences_from_log(*story.pair.store.index, *story.pair.log).empty());
  }
}

TEST(IndexOrder, AWriteBackThatFailedSinceIsNoticedByTheNextOpening) {
  IndexStory story(7);
  for (int i = 0; i < 40; ++i) story.append();
  story.project();
  story.kill();
  story.disk.memory().fail_next(Operation::sync_data, EIO);
  story.open();
  EXPECT_TRUE(story.pair.store.rebuilt);
  EXPECT_NE(story.pair.store.note.find("cannot be synced"), std::string::npos) << story.pair.store.note;
}

// ---- images --------------------------------------------------------------------------------------------------------

TEST(IndexCrash, WhateverImageALossOfPowerLeavesTheIndexIsRightOrMadeAnew) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    IndexStory story(seed);
    Chance chance(seed);
    for (const Machine& moment : moments_of(story, 8)) {
      for (int image = 0; image < 2; ++image) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", image " + std::to_string(tally.images));
        Machine machine = moment.clone();
        machine.log->crash(any_crash(chance));
        machine.index->crash(any_crash(chance));
        machine.clock.reboot();
        std::optional<Machine> later;
        expect_right_or_rebuilt(std::move(machine), tally, &later, chance.below(60));
        if (later) {  // and once more, while it was being opened
          later->log->crash(any_crash(chance));
          later->index->crash(any_crash(chance));
          later->clock.reboot();
          expect_right_or_rebuilt(std::move(*later), tally);
        }
        if (HasFailure()) return;
      }
    }
  }
  std::cout << tally.images << " images: " << tally.trusted << " believed, " << tally.rebuilt << " made anew\n";
  EXPECT_GT(tally.images, 1000U);
  EXPECT_GT(tally.trusted, 20U);
  EXPECT_GT(tally.rebuilt, 500U);
  for (const Fault fault : {Fault::sector_kept, Fault::sector_lost, Fault::sector_halved, Fault::sector_garbled,
                            Fault::size_lost, Fault::folder_change_kept, Fault::folder_change_lost}) {
    EXPECT_GT(tally.faults[fault], 0U) << name_of(fault);
  }
}

TEST(IndexCrash, AnIndexWhoseProcessWasKilledAnywhereIsRightAndMostlyBelieved) {
  Tally tally;
  for (std::uint64_t seed = 21; seed <= 24; ++seed) {
    IndexStory story(seed);
    for (Machine& moment : moments_of(story, 11)) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", image " + std::to_string(tally.images));
      moment.log->kill();
      moment.index->kill();
      expect_right_or_rebuilt(std::move(moment), tally);
      if (HasFailure()) return;
    }
  }
  std::cout << tally.images << " kills: " << tally.trusted << " believed, " << tally.rebuilt << " made anew\n";
  EXPECT_GT(tally.trusted, 4 * tally.rebuilt);
}

// ---- what the rule is for ----

enum class Unruled : std::uint8_t { right, reported, killed, silently_wrong };

// Believes an image as if the machine had not been restarted. In a process of its own: LMDB may well take it down.
Unruled open_without_the_rule(const Machine& left) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{2, 2};
    setrlimit(RLIMIT_CPU, &limit);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    (void)!freopen("/dev/null", "w", stderr);
    Unruled result = Unruled::reported;
    Machine machine = left.clone();
    LogOpening opening;
    const auto log = SegmentLog::open(*machine.log, machine.clock, machine.random, small_segments(), opening);
    auto* disk = new IndexDisk(std::move(machine.index));
    try {
      IndexDistrust distrust;
      const auto index = JobIndex::open(disk->folder(), opening.log_uuid, machine.clock.boot_id(), distrust);
      if (index != nullptr) {
        const IndexMark mark = index->mark();
        const auto chain = LogReader(*machine.log).chain_at(mark.applied);
        if (chain && *chain == mark.chain) {
          result = differences_from_log(*index, *log).empty() ? Unruled::right : Unruled::silently_wrong;
        }
      }
    } catch (const std::exception&) {
    }
    delete disk;
    _exit(static_cast<int>(result));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) <= 3 ? static_cast<Unruled>(WEXITSTATUS(status)) : Unruled::killed;
}

TEST(IndexCrash, WithoutTheTrustRuleImagesWouldBeSilentlyWrong) {
  std::array<std::uint64_t, 4> counts{};
  Chance chance(5);
  for (std::uint64_t seed = 31; seed <= 36; ++seed) {
    IndexStory story(seed, 500);
    for (const Machine& moment : moments_of(story, 13)) {
      if (!moment.index->exists(data_file) || !moment.index->dirty(data_file)) continue;
      Machine machine = moment.clone();
      machine.log->crash({.kept_percent = 100});
      machine.index->crash(
          {.seed = chance.next(), .kept_percent = 85 + static_cast<unsigned>(chance.below(15)), .sector = 4096});
      ++counts[static_cast<std::size_t>(open_without_the_rule(machine))];
    }
  }
  std::cout << "without the rule: " << counts[0] << " right, " << counts[1] << " reported, " << counts[2]
            << " killed the process, " << counts[3] << " silently wrong\n";
  EXPECT_GT(counts[3], 0U) << "the images are too harmless to show anything";
}

}  // namespace
}  // namespace daybook::test
