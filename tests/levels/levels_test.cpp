// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "daybook/core/limits.hpp"
#include "daybook/daybook.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/open_store.hpp"
#include "daybook/system/posix_storage.hpp"
#include "hex.hpp"
#include "support/temp_folder.hpp"

// Going back a release: a book that was not upgraded is opened by this release and the one before in turn. The one before is
// the same code, built to know one feature level less; that it is like what was released, the fixture books say.

namespace daybook {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Ran {
  int exit_code = -1;
  std::string out;
};

class Levels : public ::testing::Test {
 protected:
  Ran the_release_before() {
    const std::string command = std::string(RELEASE_BEFORE) + " '" + path().string() + "'";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    Ran ran;
    std::array<char, 4096> buffer;
    while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
      ran.out.append(buffer.data(), count);
    const int status = ::pclose(pipe);
    if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
    return ran;
  }

  [[nodiscard]] Daybook open(std::uint32_t level = limits::feature_level_highest) {
    return Daybook::open(path(), {.feature_level = level});
  }

  /// The files of a fixture: "path:size hex", the bytes behind the hexadecimal ones being zero.
  void lay_out(const std::string& fixture) {
    fs::create_directories(path());
    for (const auto& [name, bytes] : read_fixture(fixture)) {
      const std::size_t colon = name.find(':');
      const fs::path file = path() / name.substr(0, colon);
      fs::create_directories(file.parent_path());
      std::ofstream(file, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      fs::resize_file(file, std::stoull(name.substr(colon + 1)));
    }
  }

  [[nodiscard]] std::map<std::string, std::string> log_files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(path() / "log")) {
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
  }

  void expect_whole() {
    const auto storage = PosixStorage::open(path(), Access::read_only);
    const LogVerdict verdict = verify_log(*storage);
    EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
    Daybook book = open();
    const LogReader reader(*storage);
    std::vector<std::string> differences;
    book.look([&](const View& view, const Moment&) { differences = verify_index(view, events_of(reader)); });
    EXPECT_THAT(differences, ::testing::IsEmpty());
  }

  [[nodiscard]] fs::path path() const { return folder_.path() / "book"; }

 private:
  test::TempFolder folder_;
};

TEST_F(Levels, ABookThatWasNotUpgradedIsOpenedByBothReleasesInTurn) {
  JobId first;
  {
    Daybook book = open(1);
    first = book.schedule({.queue = "now", .kind = "k"}).value();
    EXPECT_EQ(book.stat().feature_level, 1U);
  }
  const Ran before = the_release_before();
  EXPECT_EQ(before.exit_code, 0) << before.out;
  EXPECT_THAT(before.out, HasSubstr("opened "));
  {
    Daybook book = open();
    EXPECT_EQ(book.stat().feature_level, 1U) << "opening by a later release raises nothing";
    EXPECT_EQ(book.job(first)->phase, Phase::available);
    EXPECT_EQ(book.jobs({.queue = "before"}).at(0).phase, Phase::completed);
    const auto claimed = book.claim({.queues = {"now"}, .worker = "w"});
    EXPECT_TRUE(book.complete(claimed.value().at(0)));
  }
  EXPECT_EQ(the_release_before().exit_code, 0);
  expect_whole();
}

TEST_F(Levels, TheReleaseBeforeRefusesAnUpgradedBookAndChangesNothing) {
  {
    Daybook book = open(1);
    (void)book.schedule({.queue = "now", .kind = "k"});
    ASSERT_TRUE(book.upgrade("all machines run the new release"));
    EXPECT_EQ(book.stat().feature_level, limits::feature_level_highest);
  }
  const auto files = log_files();
  const Ran before = the_release_before();
  EXPECT_EQ(before.exit_code, 3);
  EXPECT_THAT(before.out, HasSubstr("refused unknown format"));
  EXPECT_THAT(before.out, HasSubstr("feature level 2 (this release knows up to 1)"));
  EXPECT_EQ(log_files(), files);
  expect_whole();
}

TEST_F(Levels, ABookMadeByThisReleaseIsForThisReleaseUnlessAskedOtherwise) {
  (void)open().schedule({.queue = "now", .kind = "k"});
  EXPECT_EQ(the_release_before().exit_code, 3);
}

TEST_F(Levels, UpgradingTwiceIsFine) {
  Daybook book = open(1);
  ASSERT_TRUE(book.upgrade("first"));
  const Sequence head = book.stat().head;
  ASSERT_TRUE(book.upgrade("second"));
  EXPECT_EQ(book.stat().head, head);
}

TEST_F(Levels, ALevelThatThisReleaseDoesNotKnowIsNotAskedFor) {
  EXPECT_THROW((void)open(0), std::invalid_argument);
  EXPECT_THROW((void)open(limits::feature_level_highest + 1), std::invalid_argument);
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(Levels, TheBookThatRelease01WroteIsOpenedByBoth) {
  lay_out("v1/book.hex");
  EXPECT_EQ(the_release_before().exit_code, 0);
  Daybook book = open();
  EXPECT_EQ(book.stat().feature_level, 1U);
  EXPECT_EQ(book.job(JobId{Sequence(10), {}})->phase, Phase::completed);
  EXPECT_EQ(book.job(JobId{Sequence(13), {}})->phase, Phase::scheduled);
  EXPECT_EQ(book.job(JobId{Sequence(18), {}})->phase, Phase::dead);
  EXPECT_EQ(book.job(JobId{Sequence(18), {}})->error, Envelope("boom"));
  book.close();
  expect_whole();
}

TEST_F(Levels, TheBookOfLevel2IsOpenedByThisReleaseAlone) {
  lay_out("v1/book_of_level_2.hex");
  EXPECT_EQ(the_release_before().exit_code, 3);
  Daybook book = open();
  EXPECT_EQ(book.stat().feature_level, 2U);
  EXPECT_EQ(book.job(JobId{Sequence(13), {}})->phase, Phase::scheduled);
  EXPECT_EQ(book.jobs({.queue = "level-2"}).size(), 1U);
  book.close();
  expect_whole();
}

}  // namespace
}  // namespace daybook
