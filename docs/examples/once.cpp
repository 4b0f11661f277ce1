// SPDX-License-Identifier: Apache-2.0
// An order is charged once, however often the mail after it fails.
#include <chrono>
#include <iostream>

#include "daybook/daybook.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: once DIRECTORY\n";
    return 2;
  }
  auto book = daybook::Daybook::open(argv[1]);
  daybook::Schedule order{.queue = "shop", .kind = "order", .payload = "17"};
  order.retry.first = 10ms;
  order.keep_result = 1h;
  const auto job = book.schedule(order);
  if (!job) {
    std::cerr << job.error().sentence << '\n';
    return 1;
  }

  int charges = 0;
  int mails = 0;
  auto worker = book.work({.queues = {"shop"}});
  worker.on("order", [&](daybook::Attempt& attempt) -> daybook::Verdict {
    const auto receipt = attempt.once("charge", [&] {
      ++charges;
      return daybook::Envelope("receipt of order " + std::string(attempt.job().payload.bytes()));
    });
    if (!receipt) return daybook::retry(receipt.error().sentence);
    if (++mails < 3) return daybook::retry("the mail server is away", "transient");
    return daybook::done(*receipt);
  });
  if (const auto started = worker.start(); !started) {
    std::cerr << started.error().sentence << '\n';
    return 1;
  }
  const auto done = book.wait(*job, 1min);
  worker.stop();
  if (!done) {
    std::cerr << done.error().sentence << '\n';
    return 1;
  }
  std::cout << done->result.bytes() << ": charged " << charges << " time, mailed " << mails << " times\n";
  return charges == 1 ? 0 : 1;
}
