// SPDX-License-Identifier: Apache-2.0
#pragma once

// BookOfTool: a directory that the tool is run against, and the verbs that most stories begin with.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/run_tool.hpp"
#include "support/temp_folder.hpp"

namespace daybook::test {

using Json = nlohmann::json;

/// Every line must parse: that is half of what the stories check.
inline std::vector<Json> json_lines(const ToolRun& run) {
  std::vector<Json> lines;
  for (std::size_t begin = 0; begin < run.out.size();) {
    const std::size_t end = std::min(run.out.find('\n', begin), run.out.size());
    lines.push_back(Json::parse(run.out.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

class BookOfTool : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  [[nodiscard]] std::string directory() const { return (folder_.path() / "book").string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] static std::string tool() { return DAYBOOK_TOOL; }

  /// The verb with --dir, then the rest. What stands behind "--" stays behind it.
  [[nodiscard]] Words words(const Words& rest) const {
    Words all = {tool(), rest.front(), "--dir", directory()};
    all.insert(all.end(), rest.begin() + 1, rest.end());
    return all;
  }
  ToolRun run(const Words& rest, const std::string& input = {}) const { return run_program(words(rest), input); }

  /// Runs, and expects a good end.
  std::vector<Json> json(Words rest, const std::string& input = {}) const {
    rest.insert(rest.begin() + 1, "--json");
    const ToolRun done = run(rest, input);
    EXPECT_EQ(done.exit_code, 0) << rest.front() << ": " << done.err;
    return json_lines(done);
  }
  Json one(const Words& rest, const std::string& input = {}) const {
    const auto lines = json(rest, input);
    EXPECT_EQ(lines.size(), 1U) << rest.front();
    return lines.empty() ? Json() : lines.front();
  }

  std::string schedule(const Words& more = {}) const {
    Words all = {"schedule", "--queue", "mail", "--kind", "welcome"};
    all.insert(all.end(), more.begin(), more.end());
    return one(all).value("id", "");
  }
  /// The claimed job, or null when nothing was due.
  Json claim(const Words& more = {}) const {
    Words all = {"claim", "--queue", "mail", "--worker", "ada"};
    all.insert(all.end(), more.begin(), more.end());
    const auto lines = json(all);
    return lines.empty() ? Json() : lines.front();
  }
  Json job(const std::string& id) const {
    const auto lines = json({"job", id});
    return lines.empty() ? Json() : lines.front();
  }
  std::vector<std::string> event_types(const std::string& id) const {
    std::vector<std::string> types;
    for (const Json& event : json({"log", "--job", id})) types.push_back(event["type"]);
    return types;
  }

  TempFolder folder_;
};

MATCHER_P(Refused, sentence, "") {
  *result_listener << "exit " << arg.exit_code << ", said: " << arg.err;
  return arg.exit_code == 1 && arg.out.empty() && arg.err.find(sentence) != std::string::npos;
}
MATCHER_P(WrongUsage, sentence, "") {
  *result_listener << "exit " << arg.exit_code << ", said: " << arg.err;
  return arg.exit_code == 2 && arg.out.empty() && arg.err.find(sentence) != std::string::npos;
}

}  // namespace daybook::test
