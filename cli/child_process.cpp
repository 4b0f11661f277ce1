// SPDX-License-Identifier: Apache-2.0
// Starting and ending commands. posix_spawn, because other threads of this process hold locks at any moment and a plain
// fork would copy them locked. When a command shall end is for work.cpp.
#include "child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

extern char** environ;

namespace daybook::cli {

void Pipe::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

void TailBuffer::append(const char* bytes, std::size_t count) {
  bytes_.append(bytes, count);
  // Twice the size before it is cut: one move for 64 KiB of input.
  if (bytes_.size() >= 2 * kBytes) {
    bytes_.erase(0, bytes_.size() - kBytes);
    cut_ = true;
  }
}

std::string TailBuffer::text() const {
  std::string tail = bytes_.size() > kBytes ? bytes_.substr(bytes_.size() - kBytes) : bytes_;
  if (!cut_ && bytes_.size() <= kBytes) return tail;
  std::size_t partial = 0;  // a character that the cut went through has at most three bytes left
  while (partial < 3 && partial < tail.size() && (static_cast<unsigned char>(tail[partial]) >> 6) == 2) ++partial;
  return tail.substr(partial);
}

namespace {

struct PipePair {
  Pipe ours;
  Pipe theirs;
};

/// `we_read`: the child writes.
PipePair make_pipe(bool we_read) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  PipePair pair{Pipe(ends[we_read ? 0 : 1]), Pipe(ends[we_read ? 1 : 0])};
  // Only our end: a program does not expect its standard output to refuse bytes.
  ::fcntl(pair.ours.get(), F_SETFL, ::fcntl(pair.ours.get(), F_GETFL) | O_NONBLOCK);
  return pair;
}

class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view held(*entry);
    bool replaced = false;
    for (const std::string& variable : variables) {
      replaced = replaced || held.starts_with(std::string_view(variable).substr(0, variable.find('=') + 1));
    }
    if (!replaced) all.emplace_back(held);
  }
  all.insert(all.end(), variables.begin(), variables.end());
  return all;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::vector<std::string>& variables,
                           std::string input)
    : to_write_(std::move(input)) {
  PipePair in = make_pipe(false);
  PipePair out = make_pipe(true);
  PipePair err = make_pipe(true);

  SpawnSetup setup;
  ::posix_spawn_file_actions_adddup2(&setup.actions, in.theirs.get(), 0);
  ::posix_spawn_file_actions_adddup2(&setup.actions, out.theirs.get(), 1);
  ::posix_spawn_file_actions_adddup2(&setup.actions, err.theirs.get(), 2);
  // Ours are close-on-exec; this is for what whoever started the tool left open.
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, 3);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&setup.attributes, &none);
  ::posix_spawnattr_setsigdefault(&setup.attributes, &all);
  ::posix_spawnattr_setpgroup(&setup.attributes, 0);
  ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> words = command;
  std::vector<std::string> environment = environment_with(variables);
  const int error = ::posix_spawnp(&process_, words.front().c_str(), &setup.actions, &setup.attributes,
                                   pointers(words).data(), pointers(environment).data());
  if (error != 0) throw std::system_error(error, std::generic_category(), words.front());
  input_ = std::move(in.ours);
  output_ = std::move(out.ours);
  errors_ = std::move(err.ours);
  if (to_write_.empty()) input_.close();
}

ChildProcess::~ChildProcess() {
  if (process_ <= 0 || reaped_) return;
  signal_group(SIGKILL);
  while (::waitpid(process_, nullptr, 0) == -1 && errno == EINTR) {
  }
}

void ChildProcess::read_into(Pipe& pipe, TailBuffer& tail) {
  char buffer[64 * 1024];
  while (pipe.open()) {
    const ssize_t count = ::read(pipe.get(), buffer, sizeof buffer);
    if (count > 0) {
      tail.append(buffer, static_cast<std::size_t>(count));
      // One buffer a turn: a child that never stops talking must not keep the others waiting.
      return;
    }
    if (count == -1 && errno == EINTR) continue;
    if (count == -1 && errno == EAGAIN) return;
    pipe.close();
  }
}

void ChildProcess::pump() {
  while (input_.open()) {
    const ssize_t count = ::write(input_.get(), to_write_.data() + written_, to_write_.size() - written_);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1 && errno == EAGAIN) break;
    // A child that does not read its payload to the end may have reasons: EPIPE is no failure.
    if (count >= 0) written_ += static_cast<std::size_t>(count);
    if (count == -1 || written_ == to_write_.size()) input_.close();
  }
  read_into(output_, output_tail_);
  read_into(errors_, errors_tail_);
}

bool ChildProcess::ended() {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == process_;
}

void ChildProcess::signal_group(int signal) {
  if (!reaped_) ::kill(-process_, signal);
}

ChildProcess::Ended ChildProcess::reap() {
  // What the command itself wrote is in the pipes by now, at most a pipe's capacity; what it left running in the background
  // may go on writing and is not waited for.
  for (int turn = 0; turn < 64 && !silent(); ++turn) pump();
  int status = 0;
  while (::waitpid(process_, &status, 0) == -1 && errno == EINTR) {
  }
  reaped_ = true;
  input_.close();
  output_.close();
  errors_.close();
  if (WIFSIGNALED(status)) return {.exit_status = 0, .signal = WTERMSIG(status)};
  return {.exit_status = WEXITSTATUS(status), .signal = 0};
}

std::string ChildProcess::Ended::text() const {
  if (signal == 0) return "exit status " + std::to_string(exit_status);
  const char* description = ::sigdescr_np(signal);
  return "killed by signal " + std::to_string(signal) +
         (description == nullptr ? "" : std::string(" (") + description + ")");
}

std::optional<std::string> find_command(const std::string& command) {
  const auto runs = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (command.find('/') != std::string::npos) return runs(command) ? std::optional(command) : std::nullopt;
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "/usr/bin:/bin" : variable;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + command;
    if (runs(candidate)) return candidate;
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace daybook::cli
