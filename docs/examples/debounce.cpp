// SPDX-License-Identifier: Apache-2.0
// A document is indexed two seconds after its last change, at the latest ten seconds after the first.
#include <chrono>
#include <iostream>

#include "daybook/daybook.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: debounce DIRECTORY\n";
    return 2;
  }
  auto book = daybook::Daybook::open(argv[1]);
  daybook::Schedule index{.queue = "search", .kind = "index"};
  index.unique_key = "document 17";
  index.due = daybook::after(2s);
  index.on_conflict = daybook::OnConflict::debounce;
  index.debounce_max = 10s;

  daybook::JobId job;
  for (const char* text : {"first", "second", "third"}) {
    index.payload = text;
    const auto scheduled = book.schedule(index);
    if (!scheduled) {
      std::cerr << scheduled.error().sentence << '\n';
      return 1;
    }
    job = *scheduled;
  }

  auto worker = book.work({.queues = {"search"}});
  worker.on("index", [](daybook::Attempt& attempt) {
    return daybook::done("indexed: " + std::string(attempt.job().payload.bytes()));
  });
  if (const auto started = worker.start(); !started) {
    std::cerr << started.error().sentence << '\n';
    return 1;
  }
  const auto done = book.wait(job, 1min);
  worker.stop();
  if (!done) {
    std::cerr << done.error().sentence << '\n';
    return 1;
  }
  std::cout << done->result.bytes() << '\n';  // indexed: third
  return 0;
}
