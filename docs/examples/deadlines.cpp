// SPDX-License-Identifier: Apache-2.0
// A service is asked that hangs now and then: an attempt has half a second, and the job is tried again. An offer that nobody
// takes up in time is over.
#include <chrono>
#include <iostream>
#include <thread>

#include "daybook/daybook.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: deadlines DIRECTORY\n";
    return 2;
  }
  auto book = daybook::Daybook::open(argv[1]);
  daybook::Schedule ask{.queue = "rates", .kind = "ask"};
  ask.run_timeout = 500ms;
  ask.total_timeout = 1min;
  ask.retry.first = 10ms;
  const auto asked = book.schedule(ask);
  daybook::Schedule offer{.queue = "offers", .kind = "show"};
  offer.start_deadline = daybook::after(100ms);
  const auto offered = book.schedule(offer);
  if (!asked || !offered) {
    std::cerr << (asked ? offered : asked).error().sentence << '\n';
    return 1;
  }

  auto worker = book.work({.queues = {"rates"}});
  worker.on("ask", [](daybook::Attempt& attempt) {
    const bool hangs = attempt.job().attempt == 1;
    // The timeout fires the stop token. Who does not look at it keeps the slot.
    while (hangs && !attempt.stop_token().stop_requested()) std::this_thread::sleep_for(10ms);
    return daybook::done("1.08");  // of the first attempt: too late, and refused
  });
  if (const auto started = worker.start(); !started) {
    std::cerr << started.error().sentence << '\n';
    return 1;
  }
  const auto rate = book.wait(*asked, 1min);
  const auto over = book.wait(*offered, 1min);
  worker.stop();
  if (!rate || !over) {
    std::cerr << (rate ? over : rate).error().sentence << '\n';
    return 1;
  }
  std::cout << rate->result.bytes() << ", attempt " << rate->attempt << ", " << rate->error_kind << " before\n"
            << "the offer is " << to_string(over->phase) << ": " << to_string(over->dead_reason) << '\n';
  return 0;
}
