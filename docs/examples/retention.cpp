// SPDX-License-Identifier: Apache-2.0

// What is old is let go of, what is held stays, and the record forgets neither. In a book without a disk, where a month takes no time.
#include <daybook/daybook.hpp>
#include <daybook/testing/test_book.hpp>
#include <iostream>

using namespace std::chrono_literals;

namespace {

// A finished order of a customer.
daybook::JobId finished(daybook::Daybook& book, const std::string& customer) {
  const auto job = book.schedule({.queue = "shop", .kind = "order", .tags = {{"customer", customer}}}).value();
  const auto claimed = book.claim({.queues = {"shop"}, .worker = "till"}).value().at(0);
  if (!book.complete(claimed, "receipt of " + customer)) throw std::runtime_error("the completion was refused");
  return job;
}

void tell(const daybook::Daybook& book, const std::string& customer, daybook::JobId job) {
  const auto found = book.job(job);
  std::cout << "  " << customer << ": ";
  if (!found) {
    std::cout << to_string(found.error().code) << ", with " << book.history(job).size() << " events on record\n";
  } else if (found->result.empty()) {
    std::cout << to_string(found->phase) << ", its result forgotten\n";
  } else {
    std::cout << to_string(found->phase) << ", " << found->result.bytes() << "\n";
  }
}

}  // namespace

int main() {
  daybook::testing::TestBook test;
  daybook::Daybook& book = *test;

  daybook::Retention policy;  // a week, half a year, a day, unless said otherwise
  policy.completed.age = 24h * 30;
  if (!book.retain(policy, "our terms of service")) return 1;

  const auto adas = finished(book, "ada");
  const auto bobs = finished(book, "bob");
  const auto hold = book.hold(daybook::Filter::parse("tag.customer = bob").value(), "dispute 4711");
  if (!hold) return 1;

  for (const auto& [days, what] :
       {std::pair(0, "at once"), std::pair(2, "after two days"), std::pair(29, "after a month")}) {
    test.advance_and_run(24h * days);
    std::cout << what << "\n";
    tell(book, "ada", adas);
    tell(book, "bob", bobs);
  }

  if (!book.lift_hold(*hold, "settled")) return 1;
  test.advance_and_run(1h);
  std::cout << "the hold is lifted\n";
  tell(book, "bob", bobs);
}
