// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/salvage.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "copier.hpp"
#include "daybook/core/apply.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/synced_copy.hpp"
#include "daybook/replay/snapshot.hpp"
#include "new_generation.hpp"
#include "staging.hpp"
#include "ticker.hpp"

// The events are folded while they are copied, for only `apply` knows what can follow. It never sees what was set aside, in this
// book or when the book is opened; nor what a snapshot, with which the state begins, has seen already.

namespace daybook {
namespace {

std::string text(Sequence sequence) {
  return std::to_string(sequence.value());
}

std::string reason_of(const Hole& hole) {
  std::string reason = hole.place.path;
  if (hole.place.offset) reason += ", offset " + std::to_string(*hole.place.offset);
  return reason + ": " + hole.found;
}

std::string range(const Hole& hole) {
  if (hole.first == hole.last) return "event #" + text(hole.first);
  return "events #" + text(hole.first) + " to #" + text(hole.last);
}

/// An event of many renewals is applied one by one, so what is wrong with a later one must be known before the first.
std::optional<std::string> wrong_renewal(const State& state, const Event& event) {
  const auto* renewed = std::get_if<LeasesRenewed>(&event);
  if (renewed == nullptr) return std::nullopt;
  for (const Renewal& renewal : renewed->renewals) {
    const Job* job = state.job(renewal.job.sequence);
    if (kept("replay.salvage.renewal") &&
        (job == nullptr || job->id != renewal.job || !job->lease || job->lease->token != renewal.token)) {
      return "job " + to_string(renewal.job) + " is not under the claim that it renews";
    }
  }
  return std::nullopt;
}

constexpr std::size_t frame_bytes = 8;  // before each stored event

Hash leaf_of(const RecordedEvent& recorded) {
  BatchEncoder encoder;
  encoder.add(recorded);
  return merkle_leaf(std::span(encoder.batch().bytes).subspan(frame_bytes));
}

/// What a log whose beginning was dropped begins with: a state, and the tree of the dropped events.
struct Beginning {
  SnapshotSearch::Found snapshot;
  MerkleFrontier frontier;
};

class Salvager {
 public:
  Salvager(const LogSurvey& survey, SegmentLog& log, Storage& out, const Progress& progress)
      : survey_(survey), log_(log), out_(out), copier_(log, out), ticker_(progress) {}

  void begin_with(Beginning beginning) {
    state_ = std::move(beginning.snapshot.state);
    snapshot_ = state_.book().head;
    frontier_ = std::move(beginning.frontier);
    known_boot_ = state_.book().head_boot;
    facts_.generations = {state_.book().generation};
    report_.dropped_through = survey_.dropped().sequence;
    report_.snapshot = snapshot_;
    keep_snapshot(report_.dropped_through);
  }

  void copy_events() {
    survey_.read([&](const RecordedEvent& recorded, std::span<const std::byte> stored) {
      while (next_hole_ < survey_.holes().size() && survey_.holes()[next_hole_].first < recorded.sequence) {
        declare(survey_.holes()[next_hole_++], recorded);
      }
      take(recorded, stored);
      ticker_.done(recorded.sequence);
    });
    while (next_hole_ < survey_.holes().size()) declare(survey_.holes()[next_hole_++], last_);
    ticker_.finish();
  }

  void begin_generation(Clock& clock, Random& random) {
    facts_.last = last_;
    if (facts_.last) facts_.last->boot = known_boot_;
    facts_.names = NameId(std::max(state_.book().names, highest_lost_name()));
    facts_.actor = state_.find_name(NameSort::actor, own_actor_name);
    std::string how = "salvaged";
    if (snapshot_ != Sequence()) how += ", beginning with the snapshot of sequence " + text(snapshot_) + ",";
    for (RecordedEvent& recorded : new_generation(facts_, how, survey_.last(), survey_.log_uuid(), clock, random)) {
      put_down(recorded);
      own_ = std::move(recorded);
    }
    for (const auto& [id, sort] : lost_names_) {
      if (state_.name(NameId(id)) != nullptr) continue;
      own(NameDefined{Name{NameId(id), sort, "lost-name-" + std::to_string(id)}});
    }
    mark_jobs();
    if (kept("replay.salvage.flush")) copier_.flush();
  }

  SalvageReport report() && { return std::move(report_); }

 private:
  // ---- what is there ----

