// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "daybook/core/holds.hpp"
#include "support/memory_book.hpp"

// What operators do to jobs by a filter: the commands that say so on record, moves, and holds.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::MemoryBook;
using Code = RefusalCode;

constexpr std::optional<Code> fine = std::nullopt;

Filter filter(const std::string& text) {
  const auto parsed = Filter::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().sentence;
  return parsed.value_or(Filter());
}

class OperatorsBook : public ::testing::Test {
 protected:
  OperatorsBook() { book.done(RaiseFeatureLevel{}); }

  std::string queue_of(const JobId& job) { return book.state.name(book.job(job).spec->queue)->text; }
  JobId dead(Schedule command = {.queue = "mail", .kind = "send"}) {
    const JobId job = book.schedule(std::move(command));
    book.done(Fail{.job = job, .token = book.claim_one().token, .retryable = false});
    return job;
  }
  Sequence recorded(Command command, Context context = {}) {
    const auto answer = book.ask(std::move(command), std::move(context));
    EXPECT_TRUE(answer) << answer.error().sentence;
    return answer ? std::get<Recorded>(*answer).event : Sequence();
  }
  std::optional<Sequence> holding(const JobId& job) const {
    const Holds holds(book.state);
    const Hold* hold = holds.holding(book.job(job), book.state, book.now);
    return hold ? std::optional(hold->id) : std::nullopt;
  }

  MemoryBook book;
};

// ---- move ---------------------------------------------------------------------------------------------------------

TEST_F(OperatorsBook, AWaitingJobIsMovedAndClaimedFromTheOtherQueue) {
  const JobId job = book.schedule({.queue = "mail", .kind = "send", .payload = "hello", .priority = Priority(-1)});
  book.done(Move{job, "bulk"});
  EXPECT_EQ(queue_of(job), "bulk");
  EXPECT_TRUE(book.claim({.queues = {"mail"}, .worker = "w1"}).empty());
  const auto claimed = book.claim({.queues = {"bulk"}, .worker = "w1"});
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed.front().id, job);
  EXPECT_EQ(claimed.front().payload.bytes(), "hello");
  EXPECT_EQ(claimed.front().priority, Priority(-1));
}

TEST_F(OperatorsBook, ADeadJobIsMovedAndStaysDead) {
  const JobId job = dead();
  book.done(Move{job, "bulk"});
  EXPECT_EQ(book.state_of(job), JobState::dead);
  book.done(Retry{job});
  EXPECT_EQ(book.claim({.queues = {"bulk"}, .worker = "w1"}).size(), 1U);
}

TEST_F(OperatorsBook, MovingToWhereItIsRecordsNothing) {
  const JobId job = book.schedule();
  book.done(Move{job, "mail"});
  EXPECT_EQ(book.count<JobMoved>(), 0U);
}

TEST_F(OperatorsBook, ARunningOrAnEndedJobIsNotMoved) {
  const JobId running = book.schedule();
  const Token token = book.claim_one().token;
  EXPECT_EQ(book.refusal_of(Move{running, "bulk"}), Code::is_running);
  book.done(Complete{running, token});
  EXPECT_EQ(book.refusal_of(Move{running, "bulk"}), Code::already_final);
  const JobId cancelled = book.schedule();
  book.done(Cancel{cancelled});
  EXPECT_EQ(book.refusal_of(Move{cancelled, "bulk"}), Code::already_final);
  EXPECT_EQ(book.refusal_of(Move{cancelled, ""}), Code::invalid_argument);
  EXPECT_EQ(book.refusal_of(Move{{Sequence(999), {}}, "bulk"}), Code::no_such_job);
}

TEST_F(OperatorsBook, TheUniqueKeyMovesAlong) {
  const JobId job = book.schedule({.queue = "mail", .kind = "send", .unique_key = "k"});
  book.done(Move{job, "bulk"});
  const NameId bulk = *book.state.find_name(NameSort::queue, "bulk");
  const NameId mail = *book.state.find_name(NameSort::queue, "mail");
  EXPECT_EQ(book.state.key_holder(bulk, "k"), job.sequence);
  EXPECT_EQ(book.state.key_holder(mail, "k"), std::nullopt);
  book.schedule({.queue = "mail", .kind = "send", .unique_key = "k"});
}

