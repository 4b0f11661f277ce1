// SPDX-License-Identifier: Apache-2.0
// From the text of a cron expression to its sets.
#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "daybook/core/cron.hpp"
#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"

namespace daybook {
namespace {

constexpr std::array<std::string_view, 12> month_names = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct Field {
  std::string_view name;
  unsigned lowest;
  unsigned highest;  // that * stands for; 7 is Sunday as well
  std::span<const std::string_view> names;
  std::string_view expected;

  [[nodiscard]] unsigned count() const { return highest - lowest + 1; }
  [[nodiscard]] unsigned readable() const { return highest == 6 ? 7 : highest; }
};

constexpr Field second_field{"second", 0, 59, {}, "0 to 59, like 0, */15, 10-20 or 0,30"};
constexpr Field minute_field{"minute", 0, 59, {}, "0 to 59, like 0, */15, 10-20 or 0,30"};
constexpr Field hour_field{"hour", 0, 23, {}, "0 to 23, like 2, */6, 9-17 or 8,20"};
constexpr Field day_field{"day of month", 1, 31, {}, "1 to 31, like 1, */2, 1-7, L, L-3, 15W or LW"};
constexpr Field month_field{"month", 1, 12, month_names, "1 to 12 or JAN to DEC, like 1, */3 or JAN-MAR"};
constexpr Field weekday_field{"day of week", 0, 6, weekday_names,
                              "0 to 7 (0 and 7 are Sunday) or SUN to SAT, like MON-FRI, 1,3, MON#2 or 5L"};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr bool is_letter(char c) {
  return upper(c) >= 'A' && upper(c) <= 'Z';
}

std::string in_capitals(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), upper);
  return result;
}

struct Nickname {
  std::string_view name;
  std::string_view expression;
};
constexpr std::array<Nickname, 7> nicknames = {{{"@hourly", "0 * * * *"},
                                                {"@daily", "0 0 * * *"},
                                                {"@midnight", "0 0 * * *"},
                                                {"@weekly", "0 0 * * 0"},
                                                {"@monthly", "0 0 1 * *"},
                                                {"@yearly", "0 0 1 1 *"},
                                                {"@annually", "0 0 1 1 *"}}};

}  // namespace

/// Reads one text from left to right.
class CronParser {
 public:
  explicit CronParser(std::string_view text) : text_(text) {}

  Result<CronExpression> expression() {
    if (text_.size() > limits::cron_bytes_max) {
      return refused("it has " + std::to_string(text_.size()) + " bytes, expected at most " +
                     std::to_string(limits::cron_bytes_max));
    }
    skip_blanks();
    if (front() == '@') return nickname();
    if (auto read = fields(); !read) return tl::unexpected(read.error());
    leave_out_what_says_nothing();
    const CronExpression expression(sets_);
    if (!expression.ever_matches()) {
      return refused("it never matches: no year has such a day; see its day of month, month and day of week");
    }
    return expression;
  }

 private:
  using Done = Result<void>;

  [[nodiscard]] char front() const { return at_ < end_ ? text_[at_] : '\0'; }
  [[nodiscard]] bool take(char c) {
    if (upper(front()) != c || at_ >= end_) return false;
    ++at_;
    return true;
  }
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  [[nodiscard]] tl::unexpected<Refusal> refused(const std::string& why) const {
    return refuse(RefusalCode::invalid_argument, quoted(text_) + " is not a cron expression: " + why);
  }
  /// What stands from `from` to the end of the item, or of what was read, is not what the field takes.
  [[nodiscard]] tl::unexpected<Refusal> misfit(std::size_t from, std::string_view expected) const {
    std::size_t to = std::max(from, at_);
    while (to < end_ && text_[to] != ',') ++to;
    const std::string found = from < to     ? quoted(text_.substr(from, to - from), 24)
                              : from < end_ ? quoted(text_.substr(from, 1))
                                            : std::string("nothing");
    return refused(std::string(field_->name) + ", column " + std::to_string(from + 1) + ": found " + found +
                   ", expected " + std::string(expected));
  }

