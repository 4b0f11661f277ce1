// SPDX-License-Identifier: Apache-2.0

// Any text at all is refused with a sentence of three lines at most, or is a filter that is written and read again as itself, and
// that holds of a job exactly when its opposite does not.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "daybook/core/filter.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/state.hpp"
#include "fuzz.hpp"

namespace daybook::fuzz {
namespace {

using namespace std::chrono_literals;

Job some_job() {
  JobSpec spec;
  spec.queue = NameId(1);
  spec.kind = NameId(2);
  spec.unique_key = "welcome/42";
  spec.tags = {{"customer", "acme"}, {"weird key", "*"}};
  spec.payload = Envelope("ada@example.org");
  Job job;
  job.id = JobId{Sequence(17), GenerationTag(0x9f3ac1d2)};
  job.spec = std::make_shared<const JobSpec>(spec);
  job.attempt = 3;
  job.scheduled_at = job.due.at = Instant(1h);
  job.error = Envelope("smtp 421");
  return job;
}

}  // namespace

void filter(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto read = Filter::parse(text);
  if (!read) {
    const std::string& sentence = read.error().sentence;
    require(!sentence.empty() && std::count(sentence.begin(), sentence.end(), '\n') <= 2, "a refusal says why");
    return;
  }
  const std::string written = read->text();
  require(written.size() <= limits::filter_bytes_max, "what is written is bounded");
  const auto again = Filter::parse(written);
  require(again && *again == *read && again->text() == written, "a filter is read again as itself");

  State names;
  names.put(Name{NameId(1), NameSort::queue, "mail"});
  names.put(Name{NameId(2), NameSort::kind, "welcome"});
  const Job job = some_job();
  const Moment now{.wall = Instant(2h), .boot = {}, .book = BookTime(2h)};
  const bool holds = read->matches(job, names, now);
  require(again->matches(job, names, now) == holds, "what is written matches the same jobs");
  if (const auto opposite = Filter::parse("not (" + written + ")")) {
    require(opposite->matches(job, names, now) != holds, "the opposite holds when the filter does not");
  }
}

}  // namespace daybook::fuzz
