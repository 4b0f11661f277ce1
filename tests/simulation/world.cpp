// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "actions.hpp"
#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/replay/snapshot.hpp"
#include "format.hpp"
#include "start_engine.hpp"

// Lives and ends. The rules that are checked here: recovery finds what was acknowledged and at most the batch in flight;
// what an opening has shown does not vanish; the page cache is never believed after an unclean end; a log that was closed
// opens clean, and any other does not.

namespace daybook::simulation {

using namespace std::chrono_literals;

namespace {

constexpr int nested_ends = 3;  // an opening is interrupted so often at most
constexpr int tries_at_most = 8;

test::CrashPlan fates(Choices& choices, std::uint32_t commit_alignment) {
  test::CrashPlan plan;
  plan.seed = choices.any();
  plan.kept_percent = choices.one_of({0U, 10U, 50U, 90U, 100U});
  const unsigned rest = 100 - plan.kept_percent;
  plan.garbage_percent = choices.one_of({0U, rest / 3, rest / 2});
  plan.halved_percent = choices.one_of({0U, rest / 3, rest / 2});
  if (commit_alignment >= 512 && choices.once_in(2)) plan.garbage_block = commit_alignment;
  return plan;
}

}  // namespace

std::vector<RecordedEvent> events_in(SegmentLog& log) {
  std::vector<RecordedEvent> events;
  const auto read = [&](Sequence from) {
    log.read(from, [&](const RecordedEvent& event) {
      events.push_back(event);
      return true;
    });
  };
  try {
    read(Sequence(1));
  } catch (const DroppedError& dropped) {
    read(dropped.through().next());
  }
  return events;
}

std::optional<Sequence> floor_of(const test::MemoryStorage& disk) {
  std::optional<format::WitnessSlot> newest;
  if (!disk.exists("log/witness")) return std::nullopt;
  const std::vector<std::byte> bytes = disk.content("log/witness");
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t at = std::min(i * format::witness_slot_bytes, bytes.size());
    const auto slot = format::parse_witness_slot(std::span(bytes).subspan(at));
    if (slot && slot->counter % 2 == i && (!newest || slot->counter > newest->counter)) newest = *slot;
  }
  return newest ? std::optional(newest->acknowledged) : std::nullopt;
}

World::World(const Options& options_, Figures& figures_)
    : options(options_), figures(figures_), random(options_.chance), oracle(failure), people(oracle, failure) {
  if (options.index) index = std::make_unique<test::IndexDisk>();
}

World::~World() = default;

LogOptions World::log_options() const {
  LogOptions log;
  log.segment_bytes_min = options.segment_bytes_min;
  log.segment_bytes_max = options.segment_bytes_max;
  log.commit_alignment = options.commit_alignment;
  return log;
}

Moment World::now() {
  return {clock.wall(), clock.boot(), oracle.model().book().book_time(clock.boot()), 0};
}

void World::perform(const Action& action) {
  Choices choices(action.choice);
  if (!over() && !engine_) open(choices);
  if (!over() && engine_->poisoned() && choices.once_in(3)) crash(End::killed, choices);
  if (over()) return;
  action_table().at(static_cast<std::size_t>(action.kind)).perform(*this, choices);
  if (!over() && power_is_off()) meet_power_cut();
}

void World::count() {
  ++figures.runs;
  if (options.index) ++figures.runs_with_index;
  figures.events += oracle.events().size();
  figures.answers += people.answered();
  figures.fired += disk.fault_counts();
  if (index) figures.fired += index->memory().fault_counts();
  figures.end_states.insert(oracle.hash());
}

// ---- asking -------------------------------------------------------------------------------------------------------

void World::submit(Submission submission) {
  people.send(submission);
  auto sent = std::make_shared<const Submission>(submission);
  engine_->submit(std::move(submission), [this, sent](const Reply& reply) { people.hear(*sent, reply, now().book); });
}

