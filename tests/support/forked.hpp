// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <string>

namespace daybook::test {

/// What `act` returns in a child made by fork(), or how the child ended without returning.
template <class Act>
std::string in_forked_child(Act act) {
  std::array<int, 2> told{};
  if (::pipe(told.data()) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);  // a child that waits for a thread that it has not got
    std::string text;
    try {
      text = act();
    } catch (const std::exception& error) {
      text = std::string("threw: ") + error.what();
    }
    [[maybe_unused]] const ssize_t written = ::write(told[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(told[1]);
  std::string text;
  std::array<char, 4096> bytes{};
  for (ssize_t count = 0; (count = ::read(told[0], bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(told[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status)) : text;
}

}  // namespace daybook::test
