// SPDX-License-Identifier: Apache-2.0
// Stories of the record: lists, histories, the past, verification, copies and rebuilding.
#include <filesystem>
#include <set>

#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

namespace fs = std::filesystem;

class RecordsOfTool : public BookOfTool {
 protected:
  [[nodiscard]] Json verdict(const Words& more = {}) const {
    Words all = {"verify", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return json_lines(run(all)).at(0);
  }
  [[nodiscard]] std::uint64_t head() const { return one({"stat"})["head"]; }
  /// The segment that holds the first event.
  [[nodiscard]] fs::path first_segment() const {
    return fs::path(directory()) / one({"verify"})["segments"][0]["name"].get<std::string>();
  }
  static void flip(const fs::path& path, std::uint64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file) << path;
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }
  static std::set<std::string> contents(const fs::path& folder) {
    std::set<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all.insert(entry.path().string() + ":" + std::string(std::istreambuf_iterator<char>(file), {}));
    }
    return all;
  }
};

// ---- lists --------------------------------------------------------------------------------------------------------

TEST_F(RecordsOfTool, JobsAreListedByQueueAndState) {
  const std::string mail = schedule();
  const std::string later = schedule({"--in", "1h"});
  const std::string photo = one({"schedule", "--queue", "photo", "--kind", "thumb"})["id"];
  const auto ids = [&](const Words& more) {
    Words all = {"jobs"};
    all.insert(all.end(), more.begin(), more.end());
    std::vector<std::string> found;
    for (const Json& job : json(all)) found.push_back(job["id"]);
    return found;
  };
  EXPECT_THAT(ids({}), ElementsAre(mail, later, photo));
  EXPECT_THAT(ids({"--queue", "mail"}), ElementsAre(mail, later));
  EXPECT_THAT(ids({"--state", "scheduled"}), ElementsAre(later));
  EXPECT_THAT(ids({"--queue", "photo", "--state", "running"}), IsEmpty());
  EXPECT_THAT(ids({"--limit", "1"}), ElementsAre(mail));
}

TEST_F(RecordsOfTool, TheTableOfJobsIsAligned) {
  schedule();
  const ToolRun listed = run({"jobs"});
  EXPECT_THAT(
      listed.out,
      MatchesRegex("ID +STATE +QUEUE +KIND +ATTEMPT +DUE\n[0-9a-f-]+ +available +mail +welcome +0 of 25 +2.*Z\n"));
  EXPECT_EQ(listed.out.find("STATE"), listed.out.find("available") - listed.out.find('\n') - 1);
}

TEST_F(RecordsOfTool, TextOfUsersIsEscapedOnItsWayToATerminal) {
  schedule({"--payload", "\x1b[31mred\x07"});
  const std::string id = claim()["id"];
  for (const Words& verb : std::vector<Words>{{"jobs"}, {"job", id}, {"log"}, {"state", "--at", "9"}}) {
    const ToolRun shown = run(verb);
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, Not(HasSubstr("\x1b"))) << verb.front();
  }
  EXPECT_THAT(run({"job", id}).out, HasSubstr("\\x1b[31mred"));
}

TEST_F(RecordsOfTool, AJobIsShownWithItsWholeHistory) {
  const std::string id = schedule();
  schedule();
  const std::string token = claim()["token"];
  run({"complete", id, "--token", token, "--result", "sent"});
  const auto lines = json({"job", id});
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0]["state"], "completed");
  EXPECT_EQ(lines[1]["type"], "JobScheduled");
  EXPECT_EQ(lines[2]["type"], "JobClaimed");
  EXPECT_EQ(lines[2]["data"]["worker"], "ada");
  EXPECT_EQ(lines[2]["data"]["lease"], "30s");
  EXPECT_EQ(lines[3]["type"], "JobCompleted");
  EXPECT_EQ(lines[3]["data"]["result"], "sent");
  for (std::size_t i = 1; i < lines.size(); ++i) EXPECT_EQ(lines[i]["job"], id);
  const ToolRun text = run({"job", id});
  EXPECT_THAT(text.out, AllOf(HasSubstr("result        sent"), ContainsRegex("#[0-9]+  2[^ ]+Z  JobClaimed +job=" + id +
                                                                             " attempt=1 worker=ada lease=30s")));
}

