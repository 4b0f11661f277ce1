// SPDX-License-Identifier: Apache-2.0
#include "selection.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace daybook {
namespace {

auto claim_order(const Job& job) {
  return std::tuple(job.spec->priority, job.due.at, job.id.sequence);
}

void take_one(std::optional<Bucket>& bucket) {
  if (bucket) bucket->level -= bucket_unit;
}

}  // namespace

QueueSelection::QueueSelection(const View& view, const Moment& now, GroupQuery query, std::size_t count)
    : view_(view), now_(now), query_(std::move(query)), left_(count) {
  if (const Queue* queue = view_.queue(query_.queue)) queue_ = *queue;
  turn_ = queue_.turn;
  const QueueLimits& limits = queue_.limits;
  if (limits.running != 0) running_ = view_.running_in(query_.queue);
  if (limits.rate.limited()) queue_.bucket = refilled(queue_.bucket, limits.rate, now_.book);
}

QueueSelection::Known& QueueSelection::known(NameId group) {
  const auto [found, is_new] = groups_.try_emplace(group);
  Known& known = found->second;
  if (!is_new || group == NameId()) return known;
  const QueueLimits& limits = queue_.limits;
  const Group* entity = view_.group(query_.queue, group);
  if (entity) known.weight = std::max(entity->weight, 1U);
  if (limits.running_per_group != 0) known.running = view_.running_in(query_.queue, group);
  if (limits.rate_per_group.limited()) {
    known.bucket = refilled(entity ? entity->bucket : std::nullopt, limits.rate_per_group, now_.book);
  }
  return known;
}

/// The group's first job that was not taken yet. Reads as many at a time as the group may get before others do.
const Job* QueueSelection::first_of(NameId group) {
  Known& group_known = known(group);
  while (true) {
    for (; group_known.taken < group_known.jobs.size(); ++group_known.taken) {
      const Job* job = view_.job(group_known.jobs[group_known.taken]);
      // One that a deadline has passed is over, though a backlog of them may have left it without its event so far.
      if (job && job->state == JobState::waiting && is_due(job->due, now_) && !is_overdue(*job, now_)) return job;
    }
    if (group_known.all) return nullptr;
    const std::size_t before = group_known.jobs.size();
    const std::size_t most = before + left_;
    const std::size_t wanted = alone_ ? most : std::min(most, std::max<std::size_t>(2 * before, group_known.weight));
    group_known.jobs = view_.ready({.queues = {query_.queue},
                                    .kinds = query_.kinds,
                                    .any_kind = query_.any_kind,
                                    .limit = wanted,
                                    .group = group});
    group_known.all = group_known.jobs.size() < wanted;
    if (group_known.jobs.size() <= before) return nullptr;
  }
}

void QueueSelection::hold_until(BookTime time) {
  if (!held_back_.until || time < *held_back_.until) held_back_.until = time;
}

bool QueueSelection::may_start(NameId group, const Known& known) {
  if (group == NameId()) return true;
  const QueueLimits& limits = queue_.limits;
  if (limits.running_per_group != 0 && known.running >= limits.running_per_group) {
    held_back_.by_running = true;
    return false;
  }
  if (!known.bucket || known.bucket->level >= bucket_unit) return true;
  hold_until(next_start(*known.bucket, limits.rate_per_group));
  return false;
}

bool QueueSelection::queue_may_start() {
  const QueueLimits& limits = queue_.limits;
  const bool crowded = limits.running != 0 && running_ >= limits.running;
  const bool dry = limits.rate.limited() && queue_.bucket->level < bucket_unit;
  if (!crowded && !dry) return true;
  if (!view_.next_group(query_, NameId())) return false;  // there is nothing to hold back
  if (crowded) {
    held_back_.by_running = true;
  } else {
    hold_until(next_start(*queue_.bucket, limits.rate));
  }
  return false;
}

bool QueueSelection::offer(NameId group) {
  const Known& group_known = known(group);
  // Limits first: they are in memory, and jobs need not be.
  if (!may_start(group, group_known)) return false;
  job_ = first_of(group);
  if (!job_) return false;
  offered_ = group;
  return true;
}

/// The group whose turn it is goes on while it has starts left, then the next by id that has anything to start, round to itself.
void QueueSelection::find() {
  if (left_ == 0 || !queue_may_start()) return;
  if ((turn_.left != 0 || alone_) && offer(turn_.group)) return;
  if (alone_) return;
  const bool last_id = turn_.group.value() == std::numeric_limits<NameId::rep>::max();
  std::optional<NameId> next = last_id ? std::nullopt : view_.next_group(query_, turn_.group.next());
  const bool none_behind = !next;
  for (; next && !offered_; next = view_.next_group(query_, next->next())) {
    if (offer(*next) || next->value() == std::numeric_limits<NameId::rep>::max()) break;
  }
  if (offered_) return;
  next = view_.next_group(query_, NameId());
  alone_ = none_behind && next == turn_.group;
  for (; next && *next <= turn_.group; next = view_.next_group(query_, next->next())) {
    if (offer(*next) || *next == turn_.group) return;
  }
}

const Job* QueueSelection::next() {
  if (!looked_) {
    looked_ = true;
    find();
  }
  return job_;
}

Pick QueueSelection::take() {
  Known& group = known(*offered_);
  Pick pick{job_, {}, {}, {}};
  const bool goes_on = *offered_ == turn_.group && turn_.left != 0;
  const Turn after{*offered_, goes_on ? turn_.left - 1 : group.weight - 1};
  if (after != turn_) pick.turn_left = after.left;
  turn_ = after;
  if (queue_.limits.rate.limited()) {
    take_one(queue_.bucket);
    pick.queue_bucket = queue_.bucket;
  }
  take_one(group.bucket);
  pick.group_bucket = group.bucket;
  ++group.running;
  ++group.taken;
  ++running_;
  --left_;
  looked_ = false;
  offered_.reset();
  job_ = nullptr;
  return pick;
}

Selection::Selection(const View& view, const Moment& now, const ReadyQuery& query) {
  queues_.reserve(query.queues.size());
  for (const NameId queue : query.queues) {
    queues_.emplace_back(view, now, GroupQuery{queue, query.kinds, query.any_kind}, query.limit);
  }
}

std::optional<Pick> Selection::next() {
  QueueSelection* first = nullptr;
  for (QueueSelection& queue : queues_) {
    const Job* job = queue.next();
    if (job && (!first || claim_order(*job) < claim_order(*first->next()))) first = &queue;
  }
  if (!first) return std::nullopt;
  return first->take();
}

HeldBack Selection::held_back() const {
  HeldBack all;
  for (const QueueSelection& queue : queues_) {
    const HeldBack& one = queue.held_back();
    all.by_running = all.by_running || one.by_running;
    if (one.until && (!all.until || *one.until < *all.until)) all.until = one.until;
  }
  return all;
}

}  // namespace daybook
