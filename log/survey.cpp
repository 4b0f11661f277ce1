// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/survey.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "daybook/core/mutant.hpp"
#include "event_codec.hpp"
#include "patient_storage.hpp"
#include "segment_file.hpp"
#include "segment_name.hpp"
#include "segment_proof.hpp"
#include "segment_reader.hpp"
#include "witness.hpp"

// Segments are proved one by one, then put one behind the other. What decides between two pieces that contradict each other is
// the chain from the beginning on: the later piece loses the batch at the seam.

namespace daybook {
namespace {

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

std::string short_hash(const Hash& hash) {
  return to_hexadecimal(std::span(hash).first(8)) + "…";
}

struct SurveyedFile {
  std::string name;
  bool opened = false;                          // false: an archive whose own header is damaged
  std::optional<format::SegmentHeader> header;  // unset: damaged
  std::string problem;                          // then
  Sequence first;                               // by its header; without one, by its name
};

struct PlacedRun {
  std::string name;
  format::SegmentHeader header;  // as far as it is known: salt and alignment are
  Run run;
};

}  // namespace

struct LogSurvey::Impl {
  explicit Impl(Storage& storage) : patient(storage) {}

  // ---- what there is ----

  SegmentReader reader_of(const std::string& name, const format::SegmentHeader& header) {
    return {SegmentFile::open(patient, sequences.at(name)), header};
  }

  void list() {
    const LogFiles found = list_log(patient);
    for (const Sequence first : found.segments) {
      SurveyedFile file{.name = segment_name(first), .header = {}, .problem = {}, .first = first};
      try {
        SegmentFile opened = SegmentFile::open(patient, first);
        if (opened.form() == SegmentForm::dropped) continue;
        file.opened = true;
        file.name = opened.name();
        look_at_header(file, opened);
      } catch (const CorruptionError& error) {  // of an archive's own header
        if (kept("log.survey.newer_archive") && error.damage() == Damage::unknown_format) throw;
        file.name = error.place().path;
        file.problem = error.what();
      }
      sequences[file.name] = first;
      files.push_back(std::move(file));
    }
    if (!found.dropped.empty()) begin_behind(found.dropped.back());
    std::stable_sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    witness = read_witness(patient).newest;
  }

  void begin_behind(Sequence last_stub) {
    SegmentFile stub = SegmentFile::open(patient, last_stub);
    const auto seal =
        format::parse_seal_payload(std::span(stub.archive_header()->seal).subspan(format::batch_header_bytes));
    if (!seal) {
      throw CorruptionError(Damage::corrupt_sealed_segment, {stub.name(), std::nullopt, last_stub},
                            stub.name() + " stands for events that were dropped, and nothing can be built on it: " +
                                seal.error().sentence + ". Nothing was changed. Restore the book from a backup.");
    }
    dropped = {seal->last, seal->chain};
    next = dropped.sequence.next();
    chain = dropped.chain;
  }

  static void look_at_header(SurveyedFile& file, SegmentFile& opened) {
    const auto header = SegmentReader::read_header(opened);
    if (header) {
      file.header = *header;
      file.first = header->first;
    } else if (kept("log.survey.newer_segment") && header.error().kind == format::Problem::Kind::newer) {
      throw CorruptionError(Damage::unknown_format, {file.name, 0, file.first},
                            header.error().sentence + ". Nothing was changed.");
    } else {
      file.problem = header.error().sentence;
    }
  }

  // That of the witness, if any segment bears it; else that of most segments.
  void identify() {
    std::map<std::array<std::uint8_t, 16>, std::size_t> votes;
    std::size_t most = 0;
    for (const SurveyedFile& file : files) {
      if (!file.header) continue;
      std::size_t& count = votes[file.header->log_uuid.bytes];
      if (++count <= most) continue;
      most = count;
      log_uuid = file.header->log_uuid;
    }
    if (!witness) {
      notes.emplace_back(
          "no slot of the witness (log/witness) is whole: up to where events were acknowledged is not known");
    } else if (most == 0 || votes.contains(witness->log_uuid.bytes) || !kept("log.survey.witness")) {
      log_uuid = witness->log_uuid;
    } else {
      notes.emplace_back("the witness is of log " + to_string(witness->log_uuid) +
                         ", which no segment is of: it is left out");
      witness.reset();
    }
    if (witness) highest_epoch = witness->epoch;
  }

