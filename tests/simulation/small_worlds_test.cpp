// SPDX-License-Identifier: Apache-2.0

// Small worlds, all of them: every sequence of up to three calls of a small alphabet, the power cut after each call to the
// disk that the last of them makes, and of what was not synced by then every choice that reached the device.
//
// The moments within the calls before the last are those of the shorter sequences, and not tried again. Up to twelve unsynced
// sizes, sectors and changes of folders are tried in all combinations; of more, samples from a seed. After sequences of at most
// one call the power is cut again after each call of the recovery that follows: after longer ones that would take minutes
// under a sanitizer. Choices that leave the same bytes, with the same promises, are judged once.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/scheduler/engine.hpp"
#include "failure.hpp"
#include "oracle.hpp"
#include "start_engine.hpp"
#include "support/disk_faults.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"
#include "watched_log.hpp"

namespace daybook::simulation {
namespace {

using test::MemoryStorage;

enum class Letter : std::uint8_t { schedule, schedule_large, claim, complete, fail, cancel, reopen };
constexpr std::array<std::string_view, 7> letters{"schedule", "schedule large", "claim",         "complete",
                                                  "fail",     "cancel",         "close and open"};
using Word = std::vector<Letter>;

constexpr std::size_t longest = 3;
constexpr std::size_t longest_cut_twice = 1;
constexpr std::size_t choices_for_all_subsets = 12;
constexpr std::uint64_t samples = 256;
constexpr std::uint64_t seed = 20'260'304;         // of the samples
constexpr std::uint64_t log_segment_bytes = 4096;  // a large payload fills most of one
constexpr std::size_t large_payload_bytes = 2500;

std::vector<RecordedEvent> events_in(SegmentLog& log) {
  std::vector<RecordedEvent> events;
  log.read(Sequence(1), [&](const RecordedEvent& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

std::unique_ptr<SegmentLog> open_log(MemoryStorage& disk, test::ManualClock& clock, test::FixedRandom& random,
                                     LogOpening& found) {
  const LogOptions options{.segment_bytes_min = log_segment_bytes, .segment_bytes_max = log_segment_bytes};
  return log_exists(disk) ? SegmentLog::open(disk, clock, random, options, found)
                          : SegmentLog::create(disk, clock, random, options, found);
}

std::unique_ptr<Engine> open_engine(Journal& journal, const LogOpening& found, MemoryStorage& disk,
                                    test::ManualClock& clock, test::FixedRandom& random) {
  return start_engine({.journal = journal,
                       .found = found,
                       .chain_at = [&disk](Sequence sequence) { return LogReader(disk).chain_at(sequence); },
                       .index_folder = std::nullopt,
                       .clock = clock,
                       .random = random})
      .engine;
}

/// A book that lives on a disk until the power is cut, with the oracle looking on.
class SmallWorld {
 public:
  void open() {
    LogOpening found;
    log_ = open_log(disk, clock, random_, found);
    const std::vector<RecordedEvent> events = events_in(*log_);
    oracle.expect(events);
    journal_ = std::make_unique<WatchedLog>(*log_, oracle);
    engine_ = open_engine(*journal_, found, disk, clock, random_);
  }
  void schedule(std::string payload = "hello") {
    const auto answer = ask(Schedule{.queue = "mail", .kind = "welcome", .payload = std::move(payload)});
    if (!answer) return failure.say("a schedule was refused: " + answer.error().sentence);
    const JobId job = std::get<Scheduled>(*answer).job;
    if (job.sequence > oracle.head()) failure.say("a schedule was answered before it was on record");
    last_job_ = job;
  }
  void perform(Letter letter) {
    clock.advance(std::chrono::seconds(2));  // so that housekeeping has its turn as well
    switch (letter) {
      case Letter::schedule:
        return schedule();
      case Letter::schedule_large:
        return schedule(std::string(large_payload_bytes, 'x'));
      case Letter::claim: {
        const auto answer =
            ask(Claim{.queues = {"mail"}, .worker = "w", .lease = std::chrono::hours(1), .holder = Holder::external});
        if (!answer) return failure.say("a claim was refused: " + answer.error().sentence);
        const auto& jobs = std::get<Claimed>(*answer).jobs;
        if (!jobs.empty()) claimed_ = jobs.front();
        return;
      }
      case Letter::complete:
        if (claimed_) (void)ask(Complete{claimed_->id, claimed_->token, "sent"});
        return;
      case Letter::fail:
        if (claimed_) (void)ask(Fail{.job = claimed_->id, .token = claimed_->token, .error = "lost"});
        return;
      case Letter::cancel:
        (void)ask(Cancel{*last_job_});
        return;
      case Letter::reopen:
        close();
        return open();
    }
  }

  MemoryStorage disk;
  test::ManualClock clock;
  Failure failure;
  Oracle oracle{failure};

 private:
  Result<Answer> ask(Command command) {
    std::optional<Reply> reply;
    engine_->submit(Submission{.commands = {std::move(command)}}, [&reply](Reply given) { reply = std::move(given); });
    for (auto& [completion, answer] : engine_->step().finished) completion(std::move(answer));
    if (reply->error) std::rethrow_exception(reply->error);
    if (!reply->answers) return tl::unexpected<Refusal>(reply->answers.error());
    return reply->answers->front();
  }
  void close() {
    engine_->close();
    engine_.reset();
    journal_.reset();
    log_.reset();
  }

  test::FixedRandom random_;
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<WatchedLog> journal_;
  std::unique_ptr<Engine> engine_;
  std::optional<JobId> last_job_;
  std::optional<ClaimedJob> claimed_;
};

struct SmallFigures {
  std::uint64_t sequences = 0;
  std::uint64_t crash_points = 0;
  std::uint64_t subsets = 0;
  std::uint64_t images = 0;
  std::uint64_t second_crash_points = 0;  // inside of openings
  std::uint64_t second_images = 0;
  std::uint64_t sampled_points = 0;  // with too many choices for all subsets
  std::size_t most_choices = 0;
  std::size_t most_segments = 0;
};

/// Of all that an opening can see.
std::uint64_t hash_of(const MemoryStorage& disk) {
  std::uint64_t hash = (disk.has_folder("log") ? 1U : 0U) + (disk.has_folder("quarantine") ? 2U : 0U);
  const auto add = [&](std::string_view bytes) {
    hash = hash * 0x100000001b3u ^ std::hash<std::string_view>{}(bytes) ^ bytes.size();
  };
  for (const std::string& name : disk.names()) {
    add(name);
    add(disk.read_only(name) ? "read only" : "writable");
    const std::vector<std::byte> content = disk.content(name);
    add({reinterpret_cast<const char*>(content.data()), content.size()});
  }
  return hash;
}

/// What an opening makes of a disk after a loss of power; empty: what was promised.
std::string judged(MemoryStorage& disk, test::ManualClock clock, const Oracle& oracle) {
  test::FixedRandom random(7);
  std::vector<RecordedEvent> events;
  Head head;
  clock.reboot();
  {
    LogOpening found;
    const auto log = open_log(disk, clock, random, found);
    const std::string different = oracle.difference(events_in(*log));
    if (!different.empty()) return different;
    const auto engine = open_engine(*log, found, disk, clock, random);
    const State state = rebuild(events_of(*log), log->tail().sequence);
    const auto wrong = differences(engine->view(), state, 3);
    if (!wrong.empty()) return "the entities differ from the replay: " + wrong.front();
    events = events_in(*log);
    head = log->tail();
  }
  disk.crash();
  clock.reboot();
  LogOpening found;
  const auto log = open_log(disk, clock, random, found);
  if (log->tail() != head || events_in(*log) != events) return "a second opening finds something else than the first";
  return {};
}

std::string judged_or_thrown(MemoryStorage& disk, const test::ManualClock& clock, const Oracle& oracle) {
  try {
    return judged(disk, clock, oracle);
  } catch (const std::exception& error) {
    return std::string("an honest disk was refused: ") + error.what();
  }
}

/// A loss of power after the `calls`-th call to the disk of the last letter (of the making of the book, for the empty word).
/// Nothing when there are fewer.
std::unique_ptr<SmallWorld> cut_short(const Word& word, std::uint64_t calls) {
  auto world = std::make_unique<SmallWorld>();
  const std::function<void()> make = [&] {
    world->open();
    world->schedule();
  };
  std::uint64_t before = 0;
  const auto last = [&](const std::function<void()>& act) {
    before = world->disk.calls();
    world->disk.cut_power_at(calls + 1);
    try {
      act();
    } catch (const test::PowerCut&) {
    }
  };
  if (word.empty()) {
    last(make);
  } else {
    make();
    for (std::size_t i = 0; i + 1 < word.size(); ++i) world->perform(word[i]);
    last([&] { world->perform(word.back()); });
  }
  const bool fewer = !world->disk.fired() && world->disk.calls() - before < calls;
  return fewer ? nullptr : std::move(world);
}

std::string described(const Word& word) {
  std::string text = "the making of the book";
  for (const Letter letter : word) text += ", " + std::string(letters.at(static_cast<std::size_t>(letter)));
  return text;
}

/// Opens the log until the power is cut after the `calls`-th call; false: there are fewer.
bool cut_in_opening(MemoryStorage& disk, test::ManualClock clock, std::uint64_t calls) {
  test::FixedRandom random(8);
  LogOpening found;
  clock.reboot();
  const std::uint64_t before = disk.calls();
  disk.cut_power_at(calls + 1);
  try {
    (void)open_log(disk, clock, random, found);
  } catch (const test::PowerCut&) {
  }
  return disk.fired() || disk.calls() - before >= calls;
}

std::size_t segments_of(const MemoryStorage& disk) {
  const std::vector<std::string> names = disk.names();
  return static_cast<std::size_t>(
      std::count_if(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".seg"); }));
}

class SmallWorlds : public testing::Test {
 protected:
  void try_word_and_longer(Word& word) {
    try_crashes_in_last(word);
    if (word.size() == longest) return;
    for (std::size_t i = 0; i < letters.size() && !HasFailure(); ++i) {
      word.push_back(static_cast<Letter>(i));
      try_word_and_longer(word);
      word.pop_back();
    }
  }

  SmallFigures figures;

 private:
  void try_crashes_in_last(const Word& word) {
    ++figures.sequences;
    judged_.clear();
    judged_after_two_.clear();
    for (std::uint64_t calls = 1; !HasFailure(); ++calls) {
      const auto world = cut_short(word, calls);
      if (!world) return;
      SCOPED_TRACE(described(word) + "; the power is cut after call " + std::to_string(calls) + " of the last");
      ASSERT_EQ(world->failure.what(), "");
      ++figures.crash_points;
      figures.most_segments = std::max(figures.most_segments, segments_of(world->disk));
      try_all_choices(word, *world);
    }
  }

  void try_all_choices(const Word& word, const SmallWorld& world) {
    each_choice(world.disk, [&](MemoryStorage& left, const std::string& kept) {
      if (!judged_.insert(promised(world, left)).second) return;
      ++figures.images;
      SCOPED_TRACE("of what was not synced is kept: " + kept);
      if (word.size() <= longest_cut_twice) try_crashes_in_opening(world, left);
      EXPECT_EQ(judged_or_thrown(left, world.clock, world.oracle), "");
    });
  }

  // The power is cut again while the log is recovered.
  void try_crashes_in_opening(const SmallWorld& world, const MemoryStorage& disk) {
    for (std::uint64_t calls = 1; !HasFailure(); ++calls) {
      const auto cut = disk.clone();
      if (!cut_in_opening(*cut, world.clock, calls)) return;
      ++figures.second_crash_points;
      SCOPED_TRACE("the power is cut again after call " + std::to_string(calls) + " of the opening");
      each_choice(*cut, [&](MemoryStorage& left, const std::string& kept) {
        if (!judged_after_two_.insert(promised(world, left)).second) return;
        ++figures.second_images;
        EXPECT_EQ(judged_or_thrown(left, world.clock, world.oracle), "") << "of what was not synced is kept: " << kept;
      });
    }
  }

  void each_choice(const MemoryStorage& cut, const std::function<void(MemoryStorage&, const std::string&)>& visit) {
    const std::size_t choices = cut.clone()->crash_with([](std::size_t) { return false; });
    figures.most_choices = std::max(figures.most_choices, choices);
    const auto choose = [&](const std::function<bool(std::size_t)>& keep) {
      ++figures.subsets;
      std::string kept;
      const auto left = cut.clone();
      left->crash_with([&](std::size_t i) {
        const bool chosen = keep(i);
        kept += chosen ? '1' : '0';
        return chosen;
      });
      visit(*left, kept);
    };
    if (choices <= choices_for_all_subsets) {
      for (std::uint64_t mask = 0; mask < std::uint64_t{1} << choices && !HasFailure(); ++mask) {
        choose([mask](std::size_t i) { return (mask >> i & 1) != 0; });
      }
      return;
    }
    ++figures.sampled_points;
    choose([](std::size_t) { return false; });
    choose([](std::size_t) { return true; });
    test::Chance chance(seed);
    for (std::uint64_t sample = 0; sample < samples && !HasFailure(); ++sample) {
      const auto kept_percent = static_cast<unsigned>(10 + 20 * (sample % 5));
      choose([&](std::size_t) { return chance.percent(kept_percent); });
    }
  }

  using Promised = std::tuple<std::uint64_t, bool, std::uint64_t>;  // batches acknowledged, one in flight, the bytes
  static Promised promised(const SmallWorld& world, const MemoryStorage& disk) {
    return {world.oracle.batches(), world.oracle.anything_in_flight(), hash_of(disk)};
  }
  std::set<Promised> judged_;  // of one sequence
  std::set<Promised> judged_after_two_;
};

void tell(const SmallFigures& figures) {
  std::cout << "small worlds: " << figures.sequences << " sequences, " << figures.crash_points << " crash points ("
            << figures.sampled_points << " sampled, with up to " << figures.most_choices << " choices), "
            << figures.subsets << " subsets tried, " << figures.images
            << " distinct images judged; the power cut again at " << figures.second_crash_points
            << " points of openings: " << figures.second_images << " distinct images judged\n";
  const char* file = std::getenv("DAYBOOK_FIGURES");
  if (file == nullptr) return;
  std::ofstream(file, std::ios::app) << R"({"what":"small worlds","sequences":)" << figures.sequences
                                     << R"(,"crash_points":)" << figures.crash_points << R"(,"sampled_points":)"
                                     << figures.sampled_points << R"(,"most_choices":)" << figures.most_choices
                                     << R"(,"subsets":)" << figures.subsets << R"(,"images":)" << figures.images
                                     << R"(,"second_crash_points":)" << figures.second_crash_points
                                     << R"(,"second_images":)" << figures.second_images << "}\n";
}

TEST_F(SmallWorlds, KeepTheirPromisesWhateverOfAnUnsyncedWriteReachedTheDevice) {
  Word word;
  try_word_and_longer(word);
  tell(figures);
  if (HasFailure()) return;
  EXPECT_EQ(figures.sequences, 1U + 7U + 7U * 7U + 7U * 7U * 7U);
  EXPECT_GT(figures.most_segments, 3U) << "the log hardly rotated: the run has shown nothing of it";
}

}  // namespace
}  // namespace daybook::simulation
