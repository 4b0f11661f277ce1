// SPDX-License-Identifier: Apache-2.0
#include "keeper_thread.hpp"

#include <utility>

namespace daybook {

KeeperThread::KeeperThread(std::unique_ptr<Keeper> keeper, Threads threads) : keeper_(std::move(keeper)) {
  if (threads == Threads::own) thread_ = std::thread([this] { run(); });
}

KeeperThread::~KeeperThread() {
  stop();
}

void KeeperThread::note(Sequence head, std::uint64_t log_bytes) {
  if (!keeper_->note(head, log_bytes)) return;
  if (!thread_.joinable()) {
    const std::lock_guard keeping(keeping_);
    keeper_->keep(stop_.get_token());
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    due_ = true;
  }
  wake_.notify_one();
}

std::optional<TakenSnapshot> KeeperThread::take() {
  const std::lock_guard lock(keeping_);
  return keeper_->take(stop_.get_token());
}

void KeeperThread::stop() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(keeping_);  // somebody may be in take()
}

void KeeperThread::run() {
  const std::stop_token stop = stop_.get_token();
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [&] { return due_; })) {
    due_ = false;
    lock.unlock();
    {
      const std::lock_guard keeping(keeping_);
      keeper_->keep(stop);
    }
    lock.lock();
    if (stop.stop_requested()) return;
  }
}

}  // namespace daybook