TEST_F(OperatorsBook, AKeyThatIsTakenThereKeepsTheJobWhereItIs) {
  const JobId holder = book.schedule({.queue = "bulk", .kind = "send", .unique_key = "k"});
  const JobId job = book.schedule({.queue = "mail", .kind = "send", .unique_key = "k"});
  EXPECT_EQ(book.refusal_of(Move{job, "bulk"}), Code::duplicate_key);
  EXPECT_THAT(book.sentence, HasSubstr(to_string(holder)));
  const JobId gone = dead({.queue = "mail", .kind = "send", .priority = Priority(-9)});
  book.done(Move{gone, "bulk"});  // a dead job holds none
}

TEST_F(OperatorsBook, AMoveInARefusedBatchIsUndone) {
  const JobId job = book.schedule({.queue = "mail", .kind = "send", .unique_key = "k"});
  EXPECT_FALSE(book.submit({Move{job, "bulk"}, Cancel{{Sequence(999), {}}}}).answers);
  EXPECT_EQ(queue_of(job), "mail");
  EXPECT_EQ(book.state.key_holder(book.job(job).spec->queue, "k"), job.sequence);
}

// ---- only if ------------------------------------------------------------------------------------------------------

TEST_F(OperatorsBook, AChangeIsRefusedWhenTheJobIsNotTheOneThatWasMeant) {
  const JobId job = book.schedule();
  const JobId gone = dead({.queue = "mail", .kind = "send", .priority = Priority(-9)});
  const Filter other = filter("queue = bulk");
  EXPECT_EQ(book.refusal_of(Cancel{job, other}), Code::not_matching);
  EXPECT_EQ(book.refusal_of(Reschedule{job, after(1h), other}), Code::not_matching);
  EXPECT_EQ(book.refusal_of(Move{job, "elsewhere", other}), Code::not_matching);
  EXPECT_EQ(book.refusal_of(Retry{gone, {}, other}), Code::not_matching);
  EXPECT_EQ(book.refusal_of(Retry{gone, {}, filter("state = dead")}), fine);
  EXPECT_EQ(book.refusal_of(Retry{gone, {}, filter("state = dead")}), Code::not_matching) << "it waits by now";
}

TEST(OperatorsOfALowBook, AJobThatDoesNotMatchIsNotHeldAgainstTheRequest) {
  MemoryBook book;
  const JobId job = book.schedule();
  const Context asked{.request = RequestId{"ada", "1"}};
  const std::size_t before = book.events.size();
  EXPECT_EQ(book.ask(Cancel{job, filter("queue = bulk")}, asked).error().code, Code::not_matching);
  EXPECT_EQ(book.events.size(), before);
  EXPECT_TRUE(book.ask(Cancel{job, filter("queue = mail")}, asked));
  EXPECT_EQ(book.state_of(job), JobState::cancelled);
}

// ---- commands by a filter -----------------------------------------------------------------------------------------

TEST_F(OperatorsBook, ACommandIsOnRecordWithEverythingThatItMeans) {
  const Sequence moved =
      recorded(Operate{.verb = OperatorVerb::move, .where = filter("((queue=mail))"), .matched = 7, .queue = "bulk"},
               {.actor = "ada", .reason = "too many"});
  EXPECT_EQ(moved, book.events.back().sequence);
  EXPECT_EQ(book.events.back().by.reason, "too many");
  const auto& event = book.last<OperatorCommanded>();
  EXPECT_EQ(event.verb, OperatorVerb::move);
  EXPECT_EQ(event.filter, "queue = mail");
  EXPECT_EQ(event.matched, 7U);
  EXPECT_EQ(event.due, std::nullopt);
  EXPECT_EQ(book.state.name(event.queue)->text, "bulk");

  recorded(Operate{.verb = OperatorVerb::reschedule, .where = {}, .matched = 1, .due = after(1h)});
  EXPECT_EQ(book.last<OperatorCommanded>().due->at, book.now.wall + 1h);
  recorded(Operate{.verb = OperatorVerb::cancel, .where = {}, .matched = 1});
  EXPECT_EQ(book.last<OperatorCommanded>().due, std::nullopt);
}

