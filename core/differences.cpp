// SPDX-License-Identifier: Apache-2.0
// Compares two stores entity by entity, field by field, through nothing but View: what a store answers is what counts,
// not how it keeps it. Lanes and timers are housekeeping and left out.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "daybook/core/conflict.hpp"
#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/view.hpp"

namespace daybook {
namespace {

class Report {
 public:
  explicit Report(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] bool full() const { return sentences_.size() >= limit_; }
  void add(std::string sentence) {
    if (!full()) sentences_.push_back(std::move(sentence));
  }
  void add(const std::string& what, std::string_view field, const std::string& left, const std::string& right) {
    add(what + ": " + std::string(field) + " is " + left + " on the left, " + right + " on the right");
  }
  void missing(const std::string& what, bool on_the_left) {
    add(what + " is missing on the " + (on_the_left ? "left" : "right"));
  }
  std::vector<std::string> take() { return std::move(sentences_); }

 private:
  std::size_t limit_;
  std::vector<std::string> sentences_;
};

// ---- values as they stand in a sentence ---------------------------------------------------------------------------

template <class Tag, class Rep>
std::string shown(const Strong<Tag, Rep>& value) {
  return std::to_string(value.value());
}
std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(std::uint32_t value) {
  return std::to_string(value);
}
std::string shown(std::uint64_t value) {
  return std::to_string(value);
}
std::string shown(Duration value) {
  return to_string(value);
}
std::string shown(Instant value) {
  return to_string(value);
}
std::string shown(BootTime value) {
  return "boot " + to_string(value.time_since_epoch());
}
std::string shown(BookTime value) {
  return "book " + to_string(value.time_since_epoch());
}
std::string shown(const Uuid& value) {
  return to_string(value);
}
std::string shown(const JobId& value) {
  return to_string(value);
}
std::string shown(const Token& value) {
  return to_string(value);
}
std::string shown(JobState value) {
  return std::string(to_string(value));
}
std::string shown(DeadReason value) {
  return std::string(to_string(value));
}
std::string shown(Holder value) {
  return std::string(to_string(value));
}
std::string shown(NameSort value) {
  return std::string(to_string(value));
}
std::string shown(const std::string& value) {
  return quoted(value);
}
std::string shown(const Generation& value) {
  return std::to_string(value.number) + " with tag " + std::to_string(value.tag.value());
}
std::string shown(const Envelope& value) {
  return std::to_string(value.bytes().size()) + " bytes beginning " + quoted(value.bytes(), 16);
}
std::string shown(const Due& value) {
  return shown(value.at) + (value.after ? " (" + shown(*value.after) + ")" : std::string());
}
std::string shown(const Lease& value) {
  return "of " + shown(value.token) + " by worker " + shown(value.worker) + " (" + shown(value.holder) + ") for " +
         shown(value.length) + " until " + shown(value.ends_at) + " (" + shown(value.ends_at_wall) + "), claimed at " +
         shown(value.claimed_at) + (value.run_ends_at ? ", to end at " + shown(*value.run_ends_at) : std::string());
}
std::string shown(const RefusedOutcome& value) {
  return shown(value.token) + " " + std::string(to_string(value.reason));
}
std::string shown(const RetryPolicy& value) {
  return std::string(value.backoff == RetryPolicy::Backoff::fixed ? "fixed " : "exponential ") + shown(value.first) +
         " to " + shown(value.cap) + ", jitter " + std::to_string(value.jitter_permille) + ", attempts " +
         std::to_string(value.max_attempts);
}
std::string shown(const UniqueScope& value) {
  return std::string("beyond live ones:") + (value.completed ? " completed" : "") +
         (value.cancelled ? " cancelled" : "") + (value.dead ? " dead" : "");
}
std::string shown(const StepResult& value) {
  return quoted(value.name) + " with " + shown(value.result);
}
std::string shown(const Rate& value) {
  return to_string(value);
}
std::string shown(const Bucket& value) {
  return std::to_string(value.level) + " at " + shown(value.at);
}
std::string shown(const Turn& value) {
  return "of group " + shown(value.group) + " for " + shown(value.left) + " more";
}
std::string shown(RunWhen value) {
  return std::string(to_string(value));
}
std::string shown(Otherwise value) {
  return std::string(to_string(value));
}
std::string shown(const OnDead& value) {
  return "kind " + shown(value.kind) + " in queue " + shown(value.queue);
}
std::string shown(const QueueLimits& value) {
  return "running " + shown(value.running) + ", per group " + shown(value.running_per_group) + ", rate " +
         shown(value.rate) + ", per group " + shown(value.rate_per_group);
}
std::string shown(const Tag& value) {
  return quoted(value.key) + "=" + quoted(value.value);
}
std::string shown(const Occurrence& value) {
  return shown(value.nominal) + " due " + shown(value.due);
}
std::string shown(const Stretch& value) {
  return shown(value.from) + " to " + shown(value.until);
}
std::string shown(const MissedPolicy& value) {
  return std::string(to_string(value.runs)) + " within " + shown(value.window) + ", at most " +
         std::to_string(value.cap);
}
std::string shown(Overlap value) {
  return std::string(to_string(value));
}
std::string shown(const Recurrence& value) {
  return to_string(value);
}
template <class Value>
std::string shown(const std::optional<Value>& value) {
  return value ? shown(*value) : "unset";
}
template <class Value>
std::string shown(const std::vector<Value>& values) {
  std::string text = "[";
  for (const Value& value : values) {
    text += text.size() == 1 ? "" : ", ";
    text += shown(value);
  }
  return text + "]";
}

// ---- entities, field by field -------------------------------------------------------------------------------------

/// Reports the fields that differ. `left` and `right` are the members' values.
class Fields {
 public:
  Fields(Report& report, std::string what) : report_(report), what_(std::move(what)) {}

