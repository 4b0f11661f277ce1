// SPDX-License-Identifier: Apache-2.0
#pragma once

// KeeperThread: the thread on which the keeper of an open book works, and the order among those who ask for a snapshot.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "daybook/scheduler/keeper.hpp"
#include "driver.hpp"

namespace daybook {

class KeeperThread {
 public:
  KeeperThread(std::unique_ptr<Keeper> keeper, Threads threads);
  ~KeeperThread();  // stops

  /// As Keeper::note; when a snapshot is due, it is taken soon, on the thread; without one, here.
  void note(Sequence head, std::uint64_t log_bytes);

  /// Takes one now, on the caller's thread, after the one that is under way. Nothing when the book is closed meanwhile. Throws as
  /// Keeper::take.
  std::optional<TakenSnapshot> take();

  /// What is under way is given up. Returns when nobody works any more. A second call does nothing.
  void stop();

 private:
  void run();

  std::unique_ptr<Keeper> keeper_;
  std::stop_source stop_;
  std::mutex keeping_;  // held by whoever uses keeper_ to take one
  std::mutex mutex_;    // of due_
  std::condition_variable_any wake_;
  bool due_ = false;
  std::thread thread_;
};

}  // namespace daybook
