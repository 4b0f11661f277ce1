// SPDX-License-Identifier: Apache-2.0
// The command line: CLI11 does the parsing, the help is laid out here. What the options mean is in values.cpp, what the
// verbs do in their own files.
#include "verb.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>

#include "daybook/core/nearest.hpp"
#include "daybook/version.hpp"
#include "exit.hpp"
#include "output.hpp"

namespace daybook::cli {

namespace {

struct HelpLine {
  std::string left;
  std::string right;
};

void write_lines(std::ostream& out, const std::vector<HelpLine>& lines) {
  std::size_t width = 0;
  for (const HelpLine& line : lines) width = std::max(width, line.left.size());
  for (const HelpLine& line : lines) {
    out << "  " << line.left << std::string(width - line.left.size() + 2, ' ');
    // A help text of several lines keeps its indentation.
    for (const char c : line.right) {
      out << c;
      if (c == '\n') out << std::string(width + 4, ' ');
    }
    out << '\n';
  }
}

/// A verb of two words is one word to the parser.
std::string parser_name(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

constexpr const char* kExitCodes =
    "exit codes: 0 fine · 1 refused, or the disk or another process is in the way · 2 usage · 3 damage";

/// An option of the parser's that is read by us. It is given once, unless it is `repeated`.
CLI::Option* add_read(CLI::App& app, const std::string& name, Verb::Read read, bool repeated = false) {
  CLI::Option* option = app.add_option(name, [name, read = std::move(read), repeated](const CLI::results_t& values) {
    if (!repeated && values.size() > 1) {
      throw UsageError(name + " is given " + std::to_string(values.size()) + " times; once is enough");
    }
    for (const std::string& value : values) {
      if (auto outcome = read(value); !outcome) throw UsageError(name + ": " + outcome.error().sentence);
    }
    return true;
  });
  // The parser's own word for one too many is nobody's language: it lets them through, and we count.
  option->type_size(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  // Without this bound each would take the words behind its value as well.
  return option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
}

template <class T>
Verb::Read into(T& value) {
  return [&value](const std::string& text) { return read_value(text, value); };
}

}  // namespace

// ---- one verb -----------------------------------------------------------------------------------------------------

struct Verb::Impl {
  CLI::App* app = nullptr;
  std::string name;
  std::string summary;
  std::string about;
  std::string examples;
  std::string arguments;  // for the usage line
  std::string exits;
  std::vector<HelpLine> options;
  std::vector<HelpLine> common;
  CLI::Option* last = nullptr;
  bool takes_command = false;
  const bool* without_book = nullptr;
  Opens opens = Opens::reading;
  Common* shared = nullptr;
  std::function<int()> action;

  [[nodiscard]] std::string help() const {
    std::ostringstream out;
    out << "daybook " << name << ": " << (about.empty() ? summary : about) << "\n\n";
    out << "usage: daybook " << name << arguments << " [options]" << (takes_command ? " -- CMD [ARG…]" : "") << "\n\n";
    if (!options.empty()) {
      write_lines(out, options);
      out << '\n';
    }
    write_lines(out, common);
    if (!examples.empty()) out << "\nexample\n" << examples;
    out << '\n' << kExitCodes << (exits.empty() ? "" : " · ") << exits << '\n';
    return out.str();
  }
};

Verb::Verb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Verb::~Verb() = default;

Verb& Verb::about(std::string text) {
  impl_->about = std::move(text);
  return *this;
}

Verb& Verb::example(std::string text) {
  impl_->examples += text;
  return *this;
}

Verb& Verb::add_option(const std::string& name, const std::string& placeholder, const std::string& help, Read read,
                       bool repeated) {
  impl_->last = add_read(*impl_->app, name, std::move(read), repeated);
  impl_->options.push_back({name + " " + placeholder, help + (repeated ? " (may be repeated)" : "")});
  return *this;
}

Verb& Verb::add_argument(const std::string& placeholder, const std::string& help, Read read) {
  impl_->last =
      impl_->app->add_option(placeholder, [placeholder, read = std::move(read)](const CLI::results_t& values) {
        for (const std::string& value : values) {
          if (auto outcome = read(value); !outcome) throw UsageError(placeholder + ": " + outcome.error().sentence);
        }
        return true;
      });
  impl_->last->type_size(1)->required();
  impl_->arguments += " " + placeholder;
  impl_->options.push_back({placeholder, help});
  return *this;
}

Verb& Verb::flag(const std::string& name, bool& into, const std::string& help) {
  impl_->last = impl_->app->add_flag(name, into);
  impl_->options.push_back({name, help});
  return *this;
}

Verb& Verb::required() {
  impl_->last->required();
  impl_->options.back().right += " (required)";
  return *this;
}

Verb& Verb::optional() {
  impl_->last->required(false);
  const std::string& placeholder = impl_->options.back().left;
  impl_->arguments.replace(impl_->arguments.rfind(placeholder), placeholder.size(), "[" + placeholder + "]");
  return *this;
}

Verb& Verb::not_with(const std::string& other) {
  impl_->last->excludes(impl_->app->get_option(other));
  return *this;
}

Verb& Verb::takes_reason(bool required) {
  option("--reason", "TEXT", impl_->shared->reason, "why; kept in the record beside who and when");
  if (required) this->required();
  return *this;
}

Verb& Verb::takes_command() {
  impl_->takes_command = true;
  return *this;
}

Verb& Verb::without_book(const bool& when) {
  impl_->without_book = &when;
  return *this;
}

Verb& Verb::exits(std::string text) {
  impl_->exits = std::move(text);
  return *this;
}

void Verb::runs(std::function<int()> action) {
  impl_->action = std::move(action);
}

// ---- the tool -----------------------------------------------------------------------------------------------------

struct Tool::Impl {
  CLI::App app{"", "daybook"};
  Common common;
  std::vector<std::unique_ptr<Verb>> verbs;
  std::vector<std::pair<std::string, std::vector<HelpLine>>> groups;

  [[nodiscard]] std::string help() const {
    std::ostringstream out;
    out << "daybook: schedules jobs, hands them to workers, and remembers everything that happened.\n\n"
           "usage: daybook VERB [options]        daybook VERB --help tells more, with an example\n";
    for (const auto& [heading, lines] : groups) {
      out << '\n' << heading << '\n';
      write_lines(out, lines);
    }
    out << "\nevery verb\n";
    write_lines(out, {{"--dir DIR", "the daybook's directory; without it, $DAYBOOK_DIR"},
                      {"--json", "one object per line on standard output, with names that stay"},
                      {"--help, --version", ""}});
    out << "\nData goes to standard output, everything else to standard error.\n" << kExitCodes << '\n';
    return out.str();
  }

  [[nodiscard]] Verb* find(const std::string& word) const {
    for (const auto& verb : verbs) {
      if (verb->impl_->name == word) return verb.get();
    }
    return nullptr;
  }

  [[noreturn]] void unknown(const std::string& word) const {
    std::vector<std::string_view> known;
    for (const auto& verb : verbs) known.push_back(verb->impl_->name);
    const std::string_view close = nearest(word, known);
    throw UsageError("there is no verb " + daybook::quoted(word) +
                     (close.empty() ? ";" : "; did you mean " + std::string(close) + "?") +
                     " daybook --help lists them");
  }

  /// The verbs whose first of two words it is; none for every other word.
  [[nodiscard]] std::vector<HelpLine> family(const std::string& word) const {
    std::vector<HelpLine> members;
    for (const auto& verb : verbs) {
      if (verb->impl_->name.starts_with(word + " ")) members.push_back({verb->impl_->name, verb->impl_->summary});
    }
    return members;
  }

  struct Chosen {
    Verb* verb = nullptr;
    bool helped = false;  // the help of a family was asked for, and printed
  };

  /// Finds the verb among the words up to the end of the line or "--", and makes one word of it.
  [[nodiscard]] Chosen choose(std::vector<std::string>& words) const {
    std::optional<std::string> first;
    for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
      if (first && (words[i] == "--help" || words[i] == "-h")) {
        std::cout << "daybook " << *first << ": the verbs, each with a --help of its own\n\n";
        write_lines(std::cout, family(*first));
        return {nullptr, true};
      }
      if (words[i] == "--dir") {
        ++i;
        continue;
      }
      if (words[i].starts_with('-')) continue;
      if (!first && !family(words[i]).empty()) {
        first = words[i];
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(i--));
        continue;
      }
      const std::string name = first ? *first + " " + words[i] : words[i];
      Verb* const verb = find(name);
      if (verb == nullptr) unknown(name);
      words[i] = parser_name(name);
      return {verb, false};
    }
    if (first) throw UsageError("which verb of " + *first + "? daybook " + *first + " --help lists them");
    return {};
  }
};

Tool::Tool() : impl_(std::make_unique<Impl>()) {
  impl_->app.require_subcommand(0, 1);
  impl_->app.set_help_flag("--help,-h");
  impl_->app.set_version_flag("--version", std::string("daybook ") + std::string(version));
  add_read(impl_->app, "--dir", into(impl_->common.directory));
  impl_->app.add_flag("--json", impl_->common.json);
  impl_->app.formatter_fn([this](const CLI::App*, std::string, CLI::AppFormatMode) { return impl_->help(); });
}

Tool::~Tool() = default;

const Common& Tool::common() const {
  return impl_->common;
}

void Tool::group(const std::string& heading) {
  impl_->groups.push_back({heading, {}});
}

Verb& Tool::verb(const std::string& name, const std::string& summary, Opens opens) {
  auto parts = std::make_unique<Verb::Impl>();
  parts->app = impl_->app.add_subcommand(parser_name(name), summary);
  parts->name = name;
  parts->summary = summary;
  parts->shared = &impl_->common;
  Common& common = impl_->common;
  parts->opens = opens;
  add_read(*parts->app, "--dir", into(common.directory));
  if (opens != Opens::nothing) {
    parts->common.push_back({"--dir DIR", "the daybook's directory; without it, $DAYBOOK_DIR"});
  }
  parts->app->add_flag("--json", common.json);
  parts->common.push_back({"--json", "one object per line on standard output"});
  if (opens == Opens::holding || opens == Opens::writing) {
    add_read(*parts->app, "--wait", into(common.wait));
    parts->common.push_back({"--wait D", "how long to wait for a process that has the book open (5s)"});
    parts->app->add_flag("--allow-network", common.allow_network);
    parts->common.push_back(
        {"--allow-network",
         "write to a book on a network file system, where neither locks nor syncs can be relied on"});
  }
  if (opens == Opens::writing) {
    add_read(*parts->app, "--actor", into(common.actor));
    parts->common.push_back({"--actor NAME", "who does this, for the record (your login name and uid)"});
    parts->app->add_flag("--trust-clock", common.trust_clock);
    parts->common.push_back(
        {"--trust-clock", "believes the clock even when it does not fit the last event; see clock"});
  }
  Verb::Impl* help = parts.get();
  parts->app->formatter_fn([help](const CLI::App*, std::string, CLI::AppFormatMode) { return help->help(); });
  if (impl_->groups.empty()) group("verbs");
  impl_->groups.back().second.push_back({name, summary});
  impl_->verbs.push_back(std::unique_ptr<Verb>(new Verb(std::move(parts))));
  return *impl_->verbs.back();
}

int Tool::run(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (const char* directory = std::getenv("DAYBOOK_DIR"); directory != nullptr) impl_->common.directory = directory;
  const auto [chosen, helped] = impl_->choose(words);
  if (helped) return static_cast<int>(Exit::fine);

  // CMD is taken out before the parser sees it: its words are nobody's options.
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes != words.end() && chosen != nullptr && chosen->impl_->takes_command) {
    impl_->common.command.assign(std::next(dashes), words.end());
    words.erase(dashes, words.end());
  }

