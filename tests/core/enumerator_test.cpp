// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/recurring_book.hpp"

// Values of enums that a caller made out of numbers. On record, none of them could be read again.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::RecurringBook;

template <class Change>
Command schedule_but(Change change) {
  Schedule command{.queue = "mail", .kind = "send"};
  change(command);
  return command;
}

template <class Change>
Command declare_but(Change change) {
  RecurringSpec spec = RecurringBook::spec(RecurringBook::cron("0 * * * *"));
  change(spec);
  return DeclareRecurring{"service", std::move(spec)};
}

TEST(Enumerator, ANumberThatStandsForNothingIsRefusedByItsName) {
  RecurringBook book;
  const JobId parent = book.schedule({.queue = "mail", .kind = "send"});
  const auto odd = [](auto& value) { value = static_cast<std::remove_reference_t<decltype(value)>>(77); };
  Claim claim{.queues = {"mail"}, .worker = "w", .lease = 1min};
  odd(claim.holder);
  JoinWorker join{.worker = "w", .slots = 1, .queues = {"mail"}};
  odd(join.holder);
  Operate operate{.where = *Filter::parse("all")};
  odd(operate.verb);
  const std::vector<std::pair<std::string, Command>> cases = {
      {"holder", claim},
      {"holder", join},
      {"verb", operate},
      {"on_conflict", schedule_but([&](Schedule& command) {
         command.unique_key = "k";
         odd(command.on_conflict);
       })},
      {"run_when", schedule_but([&](Schedule& command) {
         command.parents = {parent};
         odd(command.run_when.emplace());
         command.otherwise = Otherwise::fail;
       })},
      {"otherwise", schedule_but([&](Schedule& command) {
         command.parents = {parent};
         command.run_when = RunWhen::succeeded;
         odd(command.otherwise.emplace());
       })},
      {"missed", declare_but([&](RecurringSpec& spec) { odd(spec.missed.runs); })},
      {"overlap", declare_but([&](RecurringSpec& spec) { odd(spec.overlap); })},
      {"dst_gap", declare_but([&](RecurringSpec& spec) { odd(std::get<CronRule>(spec.recurrence.rule).gap); })},
      {"dst_repeat", declare_but([&](RecurringSpec& spec) { odd(std::get<CronRule>(spec.recurrence.rule).repeat); })},
  };
  for (const auto& [name, command] : cases) {
    EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument) << name;
    EXPECT_NE(book.sentence.find(name + " is the number 77"), std::string::npos) << name << ": " << book.sentence;
  }
}

}  // namespace
}  // namespace daybook
