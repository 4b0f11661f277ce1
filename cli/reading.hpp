// SPDX-License-Identifier: Apache-2.0
#pragma once

// A book that is only looked at: no lock, beside whoever has it open, and nothing on the disk changes.

#include <functional>
#include <memory>
#include <string>

#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/system/posix_storage.hpp"
#include "output.hpp"
#include "verb.hpp"

namespace daybook::cli {

/// Is there a daybook? Throws RefusedError with what to do when not: missing, empty, or something else's directory.
void require_book(const Common& common);

class ReadingBook {
 public:
  explicit ReadingBook(const Common& common);

  [[nodiscard]] Storage& storage() { return *storage_; }
  [[nodiscard]] const LogReader& log() const { return *log_; }
  /// Up to `head`.
  [[nodiscard]] ReadEvents events() const;
  /// Where folding may begin: at the newest snapshot that can be believed. Tells which ones cannot.
  [[nodiscard]] StartAt start() const;
  /// The last event that is shown: of the log, or before its damage once `state` met it.
  [[nodiscard]] Sequence head() const { return head_; }
  /// Everything up to now, folded in memory. Where the log is damaged, everything before that; it says so, loudly.
  [[nodiscard]] State state();
  /// Exit::damage once damage was met.
  [[nodiscard]] int exit_code() const;

 private:
  [[nodiscard]] State first_state() const;

  std::unique_ptr<PosixStorage> storage_;
  std::unique_ptr<LogReader> log_;
  Sequence head_;
  bool damaged_ = false;
};

/// RefusedError: the id is not that of the job which has its number here.
void require_same_job(const Job& found, const JobId& id);

/// The moment that "now" is for a book that nobody here has open: what is due, seen from outside.
[[nodiscard]] Moment moment_now(const View& view);

/// A line on standard error that counts up while something long goes on; silent unless that is a terminal, and for
/// the first third of a second.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void update(Sequence done);
  [[nodiscard]] Progress callback();

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  BootTime next_{};
};

}  // namespace daybook::cli
