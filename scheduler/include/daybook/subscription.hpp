// SPDX-License-Identifier: Apache-2.0
#pragma once

// Subscription: the events of an open book, as they become durable, for tracing, mirroring, alarms.
//
//   auto subscription = book.subscribe(daybook::Sequence(last_seen + 1), [&](const daybook::RecordedEvent& recorded) {
//     …
//     last_seen = recorded.sequence.value();
//   });
//
// Events are read from the log, never queued: a callback that is slow, or blocks, delays nobody but itself, costs no memory and misses
// nothing. It runs on a thread of the subscription's own and may call anything of the book; in a book without threads (Options::driven), inside
// drive(). Delivery is at least once, in order: whoever keeps the sequence of the last event that it dealt with begins there after a restart
// and gets the same events. An event is delivered only when its sync has returned.
//
// An exception out of the callback ends the subscription, and so does damage, or a part of the log that was dropped before it was
// delivered; Options::log is told. next() is then the event to begin with again.
//
// What close() records, the BookClosed, is delivered too, but close() does not wait for it: wait_through() does. In a child made by fork()
// there is no thread, so nothing is delivered; only the parent may stop or destroy it.
//
// Thread-safe. The book must outlive it.

#include <functional>
#include <memory>

#include "daybook/core/event.hpp"
#include "daybook/core/ids.hpp"

namespace daybook {

class Subscription {
 public:
  using Deliver = std::function<void(const RecordedEvent&)>;

  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();  // stops

  /// Waits for the callback under way; none runs after it. Not inside the callback.
  void stop();

  /// The first event that has not been delivered.
  [[nodiscard]] Sequence next() const;
  /// False: it was stopped, or ended by an error.
  [[nodiscard]] bool alive() const;

  /// Blocks until everything up to `through` was delivered; false when it ended before, or nobody has driven that far. Not inside the callback.
  bool wait_through(Sequence through);

 private:
  friend class Daybook;
  class Impl;
  explicit Subscription(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace daybook