  const std::string name = chosen == nullptr ? "" : chosen->impl_->name + " ";
  if (chosen != nullptr) impl_->common.verb = chosen->impl_->name;
  try {
    std::reverse(words.begin(), words.end());
    impl_->app.parse(words);
  } catch (const CLI::Success& success) {  // --help, --version
    impl_->app.exit(success, std::cout, std::cerr);
    return static_cast<int>(Exit::fine);
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> extras = impl_->app.remaining(true);
    throw UsageError(
        (extras.empty() ? "there is a word too many" : daybook::quoted(extras.front()) + " means nothing here") +
        "; daybook " + name + "--help shows what it takes");
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();
    throw UsageError(sanitized(text.substr(0, text.find(':'))) + ": its value is missing; daybook " + name +
                     "--help shows what it takes");
  } catch (const CLI::ParseError& error) {
    throw UsageError(sanitized(error.what()) + "; daybook " + name + "--help shows what it takes");
  }
  if (chosen == nullptr) throw UsageError("which verb? daybook --help lists them");
  const bool* const without_book = chosen->impl_->without_book;
  const bool needs_book = chosen->impl_->opens != Opens::nothing && (without_book == nullptr || !*without_book);
  if (impl_->common.directory.empty() && needs_book) {
    throw UsageError("which daybook? Name its directory with --dir DIR, or set DAYBOOK_DIR");
  }
  if (chosen->impl_->takes_command && impl_->common.command.empty()) {
    throw UsageError("which command shall run the jobs? It stands behind \"--\"; daybook " + name +
                     "--help shows an example");
  }
  return chosen->impl_->action();
}

}  // namespace daybook::cli
