// SPDX-License-Identifier: Apache-2.0
#pragma once

// An index in a folder of its own, and the words to speak of it: close, crash, reopen, copy, compare with a State.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/apply.hpp"
#include "daybook/core/state.hpp"
#include "daybook/projections/job_index.hpp"

namespace daybook::test {

inline Uuid uuid_of(std::uint8_t byte) {
  Uuid uuid;
  uuid.bytes.fill(byte);
  return uuid;
}
inline const Uuid this_log = uuid_of(0xAA);
inline const Uuid this_boot = uuid_of(0x01);
inline const Uuid next_boot = uuid_of(0x02);

/// A point of the log, with a chain that no other point has.
inline IndexMark mark_at(Sequence head) {
  IndexMark mark{this_log, head, {}};
  const std::uint64_t number = head.value();
  std::memcpy(mark.chain.data(), &number, sizeof number);
  return mark;
}

inline Instant wall(std::int64_t seconds) {
  return Instant(std::chrono::seconds(seconds));
}
inline BookTime book_time(std::int64_t seconds) {
  return BookTime(std::chrono::seconds(seconds));
}
inline Moment moment(std::int64_t wall_seconds, std::int64_t book_seconds) {
  return {wall(wall_seconds), BootTime(std::chrono::seconds(book_seconds)), book_time(book_seconds), 0};
}

inline Book book_at(std::uint64_t head) {
  Book book;
  book.head = Sequence(head);
  return book;
}

/// Waiting in queue 1 for kind 2, unless told otherwise.
inline Job waiting_job(std::uint64_t id, Due due, Priority priority = {}, NameId queue = NameId(1),
                       NameId kind = NameId(2)) {
  auto spec = std::make_shared<JobSpec>();
  spec->queue = queue;
  spec->kind = kind;
  spec->priority = priority;
  spec->payload = Envelope("job " + std::to_string(id));
  Job job;
  job.id = {Sequence(id), GenerationTag(7)};
  job.spec = std::move(spec);
  job.attempts_allowed = 25;
  job.due = due;
  job.last_event = Sequence(id);
  return job;
}

inline Job running_job(Job job, BookTime lease_end) {
  job.state = JobState::running;
  job.lease = Lease{.token = {Sequence(job.id.sequence.value() + 1), GenerationTag(7)},
                    .worker = NameId(3),
                    .holder = Holder::handler,
                    .length = std::chrono::seconds(30),
                    .ends_at = lease_end,
                    .ends_at_wall = wall(0),
                    .claimed_at = wall(0),
                    .run_ends_at = std::nullopt};
  return job;
}

inline Job completed_job(Job job) {
  job.state = JobState::completed;
  job.lease.reset();
  job.finalized_at = wall(1);
  job.completed_by = Token{Sequence(job.id.sequence.value() + 1), GenerationTag(7)};
  return job;
}

inline ReadyQuery any_of(std::vector<NameId> queues, std::size_t limit) {
  return {.queues = std::move(queues), .kinds = {}, .any_kind = true, .limit = limit};
}

/// What an index lists by queue and state, against all jobs of another store.
inline bool lists_the_same(const View& view, const JobIndex& index, const std::vector<NameId>& queues) {
  std::map<std::pair<NameId, JobState>, std::vector<Sequence>> expected;
  view.each_job([&](const Job& job) { expected[{job.spec->queue, job.state}].push_back(job.id.sequence); });
  for (const NameId queue : queues) {
    for (const JobState state : {JobState::waiting, JobState::awaiting, JobState::running, JobState::completed,
                                 JobState::cancelled, JobState::dead}) {
      std::vector<Sequence> listed;
      index.each_job_in(queue, state, [&](const Job& job) {
        listed.push_back(job.id.sequence);
        return true;
      });
      if (listed != expected[{queue, state}]) return false;
    }
  }
  return true;
}

/// Where two stores answer differently; empty: nowhere.
inline std::vector<std::string> disagreements(const View& left, const View& right, const Moment& now) {
  std::vector<std::string> found = differences(left, right);
  std::vector<NameId> queues;
  std::vector<NameId> kinds;
  left.each_queue([&](const Queue& queue) { queues.push_back(queue.id); });
  left.each_name([&](const Name& name) {
    if (name.sort == NameSort::kind) kinds.push_back(name.id);
  });
  std::vector<ReadyQuery> queries = {any_of(queues, 1), any_of(queues, 3), any_of(queues, 10'000)};
  for (const NameId queue : queues) queries.push_back(any_of({queue}, 2));
  for (const NameId kind : kinds) queries.push_back({.queues = queues, .kinds = {kind}, .any_kind = false, .limit = 5});
  std::vector<NameId> groups = {NameId()};
  left.each_name([&](const Name& name) {
    if (name.sort == NameSort::group) groups.push_back(name.id);
  });
  for (const NameId queue : queues) {
    for (const NameId group : groups) {
      queries.push_back({.queues = {queue}, .kinds = {}, .any_kind = true, .limit = 3, .group = group});
      const GroupQuery any_kind{queue, {}, true};
      const GroupQuery of_kinds{queue, kinds, false};
      if (left.next_group(any_kind, group) != right.next_group(any_kind, group) ||
          left.next_group(of_kinds, group) != right.next_group(of_kinds, group)) {
        found.push_back("they would serve other groups");
      }
      if (left.running_in(queue, group) != right.running_in(queue, group) && group != NameId()) {
        found.push_back("they count other running jobs");
      }
    }
    if (left.running_in(queue) != right.running_in(queue)) found.push_back("they count other running jobs");
  }
  for (const ReadyQuery& query : queries) {
    if (left.ready(query) != right.ready(query)) found.push_back("they would claim other jobs");
  }
  const Timers a = left.timers();
  const Timers b = right.timers();
  if (a.wall_due != b.wall_due) found.push_back("they wait for other instants");
  if (a.book_due != b.book_due) found.push_back("they wait for other book times");
  if (a.wall_deadline != b.wall_deadline) found.push_back("they wait for other deadlines of the wall clock");
  if (a.book_deadline != b.book_deadline) found.push_back("they wait for other deadlines of book time");
  if (a.lease_end != b.lease_end) found.push_back("they wait for other leases");
  for (const std::size_t limit : {std::size_t{1}, std::size_t{1000}}) {
    if (left.expired(now.book, limit) != right.expired(now.book, limit)) found.push_back("other leases ended");
    if (left.overdue(now, limit) != right.overdue(now, limit)) found.push_back("other jobs are overdue");
  }
  for (const std::size_t limit : {std::size_t{1}, std::size_t{1000}}) {
    if (left.unsettled(limit) != right.unsettled(limit)) found.push_back("other children are to be settled");
  }
  if (const auto* index = dynamic_cast<const JobIndex*>(&right); index && !lists_the_same(left, *index, queues)) {
    found.push_back("other jobs are listed by queue and state");
  }
  left.each_job([&](const Job& job) {
    const JobSpec& spec = *job.spec;
    if (left.key_holder(spec.queue, spec.unique_key) != right.key_holder(spec.queue, spec.unique_key)) {
      found.push_back("another job holds the key " + spec.unique_key);
    }
    const Job* same = right.job(job.id.sequence);
    if (same == nullptr || !(*same == job)) found.push_back("job " + to_string(job.id) + " is another when asked for");
  });
  return found;
}

/// A new empty folder, in memory where the system has such a place: syncs cost nothing there.
class FastFolder {
 public:
  FastFolder() {
    const std::filesystem::path memory = "/dev/shm";
    const bool there = ::access(memory.c_str(), W_OK | X_OK) == 0;
    std::string name = (there ? memory : std::filesystem::temp_directory_path()) / "daybook-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~FastFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  FastFolder(const FastFolder&) = delete;
  FastFolder& operator=(const FastFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class IndexFolder {
 public:
  explicit IndexFolder(IndexTuning tuning = {}) : tuning_(tuning) {}

  void create(const State& state) {
    index_.reset();
    index_ = JobIndex::create(path(), this_boot, state, mark_at(state.book().head), tuning_);
  }
  void create() { create(State()); }
  void close() {
    index_->close();
    index_.reset();
  }
  void crash() { index_.reset(); }
  /// Why it was not trusted; empty when it was.
  std::string reopen(const Uuid& boot = this_boot, const Uuid& log = this_log) {
    index_.reset();
    IndexDistrust distrust;
    index_ = JobIndex::open(path(), log, boot, distrust, tuning_);
    return index_ ? "" : distrust.why;
  }
  void project(const Moment& now) { index_->project(mark_at(index_->book().head), now); }

  [[nodiscard]] std::string path() const { return (folder_.path() / "index").string(); }
  [[nodiscard]] std::filesystem::path file(const char* name) const { return folder_.path() / "index" / name; }
  [[nodiscard]] const std::filesystem::path& parent() const { return folder_.path(); }
  JobIndex& operator*() { return *index_; }
  JobIndex* operator->() { return index_.get(); }

 private:
  FastFolder folder_;
  IndexTuning tuning_;
  std::unique_ptr<JobIndex> index_;
};

/// An index and the State that it must equal; everything is done to both.
class Twins {
 public:
  explicit Twins(IndexTuning tuning = {}) : index(tuning) { index.create(state); }

  void put(const Job& job) {
    state.put(job);
    index->put(job);
  }
  void erase(std::uint64_t id) {
    state.erase_job(Sequence(id));
    index->erase_job(Sequence(id));
  }
  void advance(const Moment& moment) {
    now = moment;
    state.advance(now);
    index->advance(now);
  }
  void put_queue(NameId id) {
    state.put(Queue{id, false});
    index->put(Queue{id, false});
  }
  void project() { index.project(now); }
  std::string reopen() {
    std::string why = index.reopen();
    if (why.empty()) index->advance(now);
    return why;
  }
  [[nodiscard]] std::vector<std::string> disagreements() { return test::disagreements(state, *index, now); }

  State state;
  IndexFolder index;
  Moment now;
};

}  // namespace daybook::test