void World::wait_for_claim(Submission submission, Duration wait) {
  people.send(submission);
  auto sent = std::make_shared<const Submission>(std::move(submission));
  engine_->submit_claim(++tickets_, std::get<Claim>(sent->commands.front()), sent->context, now().book + wait,
                        [this, sent](const Reply& reply) { people.hear(*sent, reply, now().book); });
}

void World::withdraw_claims() {
  engine_->withdraw_all();
}

// What a reader is shown is what is on record.
void World::look(Choices& choices) {
  const std::uint64_t drawn = choices.any();
  engine_->look(
      [this, drawn](const View& view, const Moment&) {
        if (view.book() != oracle.model().book()) failure.say("a reader saw a book that is not on record");
        const Sequence id(1 + drawn % std::max<std::uint64_t>(1, oracle.head().value()));
        const Job* seen = view.job(id);
        const Job* known = oracle.model().job(id);
        if ((seen == nullptr) != (known == nullptr) || (seen != nullptr && !(*seen == *known))) {
          failure.say("a reader saw a job as it is not on record");
        }
      },
      [this](const Reply& reply) {
        if (reply.error && !engine_->poisoned()) failure.say("a look failed");
      });
}

void World::step_engine() {
  people.step_begins();
  Engine::Step step = engine_->step();
  wake_wall_ = step.wake_wall;
  wake_boot_ = step.wake_boot;
  for (auto& [completion, reply] : step.finished) completion(std::move(reply));
}

void World::step() {
  if (!engine_) return;
  step_engine();
  if (power_is_off()) return meet_power_cut();
  if (engine_->poisoned()) {
    if (!troubled_ && !lied_) {
      failure.say("the engine stopped, and nothing was wrong with the disk: " + warned_);
    }
    return;
  }
  if (oracle.anything_in_flight()) failure.say("the engine goes on though nobody knows what became of a batch");
  if (engine_->view().book().head != oracle.head()) failure.say("something was decided and not acknowledged");
}

void World::pass(Duration by) {
  const BootTime until = clock.boot() + by;
  for (int wakes = 0; wakes < 20 && engine_ && !engine_->poisoned(); ++wakes) {
    std::optional<BootTime> next = wake_boot_;
    if (wake_wall_) {
      const BootTime at = clock.boot() + (*wake_wall_ - clock.wall());
      if (!next || at < *next) next = at;
    }
    if (!next || *next >= until) break;
    if (*next > clock.boot()) clock.advance(*next - clock.boot());
    step();
  }
  if (clock.boot() < until) clock.advance(until - clock.boot());
  step();
}

// ---- ends ---------------------------------------------------------------------------------------------------------

test::CrashPlan World::fates_of(Choices& choices) const {
  return fates(choices, options.commit_alignment);
}

void World::drop() {
  engine_.reset();
  journal_.reset();
  log_.reset();
  wake_wall_.reset();
  wake_boot_.reset();
}

void World::go_down(End end, Choices& choices) {
  drop();
  people.process_died();
  cut_.reset();
  if (end == End::killed) {
    disk.kill();
    clock.advance(choices.one_of<Duration>({0s, 1s, 1min, 1h}));
    return;
  }
  disk.crash(fates_of(choices));
  if (index) {
    auto left = index->memory().clone();
    left->crash(fates(choices, 8));
    renew_index(std::move(left));
  }
  clock.reboot(choices.one_of<Duration>({1s, 1min, 1min, 1h, 24h * 3, -1h, 24h * 400}));
}

void World::crash(End end, Choices& choices) {
  count_end(end);
  go_down(end, choices);
  open(choices);
}

void World::count_end(End end) {
  ++(end == End::killed ? figures.kills : figures.power_losses);
  if (options.index) ++figures.crashes_with_index;
}

// "write segment": which call, and on what.
void World::count_cut(const std::string& when) {
  const test::MemoryStorage::Cut cut = *disk.cut_at();
  std::string on = cut.name;
  if (on.ends_with(".seg")) on = "segment";
  if (on.ends_with(".cut")) on = "quarantined";
  std::erase_if(on, [](char c) { return c >= '0' && c <= '9'; });  // archives, stubs and snapshots have numbers
  ++figures.crash_points[std::string(name_of(cut.operation)) + " " + on + when];
}

