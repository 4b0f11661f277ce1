// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>

#include "command_worker.hpp"
#include "exit.hpp"
#include "metrics_file.hpp"
#include "output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

std::string default_worker() {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') std::snprintf(host, sizeof host, "localhost");
  const std::string number = ":" + std::to_string(::getpid());
  return std::string(host).substr(0, limits::name_bytes_max - number.size()) + number;
}

int work(const Common& common, WorkCommandOptions options) {
  if (options.concurrency == 0) throw UsageError("--concurrency 0 would run nothing; give 1 or more");
  if (options.concurrency > limits::claim_count_max) {
    throw UsageError("--concurrency: at most " + std::to_string(limits::claim_count_max));
  }
  if (options.timeout == Duration(0)) {
    throw UsageError("--timeout 0s would end each attempt at once; give 1ms or more, or leave it out for no limit");
  }
  if (options.metrics_every && options.metrics_file.empty()) {
    throw UsageError("--metrics-every goes with --metrics-file PATH: without it nothing is written");
  }
  const Duration metrics_every = options.metrics_every.value_or(std::chrono::seconds(15));
  if (metrics_every < std::chrono::seconds(1)) throw UsageError("--metrics-every: at least 1s");
  if (!find_command(common.command.front())) {
    throw UsageError("there is no command " + daybook::quoted(common.command.front()) +
                     " that could be run; nothing was claimed");
  }
  if (options.worker.empty()) options.worker = default_worker();
  Signals signals;
  Daybook book = open_book(common);
  require_trusted_clock(book);
  CommandWorker worker(common, options, book, signals);
  {
    const MetricsFile metrics(book, options.metrics_file, metrics_every);
    worker.run();
  }
  book.close();
  worker.tell_summary();
  return static_cast<int>(worker.cut_short() ? Exit::refused : Exit::fine);
}

}  // namespace

void add_work(Tool& tool) {
  auto options = std::make_shared<WorkCommandOptions>();
  tool.verb("work", "runs a command for each job", Opens::writing)
      .about(
          "runs CMD for each job that falls due: the payload on its standard input, DAYBOOK_ID, DAYBOOK_KIND, "
          "DAYBOOK_QUEUE,\n"
          "DAYBOOK_ATTEMPT, DAYBOOK_TOKEN and DAYBOOK_DIR in its environment (DAYBOOK_PROGRESS when there is a "
          "checkpoint\n"
          "of at most 64 KiB).\n"
          "Exit status 0 completes the job, with the last 64 KiB of standard output as its result; any other end fails "
          "the\n"
          "attempt, with the last 64 KiB of standard error. The lease is renewed while CMD runs. When the lease is "
          "lost, the job\n"
          "cancelled, or a timeout over (--timeout, or one of the job's own), CMD's whole process group gets SIGTERM, "
          "and\n"
          "SIGKILL after a grace.\n"
          "SIGINT or SIGTERM: claims no more, waits for what runs; a second one ends it at once and hands the jobs "
          "back.")
      .repeated("--queue", "Q", options->queues, "where to look")
      .required()
      .repeated("--kind", "K", options->kinds, "what CMD can do; anything unless given")
      .option("--concurrency", "N", options->concurrency, "how many at a time (1)")
      .option("--lease", "D", options->lease, "renewed at a third of it; 1s to 24h (30s)")
      .option("--timeout", "D", options->timeout, "the longest an attempt may take; no limit unless given")
      .option("--grace", "D", options->grace, "between SIGTERM and SIGKILL (5s)")
      .option("--patience", "D", options->patience, "when asked to stop, how long what runs may go on (30s)")
      .flag("--until-empty", options->until_empty, "ends when nothing waits or runs in these queues, due or not")
      .option("--worker", "NAME", options->worker, "its name on the record (host:pid)")
      .option("--metrics-file", "PATH", options->metrics_file,
              "keeps a file for node exporter's textfile collector, replaced whole; end its name in .prom")
      .option("--metrics-every", "D", options->metrics_every, "how often (15s)")
      .takes_command()
      .example(
          "  $ daybook work --queue thumbs --concurrency 4 --until-empty -- sh -c 'convert - -resize 200 "
          "\"$DAYBOOK_ID.png\"'\n"
          "  17-9f3ac1d2  photo  attempt 1  0.31s  completed\n"
          "  1 attempt: 1 completed\n")
      .runs([&tool, options] { return work(tool.common(), *options); });
}

}  // namespace daybook::cli
