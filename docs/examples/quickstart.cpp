// SPDX-License-Identifier: Apache-2.0
#include <daybook/daybook.hpp>
#include <iostream>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  // One directory, one owning process. Opening recovers whatever a crash has left.
  auto book = daybook::Daybook::open(argc > 1 ? argv[1] : "quickstart.daybook");

  // Durable when it returns. While a job with this unique key is not final, scheduling another is refused.
  auto welcome = book.schedule({.queue = "mail", .kind = "welcome", .payload = "ada", .unique_key = "welcome/ada"});
  auto reminder = book.schedule({.queue = "mail", .kind = "reminder", .payload = "ada", .due = daybook::after(200ms)});
  if (!welcome || !reminder) return 1;  // a refusal is a value, with a sentence

  // Four threads that claim, keep the lease alive, and record what the handler says.
  auto worker = book.work({.queues = {"mail"}, .slots = 4});
  const auto send = [](daybook::Attempt& attempt) {
    std::cout << attempt.job().kind + " to " + std::string(attempt.job().payload.bytes()) + "\n";
    return daybook::done("sent");
  };
  worker.on("welcome", send).on("reminder", send);
  if (!worker.start()) return 1;
  worker.run_until_empty();
  worker.stop();

  std::cout << to_string(book.job(*reminder)->phase) << ", and how it came to that:\n";
  for (const auto& event : book.history(*reminder)) std::cout << "  " << type_name(event.event) << "\n";
}
