// SPDX-License-Identifier: Apache-2.0
#pragma once

// ChildProcess: a command that runs in a process group of its own, with bytes on its standard input, and of whose two
// outputs the last 64 KiB are kept. Driven by the caller's poll loop; nothing here waits.

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::cli {

/// Owns a file descriptor.
class Pipe {
 public:
  Pipe() = default;
  explicit Pipe(int number) : number_(number) {}
  Pipe(Pipe&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Pipe& operator=(Pipe&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Pipe() { close(); }
  void close();
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// The last bytes of a stream, whole characters where it is UTF-8.
class TailBuffer {
 public:
  static constexpr std::size_t kBytes = 64 * 1024;
  void append(const char* bytes, std::size_t count);
  [[nodiscard]] std::string text() const;

 private:
  std::string bytes_;
  bool cut_ = false;
};

class ChildProcess {
 public:
  struct Ended {
    int exit_status = 0;  // when signal is 0
    int signal = 0;
    [[nodiscard]] bool succeeded() const { return signal == 0 && exit_status == 0; }
    /// "exit status 3", "killed by signal 9 (Killed)"
    [[nodiscard]] std::string text() const;
  };

  /// Throws std::system_error when it cannot be started. The child has the caller's environment and `variables`
  /// ("NAME=value"), no descriptors besides 0, 1 and 2, no blocked signals, and the default for each signal.
  ChildProcess(const std::vector<std::string>& command, const std::vector<std::string>& variables, std::string input);
  /// A child that is still there is killed, with its whole group.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Descriptors that a poll should wait for; -1: none any more.
  [[nodiscard]] int input() const { return input_.get(); }
  [[nodiscard]] int output() const { return output_.get(); }
  [[nodiscard]] int errors() const { return errors_.get(); }

  /// Moves what can be moved through the pipes without waiting.
  void pump();
  /// Did the command itself end? Its process is kept as a zombie until `reap`, so that its group's number stays its own.
  [[nodiscard]] bool ended();
  /// Nobody holds its outputs any more: the rest of the group has very likely ended too.
  [[nodiscard]] bool silent() const { return !output_.open() && !errors_.open(); }
  /// Sends a signal to everyone in the group.
  void signal_group(int signal);
  /// After `ended`. What it said last is read first.
  Ended reap();

  [[nodiscard]] std::string output_tail() const { return output_tail_.text(); }
  [[nodiscard]] std::string errors_tail() const { return errors_tail_.text(); }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  static void read_into(Pipe& pipe, TailBuffer& tail);

  pid_t process_ = -1;
  bool reaped_ = false;
  Pipe input_;
  Pipe output_;
  Pipe errors_;
  std::string to_write_;
  std::size_t written_ = 0;
  TailBuffer output_tail_;
  TailBuffer errors_tail_;
};

/// The file that `command` would run, by PATH as the shell looks it up; nothing when there is none.
[[nodiscard]] std::optional<std::string> find_command(const std::string& command);

}  // namespace daybook::cli
