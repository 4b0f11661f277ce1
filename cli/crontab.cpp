// SPDX-License-Identifier: Apache-2.0
#include "crontab.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "crontab_script.hpp"
#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"

namespace daybook::cli {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// [A-Za-z_][A-Za-z0-9_]*
bool is_variable(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

/// As useradd(8) takes it, and names with a dot, as directories of companies have them.
bool is_user(std::string_view text) {
  if (text.ends_with('$')) text.remove_suffix(1);
  return !text.empty() && (is_letter(text.front()) || is_digit(text.front())) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; });
}

/// The words of one line, from left to right. Columns count from 1.
struct Line {
  std::string_view text;
  std::size_t at = 0;

  void skip_blanks() {
    while (at < text.size() && is_blank(text[at])) ++at;
  }
  std::string_view word() {
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    return text.substr(begin, at - begin);
  }
  [[nodiscard]] bool over() const { return at >= text.size(); }
  [[nodiscard]] std::size_t column() const { return at + 1; }
};

struct Assignment {
  std::string_view name;
  std::string value;
  std::size_t value_column = 0;
};

std::string_view unquoted(std::string_view text) {
  const bool wrapped = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return wrapped ? text.substr(1, text.size() - 2) : text;
}

/// NAME = value, with quotes around either; nothing when the line is no such thing.
std::optional<Assignment> assignment(std::string_view text) {
  Line line{text};
  line.skip_blanks();
  std::string_view name;
  if (!line.over() && (line.text[line.at] == '"' || line.text[line.at] == '\'')) {
    const std::size_t end = text.find(text[line.at], line.at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    name = text.substr(line.at + 1, end - line.at - 1);
    line.at = end + 1;
  } else {
    const std::size_t end = std::min(text.find_first_of("= \t", line.at), text.size());
    name = text.substr(line.at, end - line.at);
    line.at = end;
  }
  line.skip_blanks();
  if (line.over() || text[line.at] != '=') return std::nullopt;
  ++line.at;
  line.skip_blanks();
  std::string_view value = text.substr(line.at);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return Assignment{name, std::string(unquoted(value)), line.column()};
}

/// Whether the clocks of a zone are still set twice a year, or so often that a year has two offsets.
bool sets_clocks(const Zone& zone) {
  constexpr auto some_day = std::chrono::sys_days(std::chrono::year(2035) / 6 / 15);
  const ZoneSpan span = zone.span(some_day);
  return span.end - span.begin < std::chrono::days(400);
}

/// 32 bits of FNV-1a: names need not be unguessable, and a second one that is the same gets a number.
std::uint32_t mixed(std::initializer_list<std::string_view> texts) {
  std::uint32_t hash = 0x811c9dc5;
  for (const std::string_view text : texts) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
    hash = (hash ^ 0xffU) * 0x01000193;
  }
  return hash;
}

class CrontabReader {
 public:
  CrontabReader(const CrontabOptions& options, const Zones& zones)
      : options_(options), zones_(zones), zone_(options.zone) {}