TEST_F(RecordsOfTool, AJobThatIsNotThereIsRefused) {
  schedule();
  EXPECT_THAT(run({"job", "999999"}), Refused("never issued in this book"));
  EXPECT_THAT(run({"job", "999999-00000001"}), Refused("another history"));
}

TEST_F(RecordsOfTool, TheLogHasTheStableNamesAndEverySequenceOnce) {
  schedule();
  std::uint64_t expected = 1;
  for (const Json& event : json({"log"})) {
    EXPECT_EQ(event["seq"], expected++);
    for (const char* name : {"at", "type", "job", "actor", "epoch", "data"}) EXPECT_TRUE(event.contains(name)) << event;
  }
  EXPECT_EQ(expected, head() + 1);
  const auto some = json({"log", "--from", "3", "--until", "4"});
  ASSERT_THAT(some, SizeIs(2));
  EXPECT_EQ(some[0]["seq"], 3);
}

TEST_F(RecordsOfTool, NamesAreSpelledEvenWhenTheLogIsReadFromTheMiddle) {
  schedule();
  const std::string id = schedule();
  const Json event = json({"log", "--job", id}).at(0);
  const Json alone = json({"log", "--from", std::to_string(event["seq"].get<int>())}).at(0);
  EXPECT_EQ(alone["data"]["queue"], "mail");
}

// ---- the past -----------------------------------------------------------------------------------------------------

TEST_F(RecordsOfTool, ThePastIsShownAtASequenceAndAtAnInstant) {
  const std::string id = schedule();
  const std::uint64_t before = head();
  const std::string token = claim()["token"];
  run({"complete", id, "--token", token});
  const auto past = json({"state", "--at", std::to_string(before)});
  ASSERT_THAT(past, SizeIs(2));
  EXPECT_EQ(past[0]["seq"], before);
  EXPECT_EQ(past[0]["queues"][0]["queue"], "mail");
  EXPECT_EQ(past[0]["queues"][0]["available"], 1);
  EXPECT_EQ(past[1]["id"], id);
  EXPECT_EQ(past[1]["state"], "available");
  const Json now = json({"state", "--at", "2100-01-01T00:00:00Z"}).at(0);
  EXPECT_EQ(now["queues"][0]["completed"], 1);
  EXPECT_THAT(run({"state", "--at", std::to_string(before)}).out, HasSubstr("as of #" + std::to_string(before)));
}

TEST_F(RecordsOfTool, AFutureSequenceIsRefusedAndTheHeadNamed) {
  schedule();
  EXPECT_THAT(run({"state", "--at", "1000000"}), Refused(std::to_string(head())));
}

TEST_F(RecordsOfTool, StatCountsQueuesAndEvents) {
  schedule();
  claim();
  run({"pause", "photo"});
  const Json stat = one({"stat"});
  EXPECT_EQ(stat["open"], false);
  EXPECT_EQ(stat["held"], false);
  ASSERT_THAT(stat["queues"], SizeIs(2));
  EXPECT_EQ(stat["queues"][0]["running"], 1);
  EXPECT_EQ(stat["queues"][1]["paused"], true);
  EXPECT_THAT(run({"stat"}).out, AllOf(HasSubstr("QUEUE"), ContainsRegex("photo .*paused")));
}

TEST_F(RecordsOfTool, LookingChangesNothingOnTheDisk) {
  const std::string id = schedule();
  const auto before = contents(directory());
  for (const Words& verb :
       std::vector<Words>{{"jobs"}, {"job", id}, {"log"}, {"state", "--at", "3"}, {"stat"}, {"verify"}}) {
    EXPECT_EQ(run(verb).exit_code, 0) << verb.front();
  }
  EXPECT_EQ(contents(directory()), before);
}

