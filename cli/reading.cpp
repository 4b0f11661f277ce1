// SPDX-License-Identifier: Apache-2.0
#include "reading.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "daybook/core/error.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/system/system_clock.hpp"
#include "exit.hpp"

namespace daybook::cli {

using namespace std::chrono_literals;

namespace {

SystemClock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace

void require_book(const Common& common) {
  namespace fs = std::filesystem;
  const std::string shown = sanitized(common.directory);
  std::error_code error;
  const fs::file_status status = fs::status(common.directory, error);
  if (status.type() == fs::file_type::not_found ||
      (fs::is_directory(status) && fs::is_empty(common.directory, error) && !error)) {
    throw RefusedError("there is no daybook in " + shown + ": daybook schedule --dir " + shell_word(common.directory) +
                       " makes one");
  }
  const auto storage = PosixStorage::open(common.directory, Access::read_only);
  if (!log_exists(*storage)) {
    throw RefusedError(
        shown + " is not a daybook: it has files, but no log of events. Nothing was changed; name another directory");
  }
}

ReadingBook::ReadingBook(const Common& common) {
  require_book(common);
  storage_ = PosixStorage::open(common.directory, Access::read_only);
  log_ = std::make_unique<LogReader>(*storage_);
  head_ = log_->head().sequence;
}

StartAt ReadingBook::start() const {
  return start_at_snapshot(snapshots_of(*storage_, *log_),
                           [](const std::string& note) { tell("daybook: " + sanitized(note)); });
}

ReadEvents ReadingBook::events() const {
  return [this](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) {
    if (from > head_) return;
    log_->read(from, [&](const RecordedEvent& recorded) { return visit(recorded) && recorded.sequence < head_; });
  };
}

// A snapshot that the log cannot vouch for, because it is damaged there, is none.
State ReadingBook::first_state() const {
  try {
    return start()(head_);
  } catch (const CorruptionError&) {
    return {};
  }
}

State ReadingBook::state() {
  State state = first_state();
  try {
    ProgressLine progress("reading");
    const Sequence reached = catch_up(state, events(), head_, progress.callback());
    if (reached < head_) {
      throw CorruptionError(Damage::lost_acknowledged, {"log", std::nullopt, reached.next()},
                            "the log ends with sequence " + std::to_string(reached.value()) + ", expected " +
                                std::to_string(head_.value()));
    }
  } catch (const CorruptionError& error) {
    if (error.damage() == Damage::unknown_format || state.book().head == Sequence()) throw;
    damaged_ = true;
    head_ = state.book().head;
    tell("DAMAGED: " + sanitized(error.what()));
    tell("What follows is the book as it was after #" + std::to_string(head_.value()) +
         ", the last event before the damage. Later events may be whole: daybook salvage --out NEWDIR copies them");
  }
  return state;
}

int ReadingBook::exit_code() const {
  return static_cast<int>(damaged_ ? Exit::damage : Exit::fine);
}

void require_same_job(const Job& found, const JobId& id) {
  if (id.generation == GenerationTag() || found.id == id) return;
  throw RefusedError("job " + to_string(id) + ": this id is of another copy of the book; here #" +
                     std::to_string(id.sequence.value()) + " is " + to_string(found.id));
}

Moment moment_now(const View& view) {
  const Book& book = view.book();
  SystemClock& clock = system_clock();
  Moment now{.wall = clock.wall(), .boot = clock.boot(), .book = {}};
  const BookTime last = book.book_time(book.head_boot);
  if (book.boot_id == clock.boot_id()) {
    now.book = std::max(last, book.book_time(now.boot));
  } else {
    // Another boot: book time will go on by the bounded wall difference when somebody opens the book.
    now.book = last + std::clamp<Duration>(now.wall - book.head_wall, Duration(0), limits::boot_gap_max);
  }
  return now;
}

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1), next_(system_clock().boot() + 300ms) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::update(Sequence done) {
  if (!terminal_ || system_clock().boot() < next_) return;
  next_ = system_clock().boot() + 100ms;
  shown_ = true;
  std::fprintf(stderr, "\r\033[K%s: %s", what_.c_str(), counted(done.value(), "event").c_str());
  std::fflush(stderr);
}

Progress ProgressLine::callback() {
  return [this](Sequence done) { update(done); };
}

}  // namespace daybook::cli
