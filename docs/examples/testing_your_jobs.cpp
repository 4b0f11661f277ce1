// SPDX-License-Identifier: Apache-2.0

// A service, and the test of it: a year of a daily report, with retries and a killed process, in milliseconds.
#include <daybook/daybook.hpp>
#include <daybook/testing/test_book.hpp>
#include <iostream>
#include <set>

using namespace std::chrono_literals;

// ---- the service, which knows nothing of tests ----

class DailyReport {
 public:
  explicit DailyReport(daybook::Daybook& book) : book_(book), worker_(book.work({.queues = {"reports"}})) {
    worker_.on("daily", [this](daybook::Attempt& attempt) { return send(attempt); });
    if (!worker_.start()) throw std::runtime_error("the worker was refused");
  }

  // At six in the morning of that day. However often it is called, there is one report a day: that is what the unique key says.
  void schedule(std::chrono::sys_days day) {
    const std::string date = daybook::to_string(daybook::Instant(day)).substr(0, 10);
    const auto scheduled = book_.schedule({.queue = "reports",
                                           .kind = "daily",
                                           .payload = date,
                                           .due = daybook::at(day + 6h),
                                           .unique_key = "report/" + date,
                                           .on_conflict = daybook::OnConflict::return_existing});
    if (!scheduled) throw std::runtime_error(scheduled.error().sentence);
  }

  std::multiset<std::string> sent;
  int failures = 0;

 private:
  daybook::Verdict send(daybook::Attempt& attempt) {
    schedule(std::chrono::floor<std::chrono::days>(attempt.job().due_at) + std::chrono::days(1));
    const std::string date(attempt.job().payload.bytes());
    const bool mail_server_is_down = date.ends_with("-13") && attempt.job().attempt < 3;
    if (mail_server_is_down) {
      ++failures;
      return daybook::retry("no route to the mail server", "transient");
    }
    sent.insert(date);
    return daybook::done();
  }

  daybook::Daybook& book_;
  daybook::WorkLoop worker_;
};

// ---- its test ----

void expect(bool fact, const std::string& sentence) {
  if (fact) return;
  std::cerr << "not so: " << sentence << "\n";
  std::exit(1);
}

int main() {
  using std::chrono::sys_days;
  using namespace std::chrono;
  const sys_days new_year = 2028y / January / 1;

  daybook::testing::TestBook test;
  test.clock().set_wall(new_year);
  DailyReport reports(*test);
  reports.schedule(new_year);

  test.run_until(sys_days(2028y / July / 1));
  expect(reports.sent.size() == 182, "a report for each day of half a year");

  // The process is killed here, and another one goes on with what it left.
  daybook::testing::TestBook after = test.as_if_killed();
  DailyReport revived(*after);
  after.run_until(sys_days(2029y / January / 1));
  expect(revived.sent.size() == 184, "a report for each day of the other half");

  expect(reports.sent.count("2028-02-29") == 1, "it is a leap year");
  expect(reports.failures + revived.failures == 12 * 2, "two failures on the 13th of each month, and then success");
  expect(after->stat().queues.at(0).dead == 0, "no report was given up");
  std::cout << "366 reports, " << reports.failures + revived.failures << " retries, " << after->stat().head.value()
            << " events\n";
}
