// SPDX-License-Identifier: Apache-2.0
#include "subscription.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "daybook/log/log_reader.hpp"

namespace daybook {

Subscription::Impl::Impl(Storage& storage, Sequence from, Deliver deliver, Tell tell, Threads threads)
    : storage_(storage), deliver_(std::move(deliver)), tell_(std::move(tell)), next_(std::max(from, Sequence(1))) {
  const Sequence first = LogReader(storage).first_readable();
  if (next_ < first) throw DroppedError(next_, Sequence(first.value() - 1));
  if (threads == Threads::own) thread_ = std::thread([this] { run(); });
}

Subscription::Impl::~Impl() {
  stop();
}

void Subscription::Impl::note(Sequence head) {
  {
    const std::lock_guard lock(mutex_);
    head_ = std::max(head_, head);
  }
  changed_.notify_all();
  if (!thread_.joinable()) deliver();
}

void Subscription::Impl::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !alive_ || next_ <= head_; });
      if (!alive_) return;
    }
    deliver();
  }
}

void Subscription::Impl::deliver() {
  {
    const std::lock_guard lock(mutex_);
    if (delivering_) return;
    delivering_ = true;
  }
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (!alive_ || next_ > head_) {
        delivering_ = false;
        return;
      }
    }
    read_on();
  }
}

void Subscription::Impl::read_on() {
  const Sequence from = next();
  std::string why;
  try {
    LogReader(storage_).read(from, [&](const RecordedEvent& recorded) { return hand_over(recorded); });
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
    why = "the subscriber threw something that is no std::exception";
  }
  {
    const std::lock_guard lock(mutex_);
    if (!why.empty()) alive_ = false;
    if (next_ == from) head_ = Sequence(from.value() - 1);  // the log does not show it yet: until the next note
  }
  changed_.notify_all();
  if (why.empty()) return;
  try {
    tell_("a subscription ended before event " + std::to_string(next().value()) + ": " + why);
  } catch (...) {
    // Nobody is left to tell.
  }
}

bool Subscription::Impl::hand_over(const RecordedEvent& recorded) {
  if (!alive()) return false;
  deliver_(recorded);
  {
    const std::lock_guard lock(mutex_);
    next_ = recorded.sequence.next();
    head_ = std::max(head_, recorded.sequence);
  }
  changed_.notify_all();
  return true;
}

void Subscription::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    alive_ = false;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Sequence Subscription::Impl::next() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

bool Subscription::Impl::alive() const {
  const std::lock_guard lock(mutex_);
  return alive_;
}

bool Subscription::Impl::wait_through(Sequence through) {
  std::unique_lock lock(mutex_);
  if (thread_.joinable()) changed_.wait(lock, [&] { return !alive_ || next_ > through; });
  return next_ > through;
}

Subscription::Subscription(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    const Subscription before(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Subscription::~Subscription() {
  if (impl_) impl_->stop();
}
void Subscription::stop() {
  impl_->stop();
}
Sequence Subscription::next() const {
  return impl_->next();
}
bool Subscription::alive() const {
  return impl_->alive();
}
bool Subscription::wait_through(Sequence through) {
  return impl_->wait_through(through);
}

}  // namespace daybook
