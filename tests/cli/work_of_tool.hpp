// SPDX-License-Identifier: Apache-2.0
#pragma once

// WorkOfTool: a book, and the verb `work` with a shell script for its command.

#include <sys/stat.h>

#include "book_of_tool.hpp"

namespace daybook::test {

class WorkOfTool : public BookOfTool {
 protected:
  /// `work --until-empty` with the options before and a shell script behind "--".
  [[nodiscard]] Words working(const Words& options, const std::string& script) const {
    Words all = {"work", "--queue", "mail", "--until-empty"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {"--", "sh", "-c", script});
    return all;
  }
  ToolRun work(const Words& options, const std::string& script) const { return run(working(options, script)); }
  void make_fifo(const std::string& name) const { ASSERT_EQ(::mkfifo(file(name).c_str(), 0600), 0); }
  /// Blocks until somebody writes a line into the fifo.
  [[nodiscard]] std::string line_from(const std::string& name) const {
    std::ifstream fifo(file(name));
    std::string line;
    std::getline(fifo, line);
    return line;
  }
  /// A process that nobody waits for is a zombie for a moment, or for ever: it runs no more all the same.
  [[nodiscard]] static bool alive(pid_t process) {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const std::size_t end = text.rfind(')');
    return end != std::string::npos && text[end + 2] != 'Z' && text[end + 2] != 'X';
  }
  /// A script that does not end when it is asked to, nor does what it starts.
  [[nodiscard]] std::string stubborn() const {
    return "trap '' TERM; sleep 1000 & echo $$ $! > " + file("pids") + "; wait; sleep 1000";
  }
  void expect_nothing_of_it_is_left() const {
    pid_t shell = 0;
    pid_t background = 0;
    std::ifstream(file("pids")) >> shell >> background;
    ASSERT_GT(background, 0);
    EXPECT_FALSE(alive(shell));
    EXPECT_FALSE(alive(background));
  }
};

}  // namespace daybook::test