  template <class Value>
  Fields& operator()(std::string_view field, const Value& left, const Value& right) {
    if (!(left == right)) report_.add(what_, field, shown(left), shown(right));
    return *this;
  }

 private:
  Report& report_;
  std::string what_;
};

void compare(Report& report, const Book& left, const Book& right) {
  Fields fields(report, "the book");
  fields("head", left.head, right.head)("head_wall", left.head_wall, right.head_wall);
  fields("head_boot", left.head_boot, right.head_boot)("epoch", left.epoch, right.epoch);
  fields("boot_id", left.boot_id, right.boot_id)("book_offset", left.book_offset, right.book_offset);
  fields("open", left.open, right.open)("era", left.era, right.era)("names", left.names, right.names);
  fields("generation", left.generation, right.generation)("held", left.held, right.held);
  fields("feature_level", left.feature_level, right.feature_level);
  fields("clock_doubted", left.clock_doubted, right.clock_doubted);
  fields("dropped_through", left.dropped_through, right.dropped_through);
  fields("lost_through", left.lost_through, right.lost_through);
}

void compare(Report& report, const std::string& what, const JobSpec& left, const JobSpec& right) {
  Fields fields(report, what);
  fields("queue", left.queue, right.queue)("kind", left.kind, right.kind);
  fields("priority", left.priority, right.priority)("retry", left.retry, right.retry);
  fields("unique_key", left.unique_key, right.unique_key)("tags", left.tags, right.tags);
  fields("unique_scope", left.unique_scope, right.unique_scope)("group", left.group, right.group);
  fields("keep_result", left.keep_result, right.keep_result)("payload", left.payload, right.payload);
  fields("start_by", left.start_by, right.start_by)("run_timeout", left.run_timeout, right.run_timeout);
  fields("total_timeout", left.total_timeout, right.total_timeout);
  const Dependencies& a = left.dependencies;
  const Dependencies& b = right.dependencies;
  fields("parents", a.parents, b.parents)("run_when", a.run_when, b.run_when);
  fields("otherwise", a.otherwise, b.otherwise)("on_dead", a.on_dead, b.on_dead);
  fields("recurring", left.recurring, right.recurring)("nominal", left.nominal, right.nominal);
}

void compare(Report& report, const std::string& what, const Job& left, const Job& right) {
  if (left == right) return;
  if (left.spec && right.spec) compare(report, what, *left.spec, *right.spec);
  Fields fields(report, what);
  fields("id", left.id, right.id)("state", left.state, right.state);
  fields("dead_reason", left.dead_reason, right.dead_reason);
  fields("cancel_requested", left.cancel_requested, right.cancel_requested);
  fields("attempt", left.attempt, right.attempt)("attempts_allowed", left.attempts_allowed, right.attempts_allowed);
  fields("due", left.due, right.due)("scheduled_at", left.scheduled_at, right.scheduled_at);
  fields("finalized_at", left.finalized_at, right.finalized_at)("lease", left.lease, right.lease);
  fields("completed_by", left.completed_by, right.completed_by)("progress", left.progress, right.progress);
  fields("result", left.result, right.result)("error", left.error, right.error);
  fields("error_kind", left.error_kind, right.error_kind)("trace", left.trace, right.trace);
  fields("last_event", left.last_event, right.last_event)("refused", left.refused, right.refused);
  fields("key_handed_over", left.key_handed_over, right.key_handed_over);
  fields("unique_until", left.unique_until, right.unique_until)("due_latest", left.due_latest, right.due_latest);
  fields("steps", left.steps, right.steps)("result_until", left.result_until, right.result_until);
  fields("start_by", left.start_by, right.start_by)("end_by", left.end_by, right.end_by);
  fields("awaits", left.awaits, right.awaits)("final_event", left.final_event, right.final_event);
}

void compare(Report& report, const std::string& what, const Queue& left, const Queue& right) {
  Fields fields(report, what);
  fields("paused", left.paused, right.paused)("limits", left.limits, right.limits);
  fields("turn", left.turn, right.turn)("bucket", left.bucket, right.bucket);
  fields("on_dead", left.on_dead, right.on_dead);
}

void compare(Report& report, const std::string& what, const Group& left, const Group& right) {
  Fields(report, what)("weight", left.weight, right.weight)("bucket", left.bucket, right.bucket);
}

void compare(Report& report, const std::string& what, const Worker& left, const Worker& right) {
  Fields fields(report, what);
  fields("holder", left.holder, right.holder)("slots", left.slots, right.slots)("queues", left.queues, right.queues);
  fields("kinds", left.kinds, right.kinds)("joined_at", left.joined_at, right.joined_at)("epoch", left.epoch,
                                                                                         right.epoch);
}

void compare(Report& report, const std::string& what, const Name& left, const Name& right) {
  Fields(report, what)("sort", left.sort, right.sort)("text", left.text, right.text);
}

void compare(Report& report, const std::string& what, const RequestRecord& left, const RequestRecord& right) {
  Fields fields(report, what);
  fields("first", left.first, right.first)("last", left.last, right.last);
  fields("recorded_at", left.recorded_at, right.recorded_at);
}

void compare(Report& report, const std::string& what, const Hold& left, const Hold& right) {
  Fields(report, what)("filter", left.filter, right.filter)("reason", left.reason, right.reason)(
      "actor", left.actor, right.actor)("placed_at", left.placed_at, right.placed_at);
}

void compare(Report& report, const std::string& what, const Recurring& left, const Recurring& right) {
  if (left == right) return;
  Fields fields(report, what);
  fields("owner", left.owner, right.owner)("declared", left.terms != nullptr, right.terms != nullptr);
  if (left.terms && right.terms) {
    compare(report, what, left.terms->job, right.terms->job);
    fields("recurrence", left.terms->recurrence, right.terms->recurrence);
    fields("start_deadline", left.terms->start_deadline, right.terms->start_deadline);
    fields("missed", left.terms->missed, right.terms->missed)("overlap", left.terms->overlap, right.terms->overlap);
  }
  fields("paused", left.paused, right.paused)("pause_reason", left.pause_reason, right.pause_reason);
  fields("handled", left.handled, right.handled)("next", left.next, right.next);
  fields("paused_until", left.paused_until, right.paused_until)("buffer", left.buffer, right.buffer);
  fields("live", left.live, right.live)("unmade", left.unmade, right.unmade);
  fields("last", left.last, right.last)("last_job", left.last_job, right.last_job);
}

void compare(Report& report, const std::string& what, const Setting& left, const Setting& right) {
  Fields(report, what)("value", left.value, right.value);
}

// ---- stores -------------------------------------------------------------------------------------------------------

/// Compares what `left` has with what `right` answers for it, and looks for what only `right` has. `each(view, visit)`
/// walks one side, `find(view, entity)` asks the other for the entity of the same id, `what(entity)` names it.
template <class Entity, class Each, class Find, class What>
void compare_all(Report& report, const View& left, const View& right, Each each, Find find, What what) {
  each(left, [&](const Entity& entity) {
    if (report.full()) return;
    const Entity* other = find(right, entity);
    if (other == nullptr) {
      report.missing(what(entity), false);
    } else {
      compare(report, what(entity), entity, *other);
    }
  });
  each(right, [&](const Entity& entity) {
    if (!report.full() && find(left, entity) == nullptr) report.missing(what(entity), true);
  });
}

void compare_jobs(Report& report, const View& left, const View& right) {
  compare_all<Job>(
      report, left, right, [](const View& view, const auto& visit) { view.each_job(visit); },
      [](const View& view, const Job& job) { return view.job(job.id.sequence); },
      [](const Job& job) { return "job " + to_string(job.id); });
}

void compare_shelves(Report& report, const View& left, const View& right) {
  const auto of = [](const View& view, Shelf shelf) {
    std::vector<Sequence> ids;
    for (const auto& [at, id] : view.aged(shelf, {Instant::min(), Sequence()}, Instant::max(), SIZE_MAX))
      ids.push_back(id);
    return ids;
  };
  for (std::size_t i = 0; i < shelves; ++i) {
    const auto shelf = static_cast<Shelf>(i);
    Fields(report, "shelf " + std::to_string(i))("jobs", of(left, shelf), of(right, shelf));
  }
}

void compare_families(Report& report, const View& left, const View& right) {
  Fields(report, "the store")("unsettled jobs", left.unsettled(SIZE_MAX), right.unsettled(SIZE_MAX));
  std::set<Sequence> parents;
  left.each_job([&](const Job& job) {
    if (!job.spec) return;
    for (const JobId& parent : job.spec->dependencies.parents) parents.insert(parent.sequence);
  });
  for (const Sequence parent : parents) {
    if (report.full()) return;
    Fields fields(report, "parent " + std::to_string(parent.value()));
    fields("children", left.children(parent, SIZE_MAX), right.children(parent, SIZE_MAX));
    fields("open children", left.has_open_children(parent), right.has_open_children(parent));
  }
}

/// The orders and tables that a store derives from its jobs.
void compare_derived(Report& report, const View& left, const View& right) {
  const auto sides = {&left, &right};
  for (const View* view : sides) {
    const std::string side = view == &left ? "left" : "right";
    view->each_job([&](const Job& job) {
      if (report.full() || !job.spec || !holds_key(job)) return;
      if (view->key_holder(job.spec->queue, job.spec->unique_key) != job.id.sequence) {
        report.add("job " + to_string(job.id) + ": its unique key " + quoted(job.spec->unique_key) +
                   " is not found on the " + side);
      }
    });
  }
  Fields(report, "the store")("running jobs", left.running(), right.running());
  compare_shelves(report, left, right);
  compare_families(report, left, right);
  Counts counts = left.counts();
  const Counts others = right.counts();
  for (const auto& [of, count] : others) counts.try_emplace(of, 0);
  for (const auto& [of, count] : counts) {
    const auto other = others.find(of);
    Fields(report, "queue " + shown(of.first))("number of " + shown(of.second) + " jobs", count,
                                               other == others.end() ? std::uint64_t{0} : other->second);
  }
}

void compare_requests(Report& report, const View& left, const View& right) {
  const auto book_time = [](const View& view) { return view.book().book_time(view.book().head_boot); };
  const BookTime newest = std::max(book_time(left), book_time(right));
  // One side may have dropped what fell out of the window.
  const auto kept = [&](const RequestRecord& request) {
    return newest < BookTime(limits::request_window) || request.recorded_at >= newest - limits::request_window;
  };
  compare_all<RequestRecord>(
      report, left, right,
      [&](const View& view, const auto& visit) {
        view.each_request([&](const RequestRecord& request) {
          if (kept(request)) visit(request);
        });
      },
      [](const View& view, const RequestRecord& request) { return view.request(request.client, request.id); },
      [](const RequestRecord& request) {
        return "request " + quoted(request.id) + " of client " + shown(request.client);
      });
}

void compare_workers(Report& report, const View& left, const View& right) {
  const auto each = [](const View& view, const auto& visit) {
    for (const NameId id : view.workers()) {
      if (const Worker* worker = view.worker(id)) visit(*worker);
    }
  };
  compare_all<Worker>(
      report, left, right, each, [](const View& view, const Worker& worker) { return view.worker(worker.id); },
      [](const Worker& worker) { return "worker " + shown(worker.id); });
}

void compare_names(Report& report, const View& left, const View& right) {
  compare_all<Name>(
      report, left, right, [](const View& view, const auto& visit) { view.each_name(visit); },
      [](const View& view, const Name& name) {
        const auto found = view.find_name(name.sort, name.text);
        return found == name.id ? view.name(name.id) : nullptr;
      },
      [](const Name& name) { return "name " + shown(name.id) + " " + quoted(name.text); });
}

void compare_queues(Report& report, const View& left, const View& right) {
  compare_all<Queue>(
      report, left, right, [](const View& view, const auto& visit) { view.each_queue(visit); },
      [](const View& view, const Queue& queue) { return view.queue(queue.id); },
      [](const Queue& queue) { return "queue " + shown(queue.id); });
}

void compare_groups(Report& report, const View& left, const View& right) {
  compare_all<Group>(
      report, left, right, [](const View& view, const auto& visit) { view.each_group(visit); },
      [](const View& view, const Group& group) { return view.group(group.queue, group.id); },
      [](const Group& group) { return "group " + shown(group.id) + " of queue " + shown(group.queue); });
}

void compare_settings(Report& report, const View& left, const View& right) {
  compare_all<Setting>(
      report, left, right, [](const View& view, const auto& visit) { view.each_setting(visit); },
      [](const View& view, const Setting& setting) { return view.setting(setting.key); },
      [](const Setting& setting) { return "setting " + quoted(setting.key); });
}

void compare_holds(Report& report, const View& left, const View& right) {
  compare_all<Hold>(
      report, left, right, [](const View& view, const auto& visit) { view.each_hold(visit); },
      [](const View& view, const Hold& hold) { return view.hold(hold.id); },
      [](const Hold& hold) { return "hold " + shown(hold.id); });
}

void compare_recurring(Report& report, const View& left, const View& right) {
  compare_all<Recurring>(
      report, left, right, [](const View& view, const auto& visit) { view.each_recurring(visit); },
      [](const View& view, const Recurring& recurring) { return view.recurring(recurring.id); },
      [](const Recurring& recurring) { return "recurring schedule " + shown(recurring.id); });
  const auto due = [](const View& view) { return view.due_recurring(Instant::max(), SIZE_MAX); };
  Fields(report, "the store")("order of recurring schedules", due(left), due(right));
}

}  // namespace

std::vector<std::string> differences(const View& left, const View& right, std::size_t limit) {
  Report report(limit);
  compare(report, left.book(), right.book());
  compare_jobs(report, left, right);
  compare_derived(report, left, right);
  compare_queues(report, left, right);
  compare_groups(report, left, right);
  compare_workers(report, left, right);
  compare_names(report, left, right);
  compare_requests(report, left, right);
  compare_settings(report, left, right);
  compare_holds(report, left, right);
  compare_recurring(report, left, right);
  return report.take();
}

}  // namespace daybook