  void take(const RecordedEvent& recorded, std::span<const std::byte> stored) {
    if (in_snapshot(recorded.sequence)) {
      copier_.add_stored(recorded.sequence, stored);
      ++report_.copied;
      frontier_.add(merkle_leaf(stored));
      keep_snapshot(recorded.sequence);
    } else if (const auto why = cannot_follow(recorded)) {
      set_aside(recorded, stored, *why);
    } else {
      note_names(recorded);
      copier_.add_stored(recorded.sequence, stored);
      ++report_.copied;
    }
    if (const auto* begun = std::get_if<GenerationBegun>(&recorded.event))
      facts_.generations.push_back(begun->generation);
    last_ = recorded;
    if (recorded.epoch == state_.book().epoch) known_boot_ = recorded.boot;
  }

  std::optional<std::string> cannot_follow(const RecordedEvent& recorded) {
    if (!broken_) {  // without a hole there is nothing to blame but the log
      apply(state_, recorded);
      return std::nullopt;
    }
    if (auto wrong = wrong_renewal(state_, recorded.event)) return wrong;
    try {
      apply(state_, recorded);
      return std::nullopt;
    } catch (const CorruptionError& error) {
      const std::string why = error.what();
      return why.substr(0, why.find("; nothing was changed"));  // that advice is for whoever opens a book
    }
  }

  void set_aside(const RecordedEvent& recorded, std::span<const std::byte> stored, const std::string& why) {
    RecordedEvent kept = stand_in(recorded);
    kept.event = EventSetAside{why, std::string(reinterpret_cast<const char*>(stored.data()), stored.size())};
    put_down(kept);
    report_.set_aside.push_back({recorded.sequence, std::string(type_name(recorded.event)), why});
    for (const Sequence job : jobs_of(recorded.sequence, recorded.event)) {
      doubts_.emplace(job, std::string(type_name(recorded.event)) + " #" + text(recorded.sequence) + " was set aside");
    }
  }

  /// A name that a hole took must not be given to somebody else while events still bear its id.
  void note_names(const RecordedEvent& recorded) {
    const auto note = [&](NameId id, NameSort sort) {
      if (kept("replay.salvage.names") && id != NameId() && state_.name(id) == nullptr)
        lost_names_.emplace(id.value(), sort);
    };
    if (!broken_) return;
    note(recorded.by.actor, NameSort::actor);
    if (recorded.request) note(recorded.request->client, NameSort::client);
    if (const auto* duplicate = std::get_if<DuplicateSuppressed>(&recorded.event))
      note(duplicate->kind, NameSort::kind);
  }

  [[nodiscard]] std::uint32_t highest_lost_name() const {
    return lost_names_.empty() ? 0 : lost_names_.rbegin()->first;
  }

  // ---- what is not ----

  void declare(const Hole& hole, const std::optional<RecordedEvent>& following) {
    report_.holes.push_back(hole);
    report_.lost += hole.last.value() - hole.first.value() + 1;
    if (!in_snapshot(hole.last)) {
      broken_ = true;
      doubt_open_jobs(hole);
    }
    RecordedEvent lost = stand_in(last_ ? *last_ : *following);
    lost.sequence = hole.first;
    lost.event = GapDeclared{hole.last, reason_of(hole)};
    put_down(lost);
    lost.event = EventLost{};
    while (lost.sequence < hole.last) {
      lost.sequence = lost.sequence.next();
      put_down(lost);
      ticker_.done(lost.sequence);
    }
    last_ = lost;
  }

  void doubt_open_jobs(const Hole& hole) {
    for_each_open_job([&](const Job& job) {
      doubts_.emplace(job.id.sequence, range(hole) + (hole.first == hole.last ? " is lost" : " are lost"));
    });
  }

  void for_each_open_job(const std::function<void(const Job&)>& visit) const {
    state_.each_job([&](const Job& job) {
      if (job.state != JobState::completed && job.state != JobState::cancelled) visit(job);
    });
  }

  /// The head of an event of our own in the place of another, or behind it.
  [[nodiscard]] RecordedEvent stand_in(const RecordedEvent& other) const {
    RecordedEvent event;
    event.sequence = other.sequence;
    event.epoch = other.epoch;
    event.wall = other.wall;
    event.boot = other.boot;
    event.by.actor = state_.find_name(NameSort::actor, own_actor_name).value_or(NameId());
    return event;
  }

