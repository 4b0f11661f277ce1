// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ledger: the lives of jobs, kept from the acknowledged events by rules of its own. It shares no code with decide and apply,
// so that it can find both wrong: at most one live lease a job, tokens that only rise, nothing claimed before it was due, no
// final job that changes, a request that takes effect once, book time that never steps back, no claim while a copy is held, and tokens
// that bear their history.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"
#include "failure.hpp"

namespace daybook::simulation {

class Ledger {
 public:
  explicit Ledger(Failure& failure) : failure_(&failure) {}

  void take(const RecordedEvent& event, std::uint64_t batch);

  struct Life {
    JobState state{};
    Due due;
    std::uint32_t attempts_allowed = 0;
    std::optional<Token> live;  // of the claim that may finish it
    Holder holder{};
    BookTime lease_end{};
    std::optional<Due> start_by;
    std::optional<Duration> run_timeout;
    std::optional<BookTime> run_end;  // of the claim
    std::optional<BookTime> end_by;
    Sequence last_claim;
    Dependencies dependencies;
    std::pair<NameId, std::string> key;  // empty: none
    NameId recurring;                    // 0: of none
  };
  [[nodiscard]] const std::map<Sequence, Life>& lives() const { return lives_; }

  /// How a claim ended; nothing while it lives, or when there never was one.
  enum class End : std::uint8_t { completed, failed, snoozed, released, expired, timed_out };
  [[nodiscard]] std::optional<End> end_of(const Token& token) const;
  [[nodiscard]] bool live(const JobId& job, const Token& token) const;
  [[nodiscard]] bool handlers_hold_claims() const;

  /// The events of a request, the last time it took effect.
  struct Effect {
    Sequence first;
    Sequence last;
    BookTime at{};
    std::uint64_t batch = 0;
  };
  [[nodiscard]] const Effect* effect_of(const std::string& client, const std::string& id) const;

  /// A recurring schedule that is declared.
  struct Recurs {
    bool paused = false;
    Overlap overlap{};
  };

  /// No job lost, none invented, each in the state that its events led to.
  void compare(const View& view) const;

 private:
  struct Take;
  void note_request(const RecordedEvent& event, std::uint64_t batch);

  Failure* failure_;
  std::map<Sequence, Life> lives_;
  std::map<std::pair<NameId, std::string>, Sequence> keys_;
  std::map<Token, End> ends_;
  std::map<NameId, std::string> names_;
  std::map<NameId, Recurs> recurring_;
  std::set<std::pair<NameId, Instant>> made_;  // occurrences of which there was a job; kept when a schedule goes
  NameId fired_;                               // whose job is to follow
  std::map<std::pair<std::string, std::string>, Effect> effects_;
  Epoch epoch_;
  Duration offset_{};
  BookTime now_ = BookTime::min();
  bool clock_doubted_ = false;
  bool held_ = false;
  GenerationTag generation_;
};

}  // namespace daybook::simulation
