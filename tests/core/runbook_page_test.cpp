// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/refusal.hpp"

// docs/runbook.md has an entry for whatever an operator can be told. A new refusal, class of damage or exit code is not done
// before the page says what to do about it; a warning that is no longer told has no entry.

namespace daybook {
namespace {

const std::filesystem::path root(DAYBOOK_ROOT);

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The text between a heading and the next one.
std::string section(const std::string& heading) {
  const std::string page = text_of(root / "docs" / "runbook.md");
  const std::size_t start = page.find("\n## " + heading + "\n");
  if (start == std::string::npos) return {};
  const std::size_t end = page.find("\n## ", start + 1);
  return page.substr(start, end == std::string::npos ? end : end - start);
}

/// A row for it, with a meaning behind it.
testing::AssertionResult has_entry(const std::string& heading, const std::string& name) {
  const std::string head = "\n| `" + name + "` | ";
  const std::string text = section(heading);
  const std::size_t row = text.find(head);
  if (row == std::string::npos) {
    return testing::AssertionFailure() << "docs/runbook.md, \"" << heading << "\", has no row for " << name;
  }
  if (text.find_first_of("|\n", row + head.size()) < row + head.size() + 4) {
    return testing::AssertionFailure() << "docs/runbook.md says nothing about " << name;
  }
  return testing::AssertionSuccess();
}

/// The words in the first cells of a table.
std::vector<std::string> entries(const std::string& heading) {
  std::vector<std::string> names;
  const std::string text = section(heading);
  for (std::size_t at = text.find("\n| `"); at != std::string::npos; at = text.find("\n| `", at + 1)) {
    names.push_back(text.substr(at + 4, text.find('`', at + 4) - at - 4));
  }
  return names;
}

TEST(Runbook, HasEveryRefusal) {
  int refusals = 0;
  for (unsigned value = 0; value < 256; ++value) {
    const std::string_view name = to_string(static_cast<RefusalCode>(value));
    if (name == "unknown") continue;
    ++refusals;
    EXPECT_TRUE(has_entry("Refusals", std::string(name)));
  }
  EXPECT_EQ(entries("Refusals").size(), static_cast<std::size_t>(refusals)) << "a row for something that is no refusal";
}

TEST(Runbook, HasEveryClassOfDamage) {
  std::size_t classes = 0;
  for (unsigned value = 0; value < 256; ++value) {
    const std::string_view name = to_string(static_cast<Damage>(value));
    if (name == "unknown") continue;
    ++classes;
    EXPECT_TRUE(has_entry("Damage", std::string(name)));
  }
  EXPECT_EQ(entries("Damage").size(), classes);
}

TEST(Runbook, HasEveryExitCode) {
  const std::string source = text_of(root / "cli" / "exit.hpp");
  int codes = 0;
  for (int code = 0; code < 64; ++code) {
    if (source.find(" = " + std::to_string(code) + ",") == std::string::npos) continue;
    ++codes;
    EXPECT_TRUE(has_entry("Exit codes of the tool", std::to_string(code)));
  }
  EXPECT_EQ(codes, 6) << "cli/exit.hpp is not read as it is written";
}

TEST(Runbook, HasEveryTroubleWithTheDisk) {
  const std::string text = section("Trouble with the disk");
  for (const char* word :
       {"`ENOSPC`", "`EDQUOT`", "`EIO`", "`EROFS`", "`EACCES`", "`ELOOP`", "`EMFILE`", "held by another",
        "no daybook here", "somebody else appended", "clock of this boot went back"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word;
  }
}

// What warns is found by hand; that each entry is still the tool's own words is not.
TEST(Runbook, HasWarningsInTheWordsInWhichTheyAreTold) {
  std::string sources;
  for (const char* folder : {"cli", "scheduler", "replay", "projections", "log"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() == ".cpp") sources += text_of(entry.path());
    }
  }
  const std::vector<std::string> warnings = entries("Warnings");
  EXPECT_GE(warnings.size(), 11U);
  for (const std::string& warning : warnings) EXPECT_NE(sources.find(warning), std::string::npos) << warning;
}

TEST(Runbook, IsLinkedFromTheReadme) {
  const std::string readme = text_of(root / "README.md");
  EXPECT_NE(readme.find("(docs/runbook.md)"), std::string::npos);
  EXPECT_NE(readme.find("(SECURITY.md)"), std::string::npos);
}

}  // namespace
}  // namespace daybook
