// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "daybook/core/filter.hpp"
#include "daybook/core/state.hpp"
#include "support/generators.hpp"

// Laws of the filter language, over random filters, jobs and moments.

namespace daybook {
namespace {

template <class T>
T one_of(std::vector<T> from) {
  return *rc::gen::elementOf(std::move(from));
}

std::string comparison_and_value(std::string_view type) {
  using Words = std::vector<std::string>;
  const bool ordered = type != "text" && type != "word";
  const auto value = [&]() -> std::string {
    if (type == "id") return one_of<std::string>({"1", "17-9f3ac1d2", "18446744073709551615"});
    if (type == "number") return one_of<std::string>({"0", "-5", "25", "9223372036854775807"});
    if (type == "instant") return one_of<std::string>({"now", "now-2h", "now+1d", "2026-11-21", "1970-01-01T00:00Z"});
    if (type == "duration") return one_of<std::string>({"0s", "15m", "1h30m", "2000000d"});
    return Filter::equals("queue", one_of<std::string>({"mail", "a", "", "two words", "none", "*", "日本", "\xff\\\""}))
        ->text()
        .substr(8);
  };
  Words ways = {"=", "!="};
  if (ordered) ways.insert(ways.end(), {"<", "<=", ">", ">="});
  if (type == "text") ways.insert(ways.end(), {"~", "!~"});
  if (*rc::gen::inRange(0, 6) == 0) return one_of<std::string>({" = none", " != none"});
  if (*rc::gen::inRange(0, 4) == 0) {
    return one_of<std::string>({" in (", " not in ("}) + value() + ", none, " + value() + ")";
  }
  return " " + one_of(ways) + " " + value();
}

std::string test_text() {
  const auto fields = filter_fields();
  const FilterFieldInfo field = one_of(fields);
  if (field.name == "state")
    return one_of<std::string>({"state = dead", "state != running", "state in (available, completed)"});
  if (field.name == "dead_reason") return one_of<std::string>({"dead_reason = none", "dead_reason != lease_lost"});
  if (field.name == "cancel_requested")
    return one_of<std::string>({"cancel_requested = yes", "cancel_requested != yes"});
  const std::string name =
      field.name == "tag.KEY" ? one_of<std::string>({"tag.a", "tags[\"two words\"]"}) : std::string(field.name);
  return name + comparison_and_value(field.type);
}

std::string filter_text_of(int depth) {
  switch (depth == 0 ? 0 : *rc::gen::inRange(0, 6)) {
    case 1:
      return "not (" + filter_text_of(depth - 1) + ")";
    case 2:
      return "(" + filter_text_of(depth - 1) + ") and " + filter_text_of(depth - 1);
    case 3:
      return filter_text_of(depth - 1) + " or (" + filter_text_of(depth - 1) + ")";
    case 4:
      return "(" + filter_text_of(depth - 1) + " and " + filter_text_of(depth - 1) + ")";
    case 5:
      return *rc::gen::inRange(0, 4) == 0 ? "all" : "not " + test_text();
    default:
      return test_text();
  }
}

Filter parsed(const std::string& text) {
  auto filter = Filter::parse(text);
  if (!filter) RC_FAIL(text + ": " + filter.error().sentence);
  return *filter;
}

std::string some_filter() {
  return filter_text_of(*rc::gen::inRange(0, 4));
}

/// A job whose names are among those of the state, at moments that are near to its times as often as not.
struct Scene {
  State names;
  Job job;
  Moment now;
  Scene() {
    std::uint32_t id = 0;
    for (const auto& [sort, text] : std::vector<std::pair<NameSort, std::string>>{{NameSort::queue, "mail"},
                                                                                  {NameSort::queue, "two words"},
                                                                                  {NameSort::kind, "a"},
                                                                                  {NameSort::worker, "日本"},
                                                                                  {NameSort::error_kind, "mail"}}) {
      names.put(Name{NameId(++id), sort, text});
    }
    job = *rc::gen::arbitrary<Job>();
    JobSpec spec = *job.spec;
    spec.queue = NameId(*rc::gen::inRange<std::uint32_t>(1, 3));
    spec.kind = NameId(3);
    if (*rc::gen::arbitrary<bool>()) spec.tags = {{"a", "mail"}, {"two words", ""}};
    job.spec = std::make_shared<const JobSpec>(std::move(spec));
    if (job.lease) job.lease->worker = NameId(4);
    if (job.error_kind != NameId()) job.error_kind = NameId(5);
    now = *rc::gen::arbitrary<Moment>();
    if (*rc::gen::arbitrary<bool>()) now.wall = job.due.at;
  }
  [[nodiscard]] bool matches(const std::string& text) const { return parsed(text).matches(job, names, now); }
};

RC_GTEST_PROP(FilterLaws, WhatIsWrittenIsReadAsTheSameFilter, ()) {
  const std::string text = some_filter();
  const Filter filter = parsed(text);
  const Filter again = parsed(filter.text());
  RC_ASSERT(again == filter);
  RC_ASSERT(again.text() == filter.text());
}

RC_GTEST_PROP(FilterLaws, WhatIsWrittenMatchesTheSameJobs, ()) {
  const Scene scene;
  const std::string text = some_filter();
  RC_ASSERT(scene.matches(text) == scene.matches(parsed(text).text()));
}

RC_GTEST_PROP(FilterLaws, NotNotIsTheFilterItself, ()) {
  const Scene scene;
  const std::string text = some_filter();
  RC_ASSERT(scene.matches("not (not (" + text + "))") == scene.matches(text));
  RC_ASSERT(scene.matches("not (" + text + ")") != scene.matches(text));
}

RC_GTEST_PROP(FilterLaws, DeMorgan, ()) {
  const Scene scene;
  const std::string a = some_filter();
  const std::string b = some_filter();
  RC_ASSERT(scene.matches("not ((" + a + ") and (" + b + "))") == scene.matches("not (" + a + ") or not (" + b + ")"));
  RC_ASSERT(scene.matches("not ((" + a + ") or (" + b + "))") == scene.matches("not (" + a + ") and not (" + b + ")"));
}

RC_GTEST_PROP(FilterLaws, BothIsAnd, ()) {
  const Scene scene;
  const std::string a = some_filter();
  const std::string b = some_filter();
  const Filter both = parsed(a) && parsed(b);
  RC_ASSERT(both.matches(scene.job, scene.names, scene.now) == (scene.matches(a) && scene.matches(b)));
  RC_ASSERT(parsed(both.text()) == both);
}

RC_GTEST_PROP(FilterLaws, AComparisonAndItsOppositeExcludeEachOther, ()) {
  const Scene scene;
  const std::string field = one_of<std::string>({"due_at", "finalized_at"});
  const std::string value = one_of<std::string>({"now", "2026-11-21"});
  const bool less = scene.matches(field + " < " + value);
  const bool equal = scene.matches(field + " = " + value);
  const bool greater = scene.matches(field + " > " + value);
  const bool none = scene.matches(field + " = none");
  RC_ASSERT(int(less) + int(equal) + int(greater) + int(none) == 1);
  RC_ASSERT(scene.matches(field + " <= " + value) == (less || equal));
  RC_ASSERT(scene.matches(field + " >= " + value) == (greater || equal));
}

RC_GTEST_PROP(FilterLaws, AFilterOfOneFieldEqualsItsValue, (const Job& job)) {
  State names;
  names.put(Name{NameId(job.spec->queue), NameSort::queue, *generate::name()});
  const auto queue = Filter::equals("queue", names.name(job.spec->queue)->text);
  RC_ASSERT(queue && queue->matches(job, names, Moment{}));
  const auto key = Filter::equals("unique_key", job.spec->unique_key);
  RC_ASSERT(key && key->matches(job, names, Moment{}) == !job.spec->unique_key.empty());
}

}  // namespace
}  // namespace daybook