  Crontab read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      read_line(line);
    }
    return std::move(crontab_);
  }

 private:
  using Weight = CrontabRemark::Weight;

  void remark(std::size_t column, Weight weight, std::string sentence) {
    crontab_.remarks.push_back({number_, column, weight, std::move(sentence)});
  }

  void read_line(std::string_view text) {
    Line line{text};
    line.skip_blanks();
    if (line.over() || text[line.at] == '#') return;
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
      return remark(nul + 1, Weight::not_taken, "found a byte of 0, expected text");
    }
    if (const auto found = assignment(text)) return set_variable(*found, line.column());
    read_job(line);
  }

  // ---- variables ----

  void set_variable(const Assignment& found, std::size_t column) {
    if (!is_variable(found.name)) {
      return remark(column, Weight::not_taken,
                    "found " + quoted(found.name, 32) + " before \"=\", expected the name of a variable, like PATH");
    }
    if (found.name == "CRON_TZ") return set_zone(found);
    if (found.name == "RANDOM_DELAY") return set_jitter(found);
    if (found.name == "MAILTO" || found.name == "MAILFROM" || found.name.starts_with("CONTENT_")) {
      if (found.name == "MAILTO" && !found.value.empty()) {
        remark(column, Weight::note, "MAILTO: nothing is mailed; what a command writes is kept with its job");
      }
      return;
    }
    if (found.name == "TZ" && found.value != zone_) {
      remark(column, Weight::note,
             "TZ: commands get it, as from cron; it does not move their times, which CRON_TZ would");
    }
    variables_[std::string(found.name)] = found.value;
  }

  void set_zone(const Assignment& found) {
    zone_line_ = number_;
    zone_ = found.value;
    if (const auto known = find_zone(zones_, zone_); !known) {
      remark(found.value_column, Weight::not_taken,
             "CRON_TZ: " + known.error().sentence + ". Lines below are not taken until another CRON_TZ");
    }
  }

  void set_jitter(const Assignment& found) {
    constexpr auto most = std::chrono::duration_cast<std::chrono::minutes>(limits::recurrence_jitter_max).count();
    std::uint32_t minutes = 0;
    const char* end = found.value.data() + found.value.size();
    const auto [stopped, error] = std::from_chars(found.value.data(), end, minutes);
    if (error != std::errc() || stopped != end || minutes > most) {
      return remark(
          found.value_column, Weight::not_taken,
          "RANDOM_DELAY: found " + quoted(found.value, 32) + ", expected minutes, 0 to " + std::to_string(most));
    }
    jitter_ = std::chrono::minutes(minutes);
  }

  // ---- jobs ----

  void read_job(Line line) {
    CrontabJob job;
    job.line = number_;
    job.zone = zone_;
    job.jitter = jitter_;
    const std::size_t begin = line.at;
    if (!skip_times(line)) return;
    // From the beginning of the line, so that columns are those of the line.
    const std::string_view times = line.text.substr(0, line.at);
    job.expression = times.substr(begin);
    const auto cron = parse_cron(times);
    if (!cron) return remark(begin + 1, Weight::not_taken, cron.error().sentence);
    job.cron = *cron;
    line.skip_blanks();
    if (options_.form == CrontabForm::system && !read_user(line, job)) return;
    if (line.over()) return remark(line.column(), Weight::not_taken, "found no command behind the times");
    const auto zone = find_zone(zones_, zone_);
    if (!zone) {
      return remark(begin + 1, Weight::not_taken,
                    zone_line_ == 0 ? zone.error().sentence
                                    : "the CRON_TZ of line " + std::to_string(zone_line_) + " is no time zone");
    }
    add(line, job, begin + 1, **zone);
  }

  /// Five fields, or one word with @ in front. A sixth is never taken for one of a time.
  bool skip_times(Line& line) {
    const std::size_t begin = line.at;
    if (line.text[begin] == '@') {
      line.word();
      return true;
    }
    for (int field = 0; field < 5; ++field) {
      line.skip_blanks();
      if (line.over()) {
        remark(line.column(), Weight::not_taken,
               "found " + std::to_string(field) + (field == 1 ? " field" : " fields") +
                   ", expected minute, hour, day of month, month and day of week, then " +
                   (options_.form == CrontabForm::system ? "a user and " : "") + "a command");
        return false;
      }
      line.word();
    }
    return true;
  }

  bool read_user(Line& line, CrontabJob& job) {
    const std::size_t column = line.column();
    job.user = line.word();
    if (!is_user(job.user)) {
      remark(column, Weight::not_taken,
             "found " + (job.user.empty() ? "nothing" : quoted(job.user, 32)) +
                 ", expected a user, as in /etc/crontab; a crontab of one user is read without --system");
      return false;
    }
    line.skip_blanks();
    return true;
  }

  void add(Line& line, CrontabJob& job, std::size_t times_column, const Zone& zone) {
    const std::size_t column = line.column();
    const ScriptParts parts = split_command(line.text.substr(line.at));
    if (parts.command.find_first_not_of(" \t") == std::string::npos) {
      return remark(column, Weight::not_taken, "found no command before the %");
    }
    job.command = parts.command;
    job.script = script_of(parts, variables_);
    name(job, parts);
    add_notes(job, times_column, column, zone);
    crontab_.jobs.push_back(std::move(job));
  }

  void name(CrontabJob& job, const ScriptParts& parts) {
    char hash[9];
    std::snprintf(hash, sizeof hash, "%08x",
                  mixed({options_.owner, job.user, parts.command, parts.input ? *parts.input : ""}));
    const std::string first = options_.prefix + "/" + program_of(parts.command) + "-" + hash;
    const int nth = ++named_[first];
    job.name = nth == 1 ? first : first + "-" + std::to_string(nth);
  }

  void add_notes(const CrontabJob& job, std::size_t times_column, std::size_t column, const Zone& zone) {
    const std::string_view command = job.command;
    if (options_.form == CrontabForm::user && (command.starts_with("root ") || command.starts_with("root\t"))) {
      remark(column, Weight::note,
             "the command begins with root; a file like /etc/crontab, with a user in front, is read with --system");
    }
    if (!sets_clocks(zone) || job.expression.front() == '@') return;
    const std::size_t hour = job.expression.find_first_not_of(" \t", job.expression.find_first_of(" \t"));
    const bool wild = job.expression.front() == '*' || job.expression[hour] == '*';
    if (wild == job.cron.every_hour()) return;
    remark(times_column, Weight::note,
           wild
               ? "where the clocks of " + zone.name() +
                     " are set, cron skips or repeats what begins with *; here it is shifted or comes once, because it "
                     "names hours"
               : "where the clocks of " + zone.name() +
                     " are set, cron makes up for what names hours; here it goes by the clock, because no hour is "
                     "left out");
  }

  const CrontabOptions& options_;
  const Zones& zones_;
  std::string zone_;
  std::size_t zone_line_ = 0;  // of the CRON_TZ that holds; 0: of none
  Duration jitter_{};
  Variables variables_;
  std::map<std::string, int> named_;
  std::size_t number_ = 0;
  Crontab crontab_;
};

}  // namespace

std::size_t Crontab::not_taken() const {
  return static_cast<std::size_t>(std::count_if(remarks.begin(), remarks.end(), [](const CrontabRemark& remark) {
    return remark.weight == CrontabRemark::Weight::not_taken;
  }));
}

Crontab read_crontab(std::string_view text, const CrontabOptions& options, const Zones& zones) {
  return CrontabReader(options, zones).read(text);
}

}  // namespace daybook::cli