  // ---- the new generation ----

  void mark_jobs() {
    for (const auto& [sequence, why] : doubts_) {
      const Job* job = state_.job(sequence);
      if (job == nullptr || job->state == JobState::completed || job->state == JobState::cancelled) continue;
      const JobId id = job->id;
      const auto holder =
          job->spec->unique_key.empty() ? std::nullopt : state_.key_holder(job->spec->queue, job->spec->unique_key);
      if (kept("replay.salvage.key") && job->state == JobState::dead && holder && *holder != sequence) {
        report_.left_dead.push_back(id);
        continue;
      }
      own(JobMarkedUncertain{id, why});
      report_.uncertain.push_back(id);
    }
  }

  void own(Event event) {
    own_.sequence = own_.sequence.next();
    own_.event = std::move(event);
    put_down(own_);
  }

  void put_down(const RecordedEvent& recorded) {
    if (!in_snapshot(recorded.sequence)) {
      apply(state_, recorded);
      copier_.add(recorded);
      return;
    }
    copier_.add(recorded);
    frontier_.add(leaf_of(recorded));
    keep_snapshot(recorded.sequence);
  }

  // ---- the snapshot that the state begins with ----

  [[nodiscard]] bool in_snapshot(Sequence sequence) const { return sequence <= snapshot_; }

  /// The chain of the new log is its own from the first event behind the dropped ones on.
  void keep_snapshot(Sequence reached) {
    if (reached != snapshot_) return;
    copier_.flush();
    static_cast<void>(write_snapshot(out_, state_, log_.log_uuid(), log_.tail(), frontier_));
  }

  const LogSurvey& survey_;
  SegmentLog& log_;
  Storage& out_;
  Copier copier_;
  Ticker ticker_;
  State state_;
  Facts facts_;
  SalvageReport report_;
  std::size_t next_hole_ = 0;
  Sequence snapshot_;        // 0: the state begins with the first event
  MerkleFrontier frontier_;  // of the events up to there
  bool broken_ = false;      // events that the state lacks were lost
  std::optional<RecordedEvent> last_;
  RecordedEvent own_;
  BootTime known_boot_{};                         // of the last event whose opening is known
  std::map<std::uint32_t, NameSort> lost_names_;  // that events bear
  std::map<Sequence, std::string> doubts_;        // jobs, and why
};

SnapshotSearch newest_believed(const LogSurvey& survey, Storage& from) {
  SnapshotSearch search = newest_snapshot(
      {from, survey.log_uuid(), [&](Sequence sequence) { return survey.chain_at(sequence); }}, survey.last());
  if (!search.found) throw DroppedError(Sequence(1), survey.dropped().sequence);
  return search;
}

}  // namespace

SalvageReport salvage_log(Storage& from, Storage& out, Clock& clock, Random& random, const Progress& progress) {
  const LogSurvey survey(from, progress);
  std::optional<Beginning> beginning;
  std::vector<std::string> notes = survey.notes();
  if (survey.dropped().sequence != Sequence()) {
    SnapshotSearch search = newest_believed(survey, from);
    notes.insert(notes.end(), search.notes.begin(), search.notes.end());
    beginning = Beginning{std::move(*search.found), {}};
  }
  StagedLog staged(out);
  LogOpening opening;
  LogOptions options;
  options.first_epoch = survey.highest_epoch();
  options.feature_level = survey.holes().empty()
                              ? survey.feature_level()
                              : std::max<std::uint32_t>(survey.feature_level(), feature_level_of(GapDeclared{}));
  if (beginning) {
    beginning->frontier = copy_dropped(from, staged, survey.dropped(), survey.highest_epoch(), clock, random);
  }
  auto log = beginning ? SegmentLog::open(staged, clock, random, options, opening)
                       : SegmentLog::create(staged, clock, random, options, opening);
  Salvager salvager(survey, *log, out, progress);
  if (beginning) salvager.begin_with(std::move(*beginning));
  salvager.copy_events();
  salvager.begin_generation(clock, random);
  SalvageReport report = std::move(salvager).report();
  report.from = survey.log_uuid();
  report.head = log->tail();
  report.last = survey.last();
  report.notes = std::move(notes);
  if (kept("replay.salvage.close")) close_copy(*log, out);
  log.reset();
  staged.publish();
  return report;
}

}  // namespace daybook