void World::crash_soon(End end, Choices& choices, std::size_t calls) {
  cut_.emplace(end, Choices(choices.any()));
  disk.cut_power_at(1 + choices.below(calls));
}

void World::meet_power_cut() {
  count_cut("");
  auto [end, choices] = *cut_;
  crash(end, choices);
}

void World::close(End then, Choices& choices) {
  engine_->withdraw_all();
  step();
  if (!engine_ || engine_->poisoned() || over()) return;
  clean_.reset();
  try {
    engine_->close();
    clean_ = troubled_ ? std::nullopt : std::optional(true);
  } catch (const test::PowerCut&) {
    return meet_power_cut();
  } catch (const StorageError& error) {
    if (!troubled_) failure.say(std::string("closing failed: ") + error.what());
  }
  if (power_is_off()) return meet_power_cut();
  ++figures.clean_ends;
  go_down(then, choices);
}

void World::fill(std::uint64_t free_bytes) {
  faulty_ = troubled_ = true;
  disk.set_free_bytes(free_bytes);
}

void World::calm() {
  faulty_ = false;
  erring_ = false;
  cut_.reset();
  disk.heal();
  disk.set_free_bytes(std::nullopt);
  disk.transfer_at_most(0);
  if (index) index->memory().heal();
}

void World::renew_index(std::unique_ptr<test::MemoryStorage> memory) {
  figures.fired += index->memory().fault_counts();
  index = std::make_unique<test::IndexDisk>(std::move(memory));
}

// ---- beginnings ---------------------------------------------------------------------------------------------------

void World::open(Choices& choices) {
  for (int tries = 0; !engine_ && !over(); ++tries) {
    if (tries == tries_at_most) {
      found_out();
      if (!lied_) failure.say("the book does not open");
      return;
    }
    if (tries >= nested_ends) {
      calm();
    } else if (choices.once_in(3)) {
      crash_soon(choices.one_of({End::killed, End::power_lost, End::power_lost}), choices);
      disk.cut_power_at(1 + choices.below(60));
    }
    open_once(choices);
    if (!power_is_off()) continue;
    count_cut(" while opening");
    ++figures.nested[static_cast<std::size_t>(std::min(tries, nested_ends))];
    const End end = cut_->first;
    count_end(end);
    go_down(end, choices);
  }
}

void World::open_once(Choices& choices) {
  troubled_ = faulty_;
  shaken_ = erring_;
  if (choices.once_in(4)) check_recovery_again();
  try {
    open_book();
    return;
  } catch (const test::PowerCut&) {
    return;
  } catch (const CorruptionError& error) {
    if (power_is_off()) return;
    drop();
    found_out();
    if (!lied_) failure.say(std::string("an honest disk was called damaged: ") + error.what());
  } catch (const StorageError& error) {
    if (power_is_off()) return;
    drop();
    disk.kill();
    ++figures.storage_errors;
    if (!troubled_ && !lied_) failure.say(std::string("opening failed on a disk without faults: ") + error.what());
  } catch (const DroppedError& error) {
    if (power_is_off()) return;
    drop();
    disk.kill();
    if (!troubled_ && !lied_) failure.say(std::string("what was dropped is needed: ") + error.what());
  }
}

