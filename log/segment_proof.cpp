// SPDX-License-Identifier: Apache-2.0
#include "segment_proof.hpp"

#include <algorithm>

#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "event_codec.hpp"

// Walks as everybody does until something is wrong; then the next batch is looked for at each place where one could begin.

namespace daybook {
namespace {

class Prover {
 public:
  explicit Prover(SegmentReader& reader) : reader_(reader), name_(reader.file().name()) {}

  SegmentProof prove() {
    bool more = true;
    while (more) {
      const Step step = reader_.next();
      if (step.kind == Step::Kind::seal) {
        proof_.sealed_through = reader_.cursor().last();
        break;
      }
      more = step.kind == Step::Kind::batch || step.behind ? take(step) : look_behind(step);
    }
    if (blame_) end_with_blame();
    return std::move(proof_);
  }

 private:
  void blame(const Step& step, std::uint64_t offset, const std::string& found) {
    if (blame_) return;
    blame_ = Blame{{name_, offset, behind_last()}, found};
    proof_.rest_from = step.offset;
    proof_.reach = step.end ? *step.end : step.offset + format::batch_header_bytes + limits::batch_bytes_max;
  }

  [[nodiscard]] Sequence behind_last() const {
    return proof_.runs.empty() ? reader_.cursor().next : proof_.runs.back().last.next();
  }

  bool take(const Step& step) {
    const Hash behind = step.behind ? *step.behind : *reader_.cursor().chain;
    if (const auto problem = undecodable(step); problem && kept("log.proof.decodable")) {
      blame(step, step.offset, *problem);
      broken_ = true;
    } else {
      add(step, behind);
    }
    if (step.behind) {
      reader_.move_to(*step.end, step.last.next(), behind);
      broken_ = true;  // reading the run again ends here as well
    }
    return true;
  }

  std::optional<std::string> undecodable(const Step& step) {
    try {
      each_event(step.payload, step.header.first, step.header.count, [this](const RecordedEvent& event) {
        epoch_ = std::max(epoch_, event.epoch);
        return true;
      });
      return std::nullopt;
    } catch (const CorruptionError& error) {
      if (kept("log.proof.newer_event") && error.damage() == Damage::unknown_format) throw;
      return error.what();
    }
  }

  void add(const Step& step, const Hash& behind) {
    if (broken_) {
      Run run;
      run.offset = step.offset;
      run.first = step.header.first;
      run.before = step.header.previous;
      run.blame = std::move(blame_);
      blame_.reset();
      proof_.runs.push_back(std::move(run));
      broken_ = false;
    } else if (!proof_.runs.back().second) {
      proof_.runs.back().second = Run::Second{step.offset, step.header.first, step.header.previous};
    }
    Run& run = proof_.runs.back();
    run.last = step.last;
    run.behind = behind;
    run.epoch = std::max(step.header.epoch, epoch_);
  }

  // False: nothing of this segment is left.
  bool look_behind(const Step& step) {
    if (kept("log.proof.newer_batch") && step.no_crash == Damage::unknown_format) {
      throw CorruptionError(Damage::unknown_format, {name_, step.bad_offset, reader_.cursor().next},
                            step.found + ". Nothing was changed.");
    }
    std::uint64_t from = step.offset + 8;
    if (step.kind == Step::Kind::blank) {
      const auto rest = reader_.first_nonzero(step.offset);
      if (!rest) return false;
      blame(step, step.offset, "zeros where a batch was expected, and bytes behind them");
      from = *rest & ~std::uint64_t{7};
    } else {
      blame(step, step.bad_offset, step.found);
      // A header that can be believed says where its batch ends; one of a later sequence may be whole itself.
      if (step.end) from = step.header.first == reader_.cursor().next ? *step.end : step.offset;
    }
    const auto found = reader_.find_batch(from, reader_.cursor().next);
    if (!found) return false;
    if (found->seal) {
      proof_.sealed_through = Sequence(found->first.value() - 1);
      return false;
    }
    reader_.move_to(found->offset, found->first, found->previous);
    broken_ = true;
    return true;
  }

  void end_with_blame() {
    proof_.rest = std::move(blame_);
    proof_.rest_end = reader_.nonzero_end(proof_.rest_from);
  }

  SegmentReader& reader_;
  std::string name_;
  SegmentProof proof_;
  std::optional<Blame> blame_;
  Epoch epoch_;         // the highest that an event bears
  bool broken_ = true;  // the next batch begins a run
};

}  // namespace

SegmentProof prove_segment(SegmentReader& reader) {
  return Prover(reader).prove();
}

bool read_run(SegmentReader& reader, const Run& run, const std::function<void(const Step&)>& visit) {
  reader.move_to(run.offset, run.first, run.before);
  for (Sequence next = run.first; next <= run.last;) {
    const Step step = reader.next();
    const bool whole = step.kind == Step::Kind::batch || step.behind;
    if (!whole || step.last > run.last || (step.behind && step.last != run.last)) return false;
    visit(step);
    next = step.last.next();
    if (next > run.last) {
      return (step.behind ? *step.behind : *reader.cursor().chain) == run.behind || !kept("log.proof.same");
    }
  }
  return true;
}

}  // namespace daybook
