// SPDX-License-Identifier: Apache-2.0
#pragma once

// Claimer: waits for jobs on a thread of its own, because a claim blocks and the loop that looks after the children must
// not. It never has more claims in hand than there are free slots.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "child_process.hpp"
#include "daybook/daybook.hpp"

namespace daybook::cli {

class Claimer {
 public:
  /// Each claim waits at most `patience`; one that found nothing makes the descriptor readable all the same.
  Claimer(Daybook& book, Claim claim, std::uint32_t slots, Duration patience);
  ~Claimer();
  Claimer(const Claimer&) = delete;
  Claimer& operator=(const Claimer&) = delete;

  /// Readable when there is something to take, a look found nothing, or claiming failed.
  [[nodiscard]] int descriptor() const { return event_.get(); }
  /// What was claimed since the last call. Throws what claiming threw; RefusedError when it was refused.
  [[nodiscard]] std::vector<ClaimedJob> take();
  /// A job that was taken is over.
  void free_slot();
  /// Claims no more. What was claimed and not taken is still to be taken. Waits for the thread.
  void stop();

 private:
  void run(const std::stop_token& stop);
  void notify();

  Daybook& book_;
  Claim claim_;
  Duration patience_;
  Pipe event_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::uint32_t free_;
  std::vector<ClaimedJob> claimed_;
  std::exception_ptr error_;
  std::jthread thread_;
};

}  // namespace daybook::cli