void World::open_book() {
  const std::optional<bool> was_clean = clean_;
  if (clean_ == true) clean_.reset();
  const bool exists = log_exists(disk);
  if (!exists && created_) {
    found_out();
    if (!lied_) failure.say("the log is gone");
    return;
  }
  std::optional<Sequence> floor = lied_ ? floor_of(disk) : std::nullopt;
  const std::size_t lies_before = lied_ ? disk.silent_damage().size() : 0;
  LogOpening found;
  log_ = exists ? SegmentLog::open(disk, clock, random, log_options(), found)
                : SegmentLog::create(disk, clock, random, log_options(), found);
  created_ = true;
  const std::vector<RecordedEvent> events = events_in(*log_);
  if (lied_ && log_->tail().sequence < oracle.head()) {
    const auto lies = disk.silent_damage();
    const bool witness_rotted = std::any_of(lies.begin() + static_cast<std::ptrdiff_t>(lies_before), lies.end(),
                                            [](const test::SilentDamage& lie) { return lie.name == "log/witness"; });
    if (witness_rotted) floor.reset();  // while it was read: the log never saw what it says
    return judge_shortened(events, floor);
  }
  oracle.expect(events);
  if (!lied_) check_stubs();
  if (over()) return;
  remove_unfinished_snapshots(disk);
  const bool was_open = oracle.model().book().open;
  journal_ = std::make_unique<WatchedLog>(*log_, oracle);
  std::optional<std::string> index_folder;
  if (index) index_folder = index->folder();
  StartedEngine started =
      start_engine({.journal = *journal_,
                    .found = found,
                    .chain_at = [this](Sequence sequence) { return LogReader(disk).chain_at(sequence); },
                    .index_folder = index_folder,
                    .clock = clock,
                    .random = random,
                    .bounds = {.payload_bytes = options.payload_bytes, .batch_bytes = options.batch_bytes},
                    .owner = {.process = 4711, .host = "host", .release = "0"},
                    .warn = [this](const std::string& sentence) { warned_ = sentence; },
                    .start = start_at_snapshot({disk, found.log_uuid, [this](Sequence sequence) {
                                                  return LogReader(disk).chain_at(sequence);
                                                }})});
  engine_ = std::move(started.engine);
  check_opened(found, was_clean, was_open);
}

void World::found_out() {
  over_ = lied_;
  if (lied_) ++figures.lies_reported;
}

// Acknowledged batches that no witness vouches for, and whose bytes the disk never kept: nobody can tell them from a tear.
void World::judge_shortened(const std::vector<RecordedEvent>& found, std::optional<Sequence> floor) {
  drop();
  over_ = true;
  ++figures.lies_unprovable;
  if (!oracle.common(found)) failure.say("a lying disk made other events of those that were acknowledged");
  const Sequence last = found.empty() ? Sequence() : found.back().sequence;
  if (floor && last < *floor) {
    failure.say("the witness vouches for sequence " + std::to_string(floor->value()) +
                ", the log was opened with events up to " + std::to_string(last.value()));
  }
}

void World::check_opened(const LogOpening& found, std::optional<bool> was_clean, bool was_open) {
  clean_ = false;
  people.life_begins();
  if (!lied_ && was_clean == true && found.tail != TailStatus::clean)
    failure.say("a log that was closed did not open clean");
  if (!lied_ && was_clean == false && found.tail == TailStatus::clean)
    failure.say("a log that was not closed opened clean");
  // A held copy keeps what it shows.
  if (was_open && !oracle.model().book().held && oracle.ledger().handlers_hold_claims()) {
    failure.say("a handler's claim outlived its process");
  }
  if (!engine_->poisoned()) oracle.compare(engine_->view());
}

// On a copy of the disk: recovery, then a loss of power, then recovery again. The second finds what the first showed.
void World::check_recovery_again() {
  if (!created_ || lied_) return;
  const auto copy = disk.clone();
  copy->set_free_bytes(std::nullopt);
  copy->transfer_at_most(0);
  test::ManualClock time = clock;
  test::FixedRandom chance(options.chance + 1);
  try {
    std::vector<RecordedEvent> first;
    for (int time_of = 0; time_of < 2; ++time_of) {
      LogOpening found;
      const auto log = SegmentLog::open(*copy, time, chance, log_options(), found);
      const std::vector<RecordedEvent> events = events_in(*log);
      if (time_of == 0) first = events;
      const std::string different = oracle.difference(events);
      if (!different.empty()) failure.say("recovery of a copy: " + different);
      if (events != first) failure.say("recovery of what was recovered finds something else");
      copy->crash();
    }
  } catch (const std::exception& error) {
    failure.say(std::string("recovery of a copy failed: ") + error.what());
  }
}

}  // namespace daybook::simulation
