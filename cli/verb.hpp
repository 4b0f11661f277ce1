// SPDX-License-Identifier: Apache-2.0
#pragma once

// Verb: one word of the tool, with its options and its help. Tool: all of them. The command-line parser behind them is
// known to verb.cpp alone.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/limits.hpp"
#include "daybook/core/time.hpp"
#include "values.hpp"

namespace daybook::cli {

/// What every verb may be told.
struct Common {
  std::string directory;  // never empty once a verb runs
  bool json = false;
  Duration wait = limits::owner_wait_default;  // writing verbs
  bool allow_network = false;                  // writing verbs
  bool trust_clock = false;                    // writing verbs
  std::string actor;                           // empty: the user of this process
  std::string reason;                          // operators' verbs
  std::string verb;                            // the word itself
  std::vector<std::string> command;            // what stood behind "--"
};

enum class Opens {
  nothing,  // needs no book
  reading,  // takes no lock, works beside a running service
  holding,  // takes the book's lock, records nothing: --wait
  writing,  // takes the lock and leaves its name in the record: --wait, --actor, --trust-clock
};

class Verb {
 public:
  using Read = std::function<Result<void>(const std::string&)>;

  /// Two lines for its help, beside the one of the list.
  Verb& about(std::string text);
  /// A command line, and what it prints.
  Verb& example(std::string text);

  /// `into` must outlive the run; its value is the default.
  template <class T>
  Verb& option(const std::string& name, const std::string& placeholder, T& into, const std::string& help) {
    return add_option(name, placeholder, help, reader(into));
  }
  template <class T>
  Verb& repeated(const std::string& name, const std::string& placeholder, std::vector<T>& into,
                 const std::string& help) {
    return add_option(name, placeholder, help, reader(into), true);
  }
  template <class T>
  Verb& argument(const std::string& placeholder, T& into, const std::string& help) {
    return add_argument(placeholder, help, reader(into));
  }
  Verb& flag(const std::string& name, bool& into, const std::string& help);

  // About the option added last.
  Verb& required();
  Verb& not_with(const std::string& other);
  Verb& optional();  // an argument that may be left out

  /// --reason, for operators' verbs.
  Verb& takes_reason(bool required = false);
  /// What stands behind "--" is a command.
  Verb& takes_command();
  /// Needs no directory when the flag is set.
  Verb& without_book(const bool& when);
  /// For the line of exit codes: those that only this verb has.
  Verb& exits(std::string text);
  /// What the verb does.
  void runs(std::function<int()> action);

 private:
  friend class Tool;
  struct Impl;
  explicit Verb(std::unique_ptr<Impl> impl);
  template <class T>
  static Read reader(T& into) {
    return [&into](const std::string& text) { return read_value(text, into); };
  }
  Verb& add_option(const std::string& name, const std::string& placeholder, const std::string& help, Read read,
                   bool repeated = false);
  Verb& add_argument(const std::string& placeholder, const std::string& help, Read read);
  std::unique_ptr<Impl> impl_;

 public:
  ~Verb();
};

class Tool {
 public:
  Tool();
  ~Tool();

  /// `summary` is the line in the list of verbs, under the heading of the last `group`.
  Verb& verb(const std::string& name, const std::string& summary, Opens opens);
  void group(const std::string& heading);

  [[nodiscard]] const Common& common() const;

  /// Parses and runs the verb. Returns its exit code. Throws UsageError.
  int run(int argc, const char* const* argv);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace daybook::cli