// ---- damage -------------------------------------------------------------------------------------------------------

TEST_F(RecordsOfTool, ADamagedBookIsShownUpToItsDamageAndExits3) {
  const std::string id = schedule();
  const std::uint64_t before = head();
  schedule({"--payload", "to be damaged"});
  const fs::path segment = first_segment();
  std::ifstream in(segment, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  flip(segment, bytes.find("to be damaged"));
  for (const Words& verb :
       std::vector<Words>{{"stat"}, {"jobs"}, {"job", id}, {"log"}, {"state", "--at", "2100-01-01T00:00:00Z"}}) {
    const ToolRun shown = run(verb);
    EXPECT_EQ(shown.exit_code, 3) << verb.front();
    EXPECT_FALSE(shown.out.empty()) << verb.front();
    EXPECT_THAT(shown.err,
                AllOf(HasSubstr("payload checksum"), HasSubstr("Nothing was changed"), HasSubstr("daybook salvage")))
        << verb.front();
  }
  EXPECT_THAT(run({"stat"}).err, HasSubstr("DAMAGED"));
  EXPECT_THAT(run({"jobs"}).out, HasSubstr(id));
  EXPECT_EQ(run({"state", "--at", std::to_string(before)}).exit_code, 0) << "nothing of that is damaged";
}

TEST_F(RecordsOfTool, ADamagedBookIsSalvagedIntoANewOneThatRunsOnceItIsAdopted) {
  const std::string doubtful = schedule();
  schedule({"--payload", "to be damaged"});
  const std::string later = schedule();
  const fs::path segment = first_segment();
  std::ifstream in(segment, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  flip(segment, bytes.find("to be damaged"));
  EXPECT_THAT(run({"verify"}).out, AllOf(HasSubstr("DAMAGED"), HasSubstr("daybook salvage")));
  const auto before = contents(fs::path(directory()) / "log");

  const ToolRun salvaged = run({"salvage", "--out", file("rescued"), "--json"});
  EXPECT_EQ(salvaged.exit_code, 3) << salvaged.err;
  const Json report = json_lines(salvaged).at(0);
  EXPECT_EQ(report["whole"], false);
  ASSERT_THAT(report["gaps"], SizeIs(1));
  EXPECT_THAT(report["gaps"][0]["found"].get<std::string>(), HasSubstr("payload checksum"));
  EXPECT_THAT(report["uncertain"], ElementsAre(doubtful));
  EXPECT_EQ(contents(fs::path(directory()) / "log"), before);
  EXPECT_THAT(run({"salvage", "--out", file("rescued")}), Refused("not empty"));

  const auto there = [&](Words rest) {
    rest.insert(rest.begin(), tool());
    rest.insert(rest.begin() + 2, {"--dir", file("rescued")});
    return run_program(rest, {});
  };
  EXPECT_EQ(there({"verify", "--index"}).exit_code, 0);
  EXPECT_EQ(there({"adopt", "--reason", "the first one is gone"}).exit_code, 0);
  EXPECT_THAT(there({"jobs", "--state", "uncertain"}).out, HasSubstr(doubtful));
  EXPECT_THAT(there({"claim", "--queue", "mail", "--worker", "ada", "--json"}).out, HasSubstr(later));
  EXPECT_EQ(there({"retry", doubtful, "--reason", "it did not run"}).exit_code, 0);
  EXPECT_THAT(there({"claim", "--queue", "mail", "--worker", "ada", "--json"}).out, HasSubstr(doubtful));
  EXPECT_EQ(there({"verify", "--deep"}).exit_code, 0);
}

TEST_F(RecordsOfTool, AnUndamagedBookIsSalvagedWithoutLoss) {
  schedule();
  const ToolRun salvaged = run({"salvage", "--out", file("copy")});
  EXPECT_EQ(salvaged.exit_code, 0) << salvaged.err;
  EXPECT_THAT(salvaged.out, AllOf(HasSubstr("holds what can be proved"), Not(HasSubstr("LOST"))));
  EXPECT_THAT(salvaged.err, HasSubstr("daybook adopt"));
}

TEST_F(RecordsOfTool, VerifyDeepLooksAtEverythingAndSaysHowMuchItWas) {
  schedule();
  fs::create_directory(fs::path(directory()) / "quarantine");
  std::ofstream(fs::path(directory()) / "quarantine/00000000000000000001-4096-0123456789abcdef.cut") << "evidence";
  std::ofstream(fs::path(directory()) / "log/stray") << "?";
  const ToolRun deep = run({"verify", "--deep"});
  EXPECT_EQ(deep.exit_code, 0) << deep.err;
  EXPECT_THAT(deep.out, AllOf(HasSubstr("index: equals"), HasSubstr("quarantine: quarantine/"),
                              HasSubstr("log/stray is no file of a daybook"), ContainsRegex("read .* of log in ")));
  const Json object = verdict({"--deep"})["deep"];
  EXPECT_THAT(object["quarantine"], SizeIs(1));
  EXPECT_GT(object["bytes"], 0);
  EXPECT_EQ(object["states"], 0);
}

// ---- verify -------------------------------------------------------------------------------------------------------

TEST_F(RecordsOfTool, AClosedLogIsFine) {
  schedule();
  const ToolRun text = run({"verify"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("FINE"), HasSubstr("closed cleanly")));
  EXPECT_EQ(verdict()["verdict"], "clean_end");
  EXPECT_EQ(verdict()["head"], head());
}

TEST_F(RecordsOfTool, TheIndexEqualsAReplay) {
  schedule();
  claim();
  const Json index = verdict({"--index"})["index"];
  EXPECT_EQ(index["verdict"], "equal");
  EXPECT_EQ(index["applied"], head());
}

TEST_F(RecordsOfTool, AnIndexThatCannotBeReadIsAVerdictAndRebuildMakesItAnew) {
  const std::string payload = "bytes to be found again";
  schedule({"--payload", payload});
  // In place, for another file would be taken for a copy; and in a record, which is read only when it is compared.
  const fs::path index = fs::path(directory()) / "index" / "data.mdb";
  std::ifstream file(index, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  const std::size_t found = bytes.rfind(payload);
  ASSERT_NE(found, std::string::npos);
  flip(index, found);
  const ToolRun text = run({"verify", "--index"});
  EXPECT_EQ(text.exit_code, 3) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("FINE: "), HasSubstr("index: DAMAGED"), HasSubstr("daybook rebuild")));
  const ToolRun machine = run({"verify", "--index", "--json"});
  EXPECT_EQ(machine.exit_code, 3) << machine.err;
  const Json object = json_lines(machine).at(0);
  EXPECT_EQ(object["verdict"], "clean_end");
  EXPECT_EQ(object["index"]["verdict"], "damaged");
  EXPECT_EQ(run({"rebuild"}).exit_code, 0);
  EXPECT_EQ(verdict({"--index"})["index"]["verdict"], "equal");
}

TEST_F(RecordsOfTool, AFlippedBitIsDamageWithFileAndOffset) {
  schedule();
  const fs::path segment = first_segment();
  const Json fine = verdict();
  flip(segment, fine["segments"][0]["used_bytes"].get<std::uint64_t>() / 2);
  const ToolRun text = run({"verify"});
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_THAT(text.out, AllOf(HasSubstr("DAMAGED"), HasSubstr(segment.filename().string()),
                              ContainsRegex("offset +[0-9]+"), HasSubstr("what to do next")));
  const Json damaged = verdict();
  EXPECT_EQ(damaged["verdict"], "damaged");
  EXPECT_TRUE(damaged.contains("offset"));
  const ToolRun refused = run({"claim", "--queue", "mail", "--worker", "ada"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr(segment.filename().string()));
}

TEST_F(RecordsOfTool, ATornTailIsANoteAndNoDamage) {
  schedule();
  // A killed writer leaves an open segment; half a batch behind its end is what a crash in mid-write leaves.
  RunningTool worker(words({"work", "--queue", "mail", "--", "true"}));
  ASSERT_TRUE(worker.says("completed"));
  worker.signal(SIGKILL);
  worker.wait();
  const Json unclean = verdict();
  EXPECT_EQ(unclean["verdict"], "unclean_end");
  const Json last = unclean["segments"].back();
  const fs::path segment = fs::path(directory()) / last["name"].get<std::string>();
  {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(last["used_bytes"].get<std::streamoff>());
    file << "half a batch";
  }
  const ToolRun text = run({"verify"});
  EXPECT_EQ(text.exit_code, 0) << text.out;
  EXPECT_THAT(text.out, AllOf(HasSubstr("FINE"), HasSubstr("note: "), HasSubstr("tore")));
  EXPECT_EQ(verdict()["verdict"], "torn_tail");
  const ToolRun next = run({"schedule", "--queue", "mail", "--kind", "welcome"});
  EXPECT_EQ(next.exit_code, 0);
  EXPECT_THAT(next.err, HasSubstr("were cut"));
  EXPECT_EQ(run({"verify"}).exit_code, 0);
}

// ---- copies and rebuilding ----------------------------------------------------------------------------------------

TEST_F(RecordsOfTool, AReplayedBookIsHeldUntilItIsAdopted) {
  const std::string id = schedule();
  const std::uint64_t before = head();
  claim();
  const std::string copy = file("copy");
  const ToolRun made = run({"replay", "--to", std::to_string(before), "--out", copy});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.err, AllOf(HasSubstr("held"), HasSubstr("daybook adopt --dir " + copy)));

  const auto in_copy = [&](Words rest) {
    rest.insert(rest.begin(), tool());
    rest.insert(rest.begin() + 2, {"--json", "--dir", copy});
    return run_program(rest);
  };
  EXPECT_EQ(json_lines(in_copy({"stat"})).at(0)["held"], true);
  EXPECT_EQ(json_lines(in_copy({"jobs"})).at(0)["state"], "available");
  EXPECT_EQ(in_copy({"claim", "--queue", "mail", "--worker", "ada"}).exit_code, 1);
  EXPECT_EQ(in_copy({"work", "--queue", "mail", "--until-empty", "--", "true"}).exit_code, 1);
  const ToolRun adopted = in_copy({"adopt", "--reason", "the first machine is gone"});
  EXPECT_EQ(adopted.exit_code, 0) << adopted.err;
  EXPECT_EQ(json_lines(adopted).at(0)["adopted"], true);
  EXPECT_EQ(json_lines(in_copy({"claim", "--queue", "mail", "--worker", "ada"})).at(0)["id"], id);
  EXPECT_EQ(in_copy({"verify"}).exit_code, 0);
}

TEST_F(RecordsOfTool, ReplayTouchesNoDirectoryThatHoldsSomething) {
  schedule();
  fs::create_directory(file("full"));
  std::ofstream(file("full/letter")) << "dear Ada";
  EXPECT_THAT(run({"replay", "--to", "2", "--out", file("full")}), Refused("not empty"));
  EXPECT_THAT(run({"replay", "--to", "1000000", "--out", file("copy")}), Refused("1 to " + std::to_string(head())));
  EXPECT_FALSE(fs::exists(file("copy")));
}

TEST_F(RecordsOfTool, TheIndexIsMadeAnewFromTheLog) {
  const std::string id = schedule();
  schedule();
  const ToolRun text = run({"rebuild"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, ContainsRegex("rebuilt the index from [0-9]+ events: 2 jobs"));
  EXPECT_EQ(one({"rebuild"})["jobs"], 2);
  fs::remove_all(fs::path(directory()) / "index");
  EXPECT_EQ(claim()["id"], id);
  EXPECT_EQ(verdict({"--index"})["index"]["verdict"], "equal");
}

}  // namespace
}  // namespace daybook::test
