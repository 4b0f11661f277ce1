// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the real tool: its words, its standard input, and what it answered. A run that does not end within a minute is killed
// and says so, so that a hanging tool is a failing test.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace daybook::test {

struct ToolRun {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string out;
  std::string err;
};

/// A program that was started and not waited for yet.
class RunningTool {
 public:
  RunningTool(std::vector<std::string> words, const std::string& input = {},
              const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    int in[2];
    int out[2];
    int err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipes");
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    ::close(err[1]);
    ::signal(SIGPIPE, SIG_IGN);
    // A tool that refuses before it reads leaves the rest unread: EPIPE is an answer too.
    for (std::size_t written = 0; written < input.size();) {
      const ssize_t count = ::write(in[1], input.data() + written, input.size() - written);
      if (count <= 0) break;
      written += static_cast<std::size_t>(count);
    }
    ::close(in[1]);
    out_ = out[0];
    err_ = err[0];
  }
  ~RunningTool() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    if (out_ >= 0) ::close(out_);
    if (err_ >= 0) ::close(err_);
  }
  RunningTool(const RunningTool&) = delete;
  RunningTool& operator=(const RunningTool&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  void signal(int number) const { ::kill(process_, number); }

  /// Reads until standard error holds the text. False: it ended, or a minute passed, without.
  bool says(const std::string& text) {
    while (so_far_.err.find(text) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }

  /// Waits for the process only, not for those that hold its outputs.
  ToolRun wait_for_process() {
    reap();
    return so_far_;
  }

  /// Waits for the end of its outputs, then for its own.
  ToolRun wait() {
    while (read_more()) {
    }
    reap();
    return so_far_;
  }

 private:
  bool read_more() {
    if (out_ < 0 && err_ < 0) return false;
    pollfd descriptors[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0 || ::poll(descriptors, 2, static_cast<int>(left.count())) == 0) {
      so_far_.err += "\n[killed by the test: it had a minute]";
      ::kill(process_, SIGKILL);
      return false;
    }
    take(descriptors[0], out_, so_far_.out);
    take(descriptors[1], err_, so_far_.err);
    return true;
  }
  static void take(const pollfd& descriptor, int& number, std::string& into) {
    if (number < 0 || descriptor.revents == 0) return;
    char buffer[65536];
    const ssize_t count = ::read(number, buffer, sizeof buffer);
    if (count > 0) {
      into.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      ::close(std::exchange(number, -1));
    }
  }
  void reap() {
    if (process_ <= 0) return;
    int status = 0;
    while (::waitpid(process_, &status, 0) == -1 && errno == EINTR) {
    }
    process_ = -1;
    if (WIFEXITED(status)) so_far_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) so_far_.signal = WTERMSIG(status);
  }

  pid_t process_ = -1;
  int out_ = -1;
  int err_ = -1;
  ToolRun so_far_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + std::chrono::minutes(1);
};

/// Runs to its end.
inline ToolRun run_program(std::vector<std::string> words, const std::string& input = {},
                           const std::vector<std::pair<std::string, std::string>>& environment = {}) {
  return RunningTool(std::move(words), input, environment).wait();
}

}  // namespace daybook::test