  // ---- one segment after the other ----

  void survey(const std::function<void(Sequence)>& progress) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      const SurveyedFile& file = files[i];
      if (kept("log.survey.log_uuid") && file.header && file.header->log_uuid != log_uuid) {
        blame({{file.name, 0, file.first},
               "a segment of log " + to_string(file.header->log_uuid) + ", expected " + to_string(log_uuid)});
        continue;
      }
      if (file.header) {
        place(file, *file.header, next_of(i), nullptr);
      } else if (file.opened) {
        place_without_header(file, next_of(i));
      } else {
        rest.reset();
        blame({{file.name, 0, file.first}, file.problem});
      }
      if (progress) progress(Sequence(next.value() - 1));
    }
  }

  // Of the next segment of this log whose header is whole.
  const SurveyedFile* next_of(std::size_t i) const {
    for (++i; i < files.size(); ++i) {
      if (files[i].header && files[i].header->log_uuid == log_uuid && files[i].first > next) return &files[i];
    }
    return nullptr;
  }

  void place(const SurveyedFile& file, const format::SegmentHeader& header, const SurveyedFile* successor,
             const format::BatchHeader* start) {
    SegmentReader reader = reader_of(file.name, header);
    if (start != nullptr) reader.move_to(start->offset, start->first, start->previous);
    highest_epoch = std::max(highest_epoch, header.epoch);
    feature_level = std::max(feature_level, header.feature_level);
    SegmentProof proof;
    try {
      proof = prove_segment(reader);
    } catch (const CorruptionError& error) {  // an archive that does not unpack: nothing of it is taken
      if (kept("log.survey.newer_content") && error.damage() == Damage::unknown_format) throw;
      blame({{file.name, error.place().offset, next}, error.what()});
      return;
    }
    for (Run& run : proof.runs) {
      if (run.blame && !(start != nullptr && run.first == next)) blame(std::move(*run.blame));
      accept(file.name, header, std::move(run), successor);
    }
    if (kept("log.survey.sealed_through")) floor = std::max(floor, proof.sealed_through);
    rest.reset();
    if (proof.rest) {
      rest = proof;
      blame(*proof.rest);
    }
  }

  // Neither salt nor log are known then. What its batches are linked to says whether they belong here; its salt, which
  // each of them repeats, then speaks for all.
  void place_without_header(const SurveyedFile& file, const SurveyedFile* successor) {
    format::SegmentHeader header;
    header.first = file.first;
    header.log_uuid = log_uuid;
    header.commit_alignment = 8;
    SegmentReader scan = reader_of(file.name, header);
    const auto any = scan.find_any_batch(format::segment_header_bytes, std::max(file.first, Sequence(1)));
    bool ours = false;
    if (any && !any->seal) {
      header.salt = any->salt;
      SegmentReader reader = reader_of(file.name, header);
      reader.move_to(any->offset, any->first, any->previous);
      const SegmentProof proof = prove_segment(reader);
      ours = std::any_of(proof.runs.begin(), proof.runs.end(), [&](const Run& run) { return linked(run, successor); });
    }
    if (ours || !kept("log.survey.linked")) {
      notes.push_back(file.name + ": its header is damaged (" + file.problem + "); its batches continue the chain");
      place(file, header, successor, &*any);
    } else {
      rest.reset();
      blame({{file.name, 0, file.first},
             file.problem + "; and nothing in the file continues the chain hash of a neighbour"});
    }
  }

  bool linked(const Run& run, const SurveyedFile* successor) const {
    const bool from_before = run.first == next && chain && run.before == *chain;
    const bool into_next =
        successor != nullptr && run.last.next() == successor->first && run.behind == successor->header->chain;
    const bool witnessed = witness && run.last == witness->acknowledged && run.behind == witness->chain;
    return from_before || into_next || witnessed;
  }

  // ---- the whole ----

  void blame(Blame found) {
    if (!cause) cause = std::move(found);
  }

  void accept(const std::string& name, const format::SegmentHeader& header, Run run, const SurveyedFile* successor) {
    if (kept("log.survey.repeats") && run.first < next) {
      notes.push_back(name + ": it repeats events from sequence " + text(run.first.value()) +
                      " on, which are there already");
      return;
    }
    if (kept("log.survey.overlap") && successor != nullptr && run.last >= successor->first) {
      blame({{name, run.offset, run.first},
             "batches up to sequence " + text(run.last.value()) + ", where " + successor->name +
                 " begins with sequence " + text(successor->first.value())});
      return;
    }
    if (kept("log.survey.chain") && run.first == next && chain && run.before != *chain) {
      blame({{name, run.offset, run.first},
             "a batch that continues chain hash " + short_hash(run.before) + ", expected " + short_hash(*chain)});
      if (!run.second) return;
      run.offset = run.second->offset;
      run.first = run.second->first;
      run.before = run.second->before;
    }
    if (kept("log.survey.hole") && run.first > next) {
      declare(Sequence(run.first.value() - 1), {segment_name(next), 0, next},
              "the segment is missing: the next one there is begins with sequence " + text(run.first.value()));
    } else if (cause) {
      notes.push_back(cause->place.path + ", offset " + text(cause->place.offset.value_or(0)) + ": " + cause->found +
                      "; no event was lost by it");
    }
    cause.reset();
    next = run.last.next();
    chain = run.behind;
    highest_epoch = std::max(highest_epoch, run.epoch);
    if (kept("log.survey.witness_chain") && witness && run.last == witness->acknowledged &&
        run.behind != witness->chain) {
      notes.push_back("the witness saw another history of sequence " + text(run.last.value()) + ": chain hash " +
                      short_hash(witness->chain) + ", found " + short_hash(run.behind));
    }
    events += run.last.value() - run.first.value() + 1;
    runs.push_back({name, header, std::move(run)});
  }

  void declare(Sequence last, Place place, std::string found) {
    if (cause) {
      place = std::move(cause->place);
      found = std::move(cause->found);
    }
    place.sequence = next;
    holes.push_back({next, last, std::move(place), std::move(found)});
    cause.reset();
    next = last.next();
    chain.reset();
  }

  void end() {
    const std::string name = runs.empty() ? segment_name(next) : runs.back().name;
    const Sequence acknowledged = witness ? witness->acknowledged : Sequence();
    if (const Sequence end = std::max(acknowledged, floor); end >= next && kept("log.survey.lost_end")) {
      declare(end, {name, std::nullopt, next},
              "the log ends here; " +
                  (end == acknowledged ? "the witness saw events synced up to sequence " + text(end.value())
                                       : "the seal of the segment says that it went on up to " + text(end.value())));
    } else if (kept("log.survey.lost_tail") && cause && may_have_counted()) {
      cause->found += "; how many events this was is not known, one stands for all";
      declare(next, {}, {});
    } else if (cause) {
      notes.push_back(cause->place.path + ", offset " + text(cause->place.offset.value_or(0)) + ": " + cause->found +
                      "; behind the last event that was acknowledged");
    }
    cause.reset();
    for (const auto& [file, bytes] : patient.unreadable()) {
      if (bytes != 0) notes.push_back(file + ": the disk did not give " + text(bytes) + " bytes when asked for them");
    }
  }

  // Could events have been acknowledged in what lies behind the last proved one? A batch that was in flight was not. With a witness
  // more than that is damage, unless the log was closed cleanly before.
  [[nodiscard]] bool may_have_counted() const {
    if (!witness) return true;
    return !witness->clean && rest && rest->rest_end > rest->reach;
  }

  PatientStorage patient;
  std::map<std::string, Sequence> sequences;  // by the names of files: as SegmentFile asks for them
  std::vector<SurveyedFile> files;
  std::optional<format::WitnessSlot> witness;
  Uuid log_uuid;
  Epoch highest_epoch = Epoch(1);
  std::uint32_t feature_level = 1;

  Head dropped;  // the last event of the stubs
  Sequence next = Sequence(1);
  std::optional<Hash> chain = Hash{};  // behind the event before `next`; unset behind a hole
  Sequence floor;                      // seals say that events up to here there were
  std::optional<Blame> cause;          // the first thing that was wrong since the last proved batch
  std::optional<SegmentProof> rest;    // of the last segment

  std::vector<PlacedRun> runs;
  std::vector<Hole> holes;
  std::vector<std::string> notes;
  std::uint64_t events = 0;
};