TEST_F(OperatorsBook, ACommandThatMeansNothingIsRefused) {
  EXPECT_EQ(book.refusal_of(Operate{.verb = OperatorVerb::move, .where = {}, .matched = 1, .queue = ""}),
            Code::invalid_argument);
  EXPECT_EQ(book.refusal_of(Operate{.verb = OperatorVerb::retry, .where = {}, .matched = 1, .due = after(-1s)}),
            Code::due_out_of_range);
  Filter large = filter("queue = " + std::string(3000, 'a'));
  large = large && filter("kind = " + std::string(3000, 'b'));
  EXPECT_EQ(book.refusal_of(Operate{.verb = OperatorVerb::cancel, .where = large, .matched = 1}),
            Code::invalid_argument);
}

TEST(OperatorsOfALowBook, AreToldToUpgrade) {
  MemoryBook book;
  const JobId job = book.schedule();
  EXPECT_EQ(book.refusal_of(Move{job, "bulk"}), Code::needs_upgrade);
  EXPECT_EQ(book.refusal_of(Operate{}), Code::needs_upgrade);
  EXPECT_EQ(book.refusal_of(PlaceHold{}), Code::needs_upgrade);
  EXPECT_EQ(book.refusal_of(LiftHold{Sequence(1)}), Code::needs_upgrade);
  EXPECT_EQ(book.refusal_of(Cancel{job, filter("queue = mail")}), fine);
}

// ---- holds --------------------------------------------------------------------------------------------------------

TEST_F(OperatorsBook, AHoldStandsUntilItIsLifted) {
  const JobId job = book.schedule({.queue = "mail", .kind = "send", .tags = {{"customer", "acme"}}});
  const JobId other = book.schedule();
  const Sequence id = recorded(PlaceHold{filter("tag.customer=acme")}, {.actor = "ada", .reason = "case 8812"});
  const Hold* hold = book.state.hold(id);
  ASSERT_NE(hold, nullptr);
  EXPECT_EQ(hold->filter, "tag.customer = acme");
  EXPECT_EQ(hold->reason, "case 8812");
  EXPECT_EQ(book.state.name(hold->actor)->text, "ada");
  EXPECT_EQ(hold->placed_at, book.now.wall);
  EXPECT_EQ(holding(job), id);
  EXPECT_EQ(holding(other), std::nullopt);

  book.done(LiftHold{id});
  EXPECT_EQ(book.state.hold(id), nullptr);
  EXPECT_EQ(holding(job), std::nullopt);
  EXPECT_EQ(book.refusal_of(LiftHold{id}), Code::invalid_argument);
  EXPECT_THAT(book.sentence, HasSubstr("daybook holds"));
}

TEST_F(OperatorsBook, TheFirstOfSeveralHoldsIsTheOneThatIsNamed) {
  const JobId job = book.schedule();
  const Sequence all = recorded(PlaceHold{Filter()});
  recorded(PlaceHold{filter("queue = mail")});
  EXPECT_EQ(holding(job), all);
  EXPECT_FALSE(Holds(book.state).empty());
}

TEST_F(OperatorsBook, AHoldThatCannotBeReadHoldsEverything) {
  const JobId job = book.schedule();
  book.state.put(Hold{Sequence(5), "colour = blue", "", NameId(1), {}});
  EXPECT_EQ(holding(job), Sequence(5));
}

TEST_F(OperatorsBook, HoldsAreNotWithoutEnd) {
  for (std::size_t i = 0; i < limits::holds_max; ++i) {
    book.state.put(Hold{Sequence(100'000 + i), "all", "", NameId(1), {}});
  }
  EXPECT_EQ(book.refusal_of(PlaceHold{}), Code::invalid_argument);
}

TEST_F(OperatorsBook, ReplayingTheEventsGivesTheSameHoldsAndQueues) {
  const JobId job = book.schedule({.queue = "mail", .kind = "send", .unique_key = "k"});
  const Sequence first = recorded(PlaceHold{filter("queue = mail")});
  recorded(PlaceHold{Filter()});
  book.done(LiftHold{first});
  book.done(Move{job, "bulk"});
  EXPECT_EQ(differences(testing::replayed(book.events), book.state), std::vector<std::string>());
}

}  // namespace
}  // namespace daybook
