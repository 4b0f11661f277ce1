// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a Subscription: a place in the log, and a thread that reads on from there whenever the log grew.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "daybook/core/ports.hpp"
#include "daybook/subscription.hpp"
#include "driver.hpp"

namespace daybook {

class Subscription::Impl {
 public:
  using Tell = std::function<void(const std::string&)>;
  Impl(Storage& storage, Sequence from, Deliver deliver, Tell tell, Threads threads);
  ~Impl();

  /// The log has come to here. Without a thread it is delivered now.
  void note(Sequence head);
  void stop();
  [[nodiscard]] Sequence next() const;
  [[nodiscard]] bool alive() const;
  bool wait_through(Sequence through);

 private:
  void run();
  void deliver();
  void read_on();
  bool hand_over(const RecordedEvent& recorded);

  Storage& storage_;
  const Deliver deliver_;
  const Tell tell_;

  mutable std::mutex mutex_;  // everything below
  std::condition_variable changed_;
  Sequence next_;
  Sequence head_;  // as far as is known
  bool alive_ = true;
  bool delivering_ = false;  // a callback may cause the next events, and without a thread be told of them
  std::thread thread_;
};

}  // namespace daybook
