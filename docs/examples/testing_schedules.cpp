// SPDX-License-Identifier: Apache-2.0

// A service that declares what recurs, and the test of it: a year of nightly backups and monthly invoices, in milliseconds.
#include <daybook/daybook.hpp>
#include <daybook/testing/test_book.hpp>
#include <iostream>
#include <map>

using namespace std::chrono_literals;

// ---- the service, which knows nothing of tests ----

class Accounts {
 public:
  explicit Accounts(daybook::Daybook& book) : worker_(book.work({.queues = {"accounts"}})) {
    for (const char* kind : {"backup", "invoice"}) {
      worker_.on(kind, [this](daybook::Attempt& attempt) {
        ++runs[attempt.job().kind];
        last[attempt.job().kind] = attempt.job().nominal.value();
        return daybook::done();
      });
    }
    const auto synced = book.recurring().sync(
        "accounts", {schedule("nightly", "30 2 * * *", "backup"), schedule("monthly", "0 9 LW * *", "invoice")});
    if (!synced) throw std::runtime_error(synced.error().sentence);
    if (!worker_.start()) throw std::runtime_error("the worker was refused");
  }

  std::map<std::string, int> runs;
  std::map<std::string, daybook::Instant> last;

 private:
  static daybook::RecurringSpec schedule(const char* name, const char* cron, const char* kind) {
    return {.name = name,
            .recurrence = {.rule = daybook::CronRule{.expression = *daybook::parse_cron(cron), .zone = "Europe/Prague"}},
            .job = {.queue = "accounts", .kind = kind}};
  }

  daybook::WorkLoop worker_;
};

// ---- its test ----

void expect(bool fact, const std::string& sentence) {
  if (fact) return;
  std::cerr << "not so: " << sentence << "\n";
  std::exit(1);
}

int main() {
  daybook::testing::TestBook test;
  test.clock().set_wall(*daybook::parse_instant("2027-01-01T00:00:00Z"));
  int backups = 0;
  int invoices = 0;
  {
    Accounts accounts(*test);
    test.run_until(*daybook::parse_instant("2027-08-01T00:00:00Z"));
    backups += accounts.runs["backup"];
    invoices += accounts.runs["invoice"];
    expect(backups == 212, "a backup in each of 212 nights, that of March 28, which has no half past two, included");
    expect(accounts.last["invoice"] == *daybook::parse_instant("2027-07-30T07:00:00Z"),
           "the last of July is a Saturday: the invoices go out on Friday, at nine in Prague");
  }

  // A week without the service. What was missed runs once, and the others are on record as skipped.
  test.clock().advance(24h * 7);
  test.reopen();
  Accounts accounts(*test);
  test.run_until_idle();
  expect(accounts.runs["backup"] == 1, "one backup for the week");

  test.run_until(*daybook::parse_instant("2028-01-01T00:00:00Z"));
  backups += accounts.runs["backup"];
  invoices += accounts.runs["invoice"];
  expect(backups == 365 - 6, "each other night one, that of October 31, which has two half past twos, included");
  expect(invoices == 12, "twelve months");
  std::cout << backups << " backups, " << invoices << " invoices, " << test->stat().head.value() << " events\n";
}