  Result<CronExpression> nickname() {
    std::size_t last = text_.find_last_not_of(" \t");
    const std::string_view name = text_.substr(at_, last - at_ + 1);
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    for (const Nickname& known : nicknames) {
      if (lower == known.name) return CronParser(known.expression).expression();
    }
    if (lower == "@reboot") {
      return refused("@reboot names no time; schedule a job at the start of your program instead");
    }
    if (lower.starts_with("@every")) {
      return refused("@every is no cron; use an interval, like 90m, instead");
    }
    return refused("column " + std::to_string(at_ + 1) + ": found " + quoted(name, 24) +
                   ", expected @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually");
  }

  Done fields() {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && !is_blank(text_[at_])) ++at_;
      found.emplace_back(begin, at_);
      skip_blanks();
    }
    constexpr std::array<const Field*, 6> order = {&second_field, &minute_field, &hour_field,
                                                   &day_field,    &month_field,  &weekday_field};
    if (found.size() != 5 && found.size() != 6) {
      return refused("found " + std::to_string(found.size()) + (found.size() == 1 ? " field" : " fields") +
                     ", expected 5 (minute, hour, day of month, month, day of week), or 6 with the second in front, "
                     "like 30 2 * * MON-FRI");
    }
    sets_.seconds = found.size() == 5 ? 1 : 0;
    sets_.minutes = sets_.hours = sets_.days = 0;
    sets_.months = sets_.weekdays = sets_.day_step = sets_.weekday_step = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      field_ = order[i + order.size() - found.size()];
      std::tie(at_, end_) = found[i];
      if (auto read = field(); !read) return read;
    }
    return {};
  }

  Done field() {
    begin_ = at_;
    if (is_day_field() && front() == '?') {
      ++at_;
      if (at_ != end_) return misfit(begin_, "? alone, or " + std::string(field_->expected));
      note_star(1);
      add_range(field_->lowest, field_->highest, 1);
      return {};
    }
    do {
      if (auto read = item(); !read) return read;
    } while (take(','));
    if (at_ != end_)
      return misfit(at_, "a comma, or the end of the field; the field takes " + std::string(field_->expected));
    return {};
  }

  Done item() {
    const std::size_t begin = at_;
    if (take('*')) {
      const auto steps = step();
      if (!steps) return tl::unexpected(steps.error());
      if (begin == begin_) note_star(*steps);
      add_range(field_->lowest, field_->highest, *steps);
      return {};
    }
    if (field_ == &day_field && take('L')) return last_day();
    const auto first = value();
    if (!first) return tl::unexpected(first.error());
    if (field_ == &day_field && take('W')) {
      sets_.nearest_weekdays |= std::uint32_t{1} << *first;
      return {};
    }
    if (field_ == &weekday_field && take('L')) {
      sets_.last_of_weekday |= static_cast<std::uint8_t>(1U << *first % 7);
      return {};
    }
    if (field_ == &weekday_field && take('#')) return nth_weekday(*first % 7);
    unsigned last = front() == '/' ? field_->highest : *first;
    if (take('-')) {
      const auto second = value();
      if (!second) return tl::unexpected(second.error());
      last = *second;
    }
    const auto steps = step();
    if (!steps) return tl::unexpected(steps.error());
    add_range(*first, last, *steps);
    return {};
  }

  /// Behind an L in the day of the month.
  Done last_day() {
    if (take('W')) {
      sets_.last_weekday = true;
      return {};
    }
    unsigned before = 0;
    if (take('-')) {
      const std::size_t begin = at_;
      const auto days = number();
      if (!days || *days < 1 || *days > 30) return misfit(begin, "1 to 30, the days before the last, like L-3");
      before = *days;
    }
    sets_.days_before_last |= std::uint32_t{1} << before;
    return {};
  }

  Done nth_weekday(unsigned weekday) {
    const std::size_t begin = at_;
    const auto n = number();
    if (!n || *n < 1 || *n > 5) return misfit(begin, "1 to 5, like MON#2");
    sets_.nth[weekday] |= static_cast<std::uint8_t>(1U << *n);
    return {};
  }

  std::optional<unsigned> number() {
    const std::size_t begin = at_;
    unsigned number = 0;
    for (; at_ < end_ && is_digit(text_[at_]); ++at_) {
      number = std::min(number * 10 + static_cast<unsigned>(text_[at_] - '0'), 1'000'000U);
    }
    if (begin == at_) return std::nullopt;
    return number;
  }

  Result<unsigned> value() {
    const std::size_t begin = at_;
    if (const auto digits = number()) {
      if (*digits < field_->lowest || *digits > field_->readable()) return misfit(begin, field_->expected);
      return *digits;
    }
    if (end_ - at_ >= 3) {
      const std::string name = in_capitals(text_.substr(at_, 3));
      const auto found = std::find(field_->names.begin(), field_->names.end(), name);
      if (found != field_->names.end()) {
        at_ += 3;
        const bool goes_on = at_ < end_ && is_letter(text_[at_]);
        const bool last =
            field_ == &weekday_field && upper(front()) == 'L' && (at_ + 1 == end_ || text_[at_ + 1] == ',');
        if (goes_on && !last) return misfit(begin, "a name of three letters, like " + name);
        return field_->lowest + static_cast<unsigned>(found - field_->names.begin());
      }
    }
    return misfit(begin, field_->expected);
  }

  /// "/n", or 1 when there is none.
  Result<unsigned> step() {
    if (!take('/')) return 1U;
    const std::size_t begin = at_;
    const auto steps = number();
    if (!steps || *steps < 1 || *steps > field_->count()) {
      return misfit(begin, "a step of 1 to " + std::to_string(field_->count()) +
                               "; for a longer one use an interval, like 90m, instead of cron");
    }
    return *steps;
  }

  [[nodiscard]] bool is_day_field() const { return field_ == &day_field || field_ == &weekday_field; }

  void note_star(unsigned steps) {
    if (field_ == &day_field) sets_.day_step = static_cast<std::uint8_t>(steps);
    if (field_ == &weekday_field) sets_.weekday_step = static_cast<std::uint8_t>(steps);
  }

  /// Every `steps`-th value from `first` to `last`, over the end of the field when `last` is the smaller.
  void add_range(unsigned first, unsigned last, unsigned steps) {
    const unsigned count = field_->count();
    if (first > field_->highest) {  // 7, a Sunday that begins
      first = field_->lowest;
      last = last > field_->highest ? field_->lowest : last;
    }
    const unsigned length = last >= first ? last - first : last + count - first;
    for (unsigned i = 0; i <= length; i += steps) add(field_->lowest + (first - field_->lowest + i) % count);
  }

  void add(unsigned value) {
    const std::uint64_t bit = std::uint64_t{1} << value;
    if (field_ == &second_field) sets_.seconds |= bit;
    if (field_ == &minute_field) sets_.minutes |= bit;
    if (field_ == &hour_field) sets_.hours |= static_cast<std::uint32_t>(bit);
    if (field_ == &day_field) sets_.days |= static_cast<std::uint32_t>(bit);
    if (field_ == &month_field) sets_.months |= static_cast<std::uint16_t>(bit);
    if (field_ == &weekday_field) sets_.weekdays |= static_cast<std::uint8_t>(bit);
  }

  /// So that expressions that mean the same are equal as far as can be.
  void leave_out_what_says_nothing() {
    const CronExpression::Sets all;
    if (sets_.days == all.days) {
      sets_.days_before_last = sets_.nearest_weekdays = 0;
      sets_.last_weekday = false;
      sets_.day_step = std::min<std::uint8_t>(sets_.day_step, 1);
    }
    for (unsigned weekday = 0; weekday < 7; ++weekday) {
      if ((sets_.weekdays >> weekday & 1U) == 0) continue;
      sets_.nth[weekday] = 0;
      sets_.last_of_weekday &= static_cast<std::uint8_t>(~(1U << weekday));
    }
    if (sets_.weekdays == all.weekdays) sets_.weekday_step = std::min<std::uint8_t>(sets_.weekday_step, 1);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;           // of the field
  std::size_t end_ = text_.size();  // of the field
  const Field* field_ = nullptr;
  CronExpression::Sets sets_;
};

Result<CronExpression> parse_cron(std::string_view text) {
  return CronParser(text).expression();
}

}  // namespace daybook
