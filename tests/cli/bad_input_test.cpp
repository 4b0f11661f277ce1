// SPDX-License-Identifier: Apache-2.0
// What cannot be done gets a clear sentence and the right exit code, and changes nothing.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

namespace fs = std::filesystem;

/// CRC-32C (Castagnoli), bit by bit.
std::uint32_t crc32c(const std::string& bytes, std::size_t count) {
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= static_cast<unsigned char>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

/// A file system that is gone with the test, however the test ends.
class Mount {
 public:
  explicit Mount(std::string target) : target_(std::move(target)) {}
  ~Mount() { end(); }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  [[nodiscard]] bool small_disk(const char* options) {
    return mounted_ = ::mount("daybook-test", target_.c_str(), "tmpfs", 0, options) == 0;
  }
  [[nodiscard]] bool read_only_view() {
    mounted_ = ::mount(target_.c_str(), target_.c_str(), nullptr, MS_BIND, nullptr) == 0;
    return mounted_ && ::mount(nullptr, target_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  }
  void end() {
    if (mounted_) ::umount2(target_.c_str(), MNT_DETACH);
    mounted_ = false;
  }

 private:
  std::string target_;
  bool mounted_ = false;
};

class BadInputToTool : public BookOfTool {
 protected:
  /// What a future release would write: an intact segment header that asks for a reader of version 99.
  static void ask_for_newer_reader(const std::string& segment) {
    constexpr std::size_t kHeader = 4096;
    constexpr std::size_t kMinimumReader = 12;
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    std::string header(kHeader, '\0');
    file.read(header.data(), kHeader);
    const auto put = [&](std::size_t at, std::uint32_t number) {
      for (int byte = 0; byte < 4; ++byte)
        header[at + static_cast<std::size_t>(byte)] = static_cast<char>(number >> (8 * byte));
    };
    put(kMinimumReader, 99);
    put(kHeader - 4, crc32c(header, kHeader - 4));
    file.seekp(0);
    file.write(header.data(), kHeader);
  }
  /// Scheduling like this is refused, and makes no job.
  [[nodiscard]] ToolRun scheduling(const Words& more, const std::string& input = {}) const {
    Words all = {"schedule", "--queue", "mail", "--kind", "welcome"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, input);
  }
  void expect_no_job() const {
    if (!fs::exists(directory())) return;
    EXPECT_THAT(json({"jobs"}), IsEmpty());
  }
};

// ---- words --------------------------------------------------------------------------------------------------------

TEST_F(BadInputToTool, AnUnknownVerbIsAnsweredWithTheClosest) {
  EXPECT_THAT(run({"shedule"}), WrongUsage("did you mean schedule?"));
  EXPECT_THAT(run({"frobnicate"}), WrongUsage("--help lists them"));
  EXPECT_THAT(run_program({tool()}), WrongUsage("which verb?"));
}

TEST_F(BadInputToTool, AnUnknownOptionOrAMissingOneIsNamed) {
  EXPECT_THAT(scheduling({"--colour", "red"}), WrongUsage("--colour"));
  EXPECT_THAT(run({"schedule", "--kind", "welcome"}), WrongUsage("--queue"));
  EXPECT_THAT(run({"complete", "17-00000001"}), WrongUsage("--token"));
  EXPECT_THAT(scheduling({"--in", "1h", "--at", "2100-01-01T00:00:00Z"}), WrongUsage("--in"));
  EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(BadInputToTool, WithoutADirectoryBothWaysToNameItAreShown) {
  ::unsetenv("DAYBOOK_DIR");
  const ToolRun nowhere = run_program({tool(), "jobs"});
  EXPECT_THAT(nowhere, WrongUsage("--dir DIR"));
  EXPECT_THAT(nowhere, WrongUsage("DAYBOOK_DIR"));
}

TEST_F(BadInputToTool, TheDirectoryMayStandInTheEnvironment) {
  schedule();
  EXPECT_THAT(json_lines(run_program({tool(), "jobs", "--json"}, {}, {{"DAYBOOK_DIR", directory()}})), SizeIs(1));
}

TEST_F(BadInputToTool, AnUnknownStateIsAnsweredWithTheStates) {
  schedule();
  const ToolRun answer = run({"jobs", "--state", "foo"});
  for (const char* state :
       {"foo", "scheduled", "available", "retryable", "running", "completed", "cancelled", "dead"}) {
    EXPECT_THAT(answer, WrongUsage(state));
  }
}

TEST_F(BadInputToTool, DirectoriesInCommandsThatAreShownAreQuoted) {
  const ToolRun none = run_program({tool(), "jobs", "--dir", file("a b")});
  EXPECT_THAT(none, Refused("daybook schedule --dir '" + file("a b") + "' makes one"));
  schedule();
  EXPECT_THAT(run({"replay", "--to", "2", "--out", file("r p")}).err,
              HasSubstr("daybook adopt --dir '" + file("r p") + "' --reason"));
  EXPECT_THAT(run({"backup", "--out", file("b c")}).err, HasSubstr("daybook adopt --dir '" + file("b c") + "'"));
}

TEST_F(BadInputToTool, ADurationThatIsTooLongIsNamed) {
  const auto refused = [&](const Words& more) {
    Words all = {"schedule", "--queue", "q", "--kind", "k"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all).err;
  };
  EXPECT_THAT(refused({"--keep-result", "99999999d"}), HasSubstr("a result kept for 99999999d: 0 to "));
  EXPECT_THAT(refused({"--unique-key", "k", "--unique-for", "99999999d"}),
              HasSubstr("a unique key held for 99999999d: 0 to "));
  EXPECT_THAT(run({"drop", "--reason", "r"}).err, testing::Not(HasSubstr("drop: drop")));
}

TEST_F(BadInputToTool, APolicyOutOfRangeIsAnsweredWithTheRange) {
  schedule();
  EXPECT_THAT(run({"weight", "mail", "customer-7", "0"}), WrongUsage("1 to 1000"));
  EXPECT_THAT(run({"weight", "mail", "customer-7", "1001"}), WrongUsage("1 to 1000"));
  EXPECT_THAT(run({"retention", "--completed", "soon"}), WrongUsage("retention.completed.age"));
  EXPECT_THAT(run({"retention", "--dead-count", "-1"}), WrongUsage("retention.dead.count"));
}

TEST_F(BadInputToTool, AnUnparsableDurationIsAnsweredWithOnesThatWouldParse) {
  for (const char* duration : {"ten", "10", "-5m", "", "10 m", "5x"}) {
    EXPECT_THAT(scheduling({"--in", duration}), WrongUsage("10m")) << duration;
  }
  EXPECT_THAT(run({"claim", "--queue", "mail", "--worker", "ada", "--lease", "soon"}), WrongUsage("10m"));
  EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(BadInputToTool, AnUnparsableInstantIsAnsweredWithOneThatWouldParse) {
  for (const char* instant : {"tomorrow", "2026-13-01T00:00:00Z", "2026-03-04", "12:00"}) {
    EXPECT_THAT(scheduling({"--at", instant}), WrongUsage("2026-")) << instant;
  }
}

TEST_F(BadInputToTool, UnparsableIdsTokensNumbersAndTagsAreUsage) {
  EXPECT_THAT(run({"job", "seventeen"}), WrongUsage("seventeen"));
  EXPECT_THAT(run({"complete", "17-00000001", "--token", "x"}), WrongUsage("--token"));
  EXPECT_THAT(scheduling({"--priority", "high"}), WrongUsage("whole number"));
  EXPECT_THAT(scheduling({"--priority", "99999999999"}), WrongUsage("out of range"));
  EXPECT_THAT(scheduling({"--tag", "nothing"}), WrongUsage("key=value"));
  EXPECT_THAT(scheduling({"--backoff", "linear"}), WrongUsage("exponential"));
  EXPECT_THAT(run({"log", "--from", "x"}), WrongUsage("--from"));
  EXPECT_THAT(run({"state", "--at", "yesterday"}), WrongUsage("--at"));
  EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(BadInputToTool, HelpIsThereForTheToolAndForEveryVerb) {
  const ToolRun help = run_program({tool(), "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.err, IsEmpty());
  for (const char* verb : {"schedule", "claim",      "renew", "complete", "fail",   "snooze", "release", "cancel",
                           "retry",    "reschedule", "pause", "resume",   "adopt",  "work",   "jobs",    "job",
                           "log",      "state",      "stat",  "verify",   "replay", "rebuild"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string("  ") + verb + " "));
    const ToolRun own = run_program({tool(), verb, "--help"});
    EXPECT_EQ(own.exit_code, 0) << verb;
    EXPECT_THAT(own.out,
                AllOf(HasSubstr(std::string("usage: daybook ") + verb), HasSubstr("--dir DIR"),
                      HasSubstr("example\n  $ daybook " + std::string(verb)), HasSubstr("exit codes: 0 fine")));
  }
  EXPECT_THAT(run_program({tool(), "--version"}).out, MatchesRegex("daybook [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

// ---- values out of range ------------------------------------------------------------------------------------------

TEST_F(BadInputToTool, APayloadOverTheLimitIsRefusedHoweverItComes) {
  const std::string large(300 * 1024, 'x');
  std::ofstream(file("large")) << large;
  // One argument holds at most 128 KiB; what is longer comes from a file or a pipe.
  EXPECT_THAT(scheduling({"--payload-file", file("large")}), Refused("pass a reference"));
  EXPECT_THAT(scheduling({"--payload-file", "-"}, large), Refused("pass a reference"));
  EXPECT_THAT(scheduling({"--payload-file", file("none")}), WrongUsage("No such file"));
  expect_no_job();
}

TEST_F(BadInputToTool, ALargePayloadIsNotReadToItsEnd) {
  // An endless file: only a reader that stops gets to an answer.
  EXPECT_THAT(scheduling({"--payload-file", "/dev/zero"}), Refused("pass a reference"));
}

TEST_F(BadInputToTool, ADueTimeOutOfRangeIsRefused) {
  EXPECT_EQ(scheduling({"--at", "1969-12-31T23:59:59Z"}).exit_code, 2);
  EXPECT_EQ(scheduling({"--at", "10000-01-01T00:00:00Z"}).exit_code, 2);
  const ToolRun far = scheduling({"--in", "3000000d"});
  EXPECT_EQ(far.exit_code, 1) << far.err;
  EXPECT_THAT(far.out, IsEmpty());
  expect_no_job();
}

TEST_F(BadInputToTool, ALeaseOfZeroOrLessOrTooMuchIsRefused) {
  schedule();
  const auto claiming = [&](const char* lease) {
    return run({"claim", "--queue", "mail", "--worker", "ada", "--lease", lease});
  };
  EXPECT_THAT(claiming("0s"), Refused("1s"));
  EXPECT_THAT(claiming("500ms"), Refused("1s"));
  EXPECT_THAT(claiming("25h"), Refused("1d"));
  EXPECT_EQ(claiming("-5s").exit_code, 2);
  EXPECT_EQ(run({"work", "--queue", "mail", "--lease", "0s", "--until-empty", "--", "true"}).exit_code, 1);
  EXPECT_EQ(json({"jobs"}).at(0)["state"], "available");
  EXPECT_THAT(one({"stat"})["workers"], IsEmpty());
}

TEST_F(BadInputToTool, NamesAndNumbersOutOfRangeAreRefused) {
  EXPECT_EQ(run({"schedule", "--queue", std::string(129, 'q'), "--kind", "k"}).exit_code, 1);
  EXPECT_EQ(run({"schedule", "--queue", "a\nb", "--kind", "k"}).exit_code, 1);
  EXPECT_EQ(scheduling({"--max-attempts", "0"}).exit_code, 1);
  EXPECT_EQ(scheduling({"--unique-key", std::string(256, 'k')}).exit_code, 1);
  expect_no_job();
}

// ---- directories --------------------------------------------------------------------------------------------------

TEST_F(BadInputToTool, OnlyScheduleMakesABook) {
  for (const Words& verb : std::vector<Words>{{"jobs"},
                                              {"pause", "mail"},
                                              {"claim", "--queue", "mail", "--worker", "ada"},
                                              {"work", "--queue", "mail", "--", "true"},
                                              {"verify"},
                                              {"rebuild"},
                                              {"stat"}}) {
    EXPECT_THAT(run(verb), Refused("daybook schedule --dir " + directory() + " makes one")) << verb.front();
  }
  EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(BadInputToTool, SomebodyElsesDirectoryIsLeftAlone) {
  fs::create_directory(directory());
  std::ofstream(directory() + "/letter") << "dear Ada";
  for (const Words& verb : std::vector<Words>{
           {"schedule", "--queue", "mail", "--kind", "k"}, {"jobs"}, {"pause", "mail"}, {"verify"}, {"rebuild"}}) {
    const ToolRun answer = run(verb);
    EXPECT_EQ(answer.exit_code, 1) << verb.front() << ": " << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("not a daybook"));
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory())) names.push_back(entry.path().filename().string());
  EXPECT_THAT(names, testing::ElementsAre("letter"));
}

TEST_F(BadInputToTool, AFileIsNoDirectory) {
  std::ofstream(directory()) << "a file";
  EXPECT_EQ(run({"jobs"}).exit_code, 1);
  EXPECT_EQ(scheduling({}).exit_code, 1);
}

TEST_F(BadInputToTool, ABookOfANewerFormatIsLeftToTheReleaseThatWroteIt) {
  schedule();
  const std::string segment = directory() + "/" + one({"verify"})["segments"][0]["name"].get<std::string>();
  ask_for_newer_reader(segment);
  for (const Words& verb : std::vector<Words>{{"jobs"}, {"schedule", "--queue", "mail", "--kind", "k"}, {"log"}}) {
    EXPECT_THAT(run(verb), Refused("newer")) << verb.front();
  }
  const ToolRun verified = run({"verify"});
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_THAT(verified.out, AllOf(HasSubstr("NOT VERIFIED"), HasSubstr("newer")));
}

TEST_F(BadInputToTool, ABookHeldByAnotherProcessIsNotWaitedForLongerThanAsked) {
  schedule();
  RunningTool holder(words({"work", "--queue", "mail", "--", "true"}));
  ASSERT_TRUE(holder.says("completed"));
  const ToolRun refused = scheduling({"--wait", "0s"});
  EXPECT_THAT(refused, Refused("held by another process"));
  EXPECT_THAT(refused, Refused(std::to_string(holder.process())));
  EXPECT_THAT(refused, Refused("daybook work"));
  EXPECT_THAT(run({"verify", "--index", "--wait", "0s"}), Refused(std::to_string(holder.process())));
  EXPECT_THAT(run({"rebuild", "--wait", "0s"}), Refused(std::to_string(holder.process())));
  // Looking goes on beside it.
  EXPECT_EQ(json({"jobs"}).at(0)["state"], "completed");
  EXPECT_EQ(run({"verify"}).exit_code, 0);
  holder.signal(SIGTERM);
  EXPECT_EQ(holder.wait().exit_code, 0);
  EXPECT_EQ(scheduling({"--wait", "0s"}).exit_code, 0);
}

TEST_F(BadInputToTool, AWriterWaitsForTheOwnerToLetGo) {
  schedule();
  RunningTool holder(words({"work", "--queue", "mail", "--", "true"}));
  ASSERT_TRUE(holder.says("completed"));
  RunningTool waiting(words({"schedule", "--queue", "mail", "--kind", "k", "--wait", "50s"}));
  holder.signal(SIGTERM);
  EXPECT_EQ(holder.wait().exit_code, 0);
  EXPECT_EQ(waiting.wait().exit_code, 0);
}

TEST_F(BadInputToTool, AReadOnlyDirectoryIsReadAndNotWritten) {
  schedule();
  Mount view(directory());
  if (::geteuid() != 0) {
    fs::permissions(directory(), fs::perms::owner_read | fs::perms::owner_exec);
  } else if (!view.read_only_view()) {
    GTEST_SKIP() << "root ignores modes, and may not mount here";
  }
  const ToolRun written = scheduling({});
  const ToolRun read = run({"jobs"});
  view.end();
  fs::permissions(directory(), fs::perms::owner_all);
  EXPECT_EQ(written.exit_code, 1);
  EXPECT_THAT(written.err, testing::ContainsRegex("[Rr]ead-only|Permission"));
  EXPECT_EQ(read.exit_code, 0) << read.err;
  EXPECT_THAT(json({"jobs"}), SizeIs(1));
}

TEST_F(BadInputToTool, AFullDiskRefusesNewJobsAndLosesNone) {
  fs::create_directory(directory());
  Mount disk(directory());
  if (!disk.small_disk("size=6m")) GTEST_SKIP() << "may not mount a small disk here";
  const std::string payload(200 * 1024, 'x');
  std::size_t kept = 0;
  ToolRun answer;
  for (int i = 0; i < 100; ++i) {
    answer = scheduling({"--payload-file", "-"}, payload);
    if (answer.exit_code != 0) break;
    ++kept;
  }
  EXPECT_EQ(answer.exit_code, 1) << answer.err;
  EXPECT_THAT(answer.err, testing::ContainsRegex("disk is full|No space left|no room"));
  EXPECT_THAT(json({"jobs"}), SizeIs(kept));
  EXPECT_EQ(run({"verify"}).exit_code, 0);
}

}  // namespace
}  // namespace daybook::test
