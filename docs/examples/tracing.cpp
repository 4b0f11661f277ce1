// SPDX-License-Identifier: Apache-2.0

// Spans from events: the trace of a request goes on in the job that it scheduled, however much later that runs.
#include <daybook/daybook.hpp>
#include <daybook/trace.hpp>
#include <iostream>
#include <map>

using namespace std::chrono_literals;

namespace {

// What an exporter would send to a collector: one span for each attempt, child of the span that scheduled the job.
class Spans {
 public:
  void operator()(const daybook::RecordedEvent& recorded) {
    if (std::holds_alternative<daybook::JobScheduled>(recorded.event)) {
      const auto context = daybook::parse_traceparent(recorded.by.trace);
      if (context && context->sampled) traced_[recorded.sequence] = {*context, recorded.wall};
    } else if (const auto* claimed = std::get_if<daybook::JobClaimed>(&recorded.event)) {
      claimed_[claimed->job.sequence] = recorded.wall;
    } else if (const auto* failed = std::get_if<daybook::AttemptFailed>(&recorded.event)) {
      end(failed->job, failed->attempt, "failed", recorded);
    } else if (const auto* completed = std::get_if<daybook::JobCompleted>(&recorded.event)) {
      end(completed->job, completed->attempt, "completed", recorded);
      traced_.erase(completed->job.sequence);
    }
  }

 private:
  struct Traced {
    daybook::TraceContext parent;
    daybook::Instant scheduled;
  };

  void end(daybook::JobId job, std::uint32_t attempt, const char* how, const daybook::RecordedEvent& recorded) {
    const auto traced = traced_.find(job.sequence);
    if (traced == traced_.end()) return;
    // The sequence of an event makes a span id that is the same however often the event is delivered.
    daybook::TraceContext span = traced->second.parent;
    for (std::size_t i = 0; i < 8; ++i) span.span_id[7 - i] = (recorded.sequence.value() >> (8 * i)) & 0xff;
    const daybook::Instant started = claimed_[job.sequence];
    std::cout << "span " << to_traceparent(span) << " attempt " << attempt << " " << how << ", began "
              << daybook::to_string(started - traced->second.scheduled) << " after the request, took "
              << daybook::to_string(recorded.wall - started) << "\n";
  }

  std::map<daybook::Sequence, Traced> traced_;
  std::map<daybook::Sequence, daybook::Instant> claimed_;
};

}  // namespace

int main(int argc, char** argv) {
  auto book = daybook::Daybook::open(argc > 1 ? argv[1] : "tracing.daybook");

  // From where the last run ended, had it kept the place; here from the first event that there is.
  Spans spans;
  auto subscription = book.subscribe(daybook::Sequence(1), [&](const auto& recorded) { spans(recorded); });

  // The context of the request that is being served goes along.
  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  if (!book.execute({.commands = {daybook::Schedule{.queue = "mail", .kind = "welcome", .retry = {.first = 10ms}}},
                     .context = {.trace = traceparent}})) {
    return 1;
  }

  auto worker = book.work({.queues = {"mail"}});
  worker.on("welcome", [](daybook::Attempt& attempt) -> daybook::Verdict {
    std::cout << "in trace " << attempt.job().trace << "\n";  // what the handler calls gets it as its parent
    return attempt.job().attempt == 1 ? daybook::retry("smtp 421", "transient") : daybook::done();
  });
  if (!worker.start()) return 1;
  worker.run_until_empty();
  worker.stop();

  if (!subscription.wait_through(book.stat().head)) return 1;
  subscription.stop();
  std::cout << to_prometheus(book.metrics());
}