LogSurvey::LogSurvey(Storage& storage, const std::function<void(Sequence)>& progress)
    : impl_(std::make_unique<Impl>(storage)) {
  impl_->list();
  if (kept("log.survey.segments") && impl_->files.empty() && !impl_->witness) {
    throw CorruptionError(Damage::foreign, {log_folder, std::nullopt, std::nullopt},
                          "no log: " + storage.describe(log_folder) + " holds no segment. Nothing was changed.");
  }
  impl_->identify();
  impl_->survey(progress);
  impl_->end();
  if (kept("log.survey.events") && impl_->events == 0 && !impl_->holes.empty()) {
    const Hole& all = impl_->holes.front();
    throw CorruptionError(
        Damage::lost_acknowledged, all.place,
        all.found + "; no event at all can be proved. Nothing was changed. Restore the book from a backup.");
  }
}

LogSurvey::~LogSurvey() = default;
LogSurvey::LogSurvey(LogSurvey&&) noexcept = default;

Uuid LogSurvey::log_uuid() const {
  return impl_->log_uuid;
}

const std::vector<Hole>& LogSurvey::holes() const {
  return impl_->holes;
}

Head LogSurvey::dropped() const {
  return impl_->dropped;
}

std::optional<Hash> LogSurvey::chain_at(Sequence sequence) const {
  if (sequence == impl_->dropped.sequence) return impl_->dropped.chain;
  for (const PlacedRun& placed : impl_->runs) {
    const Run& run = placed.run;
    if (run.last == sequence) return run.behind;
    if (run.first == sequence.next()) return run.before;
    if (sequence < run.first || sequence > run.last) continue;
    std::optional<Hash> found;
    SegmentReader reader = impl_->reader_of(placed.name, placed.header);
    static_cast<void>(read_run(reader, run, [&](const Step& step) {
      if (step.last == sequence) found = reader.cursor().chain;
    }));
    return found;
  }
  return std::nullopt;
}

const std::vector<std::string>& LogSurvey::notes() const {
  return impl_->notes;
}

Sequence LogSurvey::last() const {
  return Sequence(impl_->next.value() - 1);
}

std::uint64_t LogSurvey::events() const {
  return impl_->events;
}

Epoch LogSurvey::highest_epoch() const {
  return impl_->highest_epoch;
}

std::uint32_t LogSurvey::feature_level() const {
  return impl_->feature_level;
}

void LogSurvey::read(const std::function<void(const RecordedEvent&, std::span<const std::byte>)>& visit) const {
  for (const PlacedRun& placed : impl_->runs) {
    SegmentReader reader = impl_->reader_of(placed.name, placed.header);
    const bool same = read_run(reader, placed.run, [&](const Step& step) {
      const Place where{placed.name, step.offset, step.header.first};
      each_message(
          step.payload, step.header.count,
          [&](std::span<const std::byte> message) {
            visit(decode_event(message, where), message);
            return true;
          },
          where);
    });
    if (kept("log.survey.same") && !same) {
      throw StorageError(
          {placed.name, reader.cursor().offset, reader.cursor().next}, EIO,
          "the segment reads differently than it did a moment ago. Copy the disk first, then salvage the copy");
    }
  }
}

}  // namespace daybook
