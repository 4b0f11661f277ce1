// SPDX-License-Identifier: Apache-2.0
#pragma once

// World: a book with everything around it, in one thread: disk, clock and chance that the script moves, the engine as the
// service starts it, people who ask and hear, and the oracle that remembers.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "choices.hpp"
#include "crash/index_disk.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/backup.hpp"
#include "daybook/scheduler/engine.hpp"
#include "failure.hpp"
#include "figures.hpp"
#include "oracle.hpp"
#include "people.hpp"
#include "script.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"
#include "watched_log.hpp"

namespace daybook::simulation {

class World {
 public:
  World(const Options& options, Figures& figures);
  ~World();

  void perform(const Action& action);
  /// Faults off: whatever is due is claimed within a bounded number of steps, and nothing is left over. Closes the book.
  void drain();
  void count();  // into the figures, once, at the end

  // ---- what actions are made of
  enum class End : std::uint8_t { killed, power_lost };

  void submit(Submission submission);
  void wait_for_claim(Submission submission, Duration wait);
  void withdraw_claims();
  void look(Choices& choices);
  void step();
  void pass(Duration by);  // stepping whenever the engine asked to be woken
  void close(End then, Choices& choices);
  void crash(End end, Choices& choices);
  void crash_soon(End end, Choices& choices, std::size_t calls = 24);  // at one of the next storage calls
  void open(Choices& choices);                                         // with crashes inside, by chance

  void take_snapshot();
  void archive();
  void drop_segments(Choices& choices);  // as the keeper does, or the tool
  void back_up(Choices& choices);
  void restore(Choices& choices);  // the last backup, once: the book goes on as it was then

  void trouble() { faulty_ = troubled_ = erring_ = shaken_ = true; }  // from here on storage errors are no surprise
  void fill(std::uint64_t free_bytes);                                // nor are they here
  void lie() { lied_ = true; }  // from here on the disk may not hold what it was given
  void calm();                  // neither, and room again

  [[nodiscard]] bool alive() const { return engine_ != nullptr; }
  [[nodiscard]] bool over() const { return over_ || failure.happened(); }
  [[nodiscard]] LogOptions log_options() const;
  [[nodiscard]] Moment now();

  const Options options;
  Figures& figures;
  Failure failure;
  test::MemoryStorage disk;
  std::unique_ptr<test::IndexDisk> index;  // null: without one
  test::ManualClock clock;
  test::FixedRandom random;
  Oracle oracle;
  People people;

 private:
  void step_engine();
  void open_once(Choices& choices);
  void open_book();
  void go_down(End end, Choices& choices);
  void drop();
  void keep(const char* what, const std::function<void()>& work);
  void drop_by_keeper(Choices& choices);
  void drop_by_hand(Choices& choices);
  bool record_drop(const SegmentsDropped& dropped);
  [[nodiscard]] static std::size_t stubs(const test::MemoryStorage& storage);
  void check_stubs();
  void check_needs_snapshot();
  void keep_backup(std::unique_ptr<test::MemoryStorage> out, const Backup& made);
  void judge_unfinished_backup(test::MemoryStorage& out, Choices& choices);
  [[nodiscard]] test::CrashPlan fates_of(Choices& choices) const;  // of what is not synced
  [[nodiscard]] bool power_is_off() const { return disk.cut_at().has_value(); }
  void meet_power_cut();
  void count_cut(const std::string& when);
  void renew_index(std::unique_ptr<test::MemoryStorage> memory);
  void count_end(End end);
  bool schedules();
  bool recurs();
  bool claim_and_complete();
  bool expect_wake();
  void skip_to_the_last_due();
  void found_out();
  void judge_shortened(const std::vector<RecordedEvent>& found, std::optional<Sequence> floor);
  void check_opened(const LogOpening& found, std::optional<bool> was_clean, bool was_open);
  void check_recovery_again();

  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<WatchedLog> journal_;
  std::unique_ptr<Engine> engine_;
  std::optional<Instant> wake_wall_;
  std::optional<BootTime> wake_boot_;
  Engine::Ticket tickets_ = 0;
  std::string warned_;  // by the engine, last

  struct KeptBackup {
    std::unique_ptr<test::MemoryStorage> disk;
    Sequence copied;
    std::vector<RecordedEvent> own;  // that follow
  };
  std::optional<KeptBackup> backup_;

  std::optional<std::pair<End, Choices>> cut_;  // what happens when the power is cut
  bool created_ = false;
  std::optional<bool> clean_ = false;  // closed, and nothing since; nothing: perhaps, something was interrupted
  bool faulty_ = false;                // the disk, now
  bool troubled_ = false;              // it was, at some time since the last opening
  bool erring_ = false;                // the disk, now: by more than want of room
  bool shaken_ = false;  // it was, since the last opening: the log may have stopped, and nobody noticed yet
  bool lied_ = false;
  bool over_ = false;  // the disk's lies were found out: this life ends here, and rightly so
};

/// The acknowledged sequence that the witness on the disk vouches for; nothing without a whole slot.
[[nodiscard]] std::optional<Sequence> floor_of(const test::MemoryStorage& disk);
/// Of a log whose beginning was dropped, what is left.
[[nodiscard]] std::vector<RecordedEvent> events_in(SegmentLog& log);
/// The state at the log's end, or after `until` when that is before, from the first event or from a snapshot.
[[nodiscard]] State folded(test::MemoryStorage& disk, Sequence until);
/// Something happens to the bytes of a copy of the disk: whatever reads it afterwards must say so, or lose nothing.
void judge_damage(World& world, Choices& choices);

}  // namespace daybook::simulation
