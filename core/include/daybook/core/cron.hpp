// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cron expressions: which local times recur. A time zone is not part of them: recurrence.hpp brings the two together.
//
// Five fields (minute, hour, day of month, month, day of week), or six with the second in front; or one of @hourly @daily @midnight
// @weekly @monthly @yearly @annually. A field is a list of items with commas between them:
//
//   *        every value                        */15     every 15th, from the lowest on
//   5        one value                          5/15     every 15th, from 5 on to the highest
//   9-17     a range                            9-17/2   every second of a range
//   22-2     a range over the end: 22 23 0 1 2  (steps go on counting over the end)
//   MON JAN  names of three letters, whatever the case; Sunday is 0 or 7
//   ?        the same as *, alone in a day field
//   L L-3    the last day of the month, the third day before it     LW   its last day from Monday to Friday
//   15W      the day from Monday to Friday nearest to the 15th, within the month; nothing in a month without a 15th
//   5L FRIL  the last Friday of the month       MON#2    its second Monday
//
// A step is at most the number of values that its field has. A day matches when both day fields do, if one of them begins with
// * or ?; when neither does, one of them is enough (docs/recurring.md).

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/refusal.hpp"

namespace daybook {

/// What clocks on the wall of some place show.
using LocalTime = std::chrono::local_time<std::chrono::seconds>;

class CronExpression {
 public:
  /// Every midnight.
  CronExpression() = default;

  [[nodiscard]] bool matches(LocalTime time) const;

  /// The first match at or after `from`; nothing when it would be after the year 9999. `from` is not before the year -9999.
  [[nodiscard]] std::optional<LocalTime> next(LocalTime from) const;

  /// Whether no hour is left out. Such an expression follows the flow of time, whatever clocks are set to.
  [[nodiscard]] bool every_hour() const { return sets_.hours == all_hours; }

  friend bool operator==(const CronExpression&, const CronExpression&) = default;

 private:
  friend class CronParser;
  friend std::string to_string(const CronExpression& expression);

  static constexpr std::uint32_t all_hours = 0xffffffU;

  /// Bit n stands for the value n.
  struct Sets {
    std::uint64_t seconds = 1;
    std::uint64_t minutes = 1;
    std::uint32_t hours = 1;
    std::uint16_t months = 0x1ffe;
    std::uint32_t days = 0xfffffffe;
    std::uint32_t days_before_last = 0;  // bit 0: L
    std::uint32_t nearest_weekdays = 0;  // W
    bool last_weekday = false;           // LW
    std::uint8_t weekdays = 0x7f;
    std::array<std::uint8_t, 7> nth{};  // by weekday, # in bits 1 to 5
    std::uint8_t last_of_weekday = 0;   // L behind a weekday
    std::uint8_t day_step = 1;          // n where the field begins with */n, 1 with *, 0 when with neither
    std::uint8_t weekday_step = 1;
    friend bool operator==(const Sets&, const Sets&) = default;
  };

  explicit CronExpression(const Sets& sets) : sets_(sets) {}

  /// The days that match in a month, as bits.
  [[nodiscard]] std::uint32_t days_of(std::chrono::year_month month) const;
  [[nodiscard]] std::uint32_t month_days_of(unsigned first_weekday, unsigned length) const;
  [[nodiscard]] std::uint32_t weekdays_of(unsigned first_weekday, unsigned length) const;
  /// The first matching time of a day at or after `from`.
  [[nodiscard]] std::optional<std::chrono::seconds> next_in_day(std::chrono::seconds from) const;
  [[nodiscard]] bool ever_matches() const;

  Sets sets_;
};

/// Refuses what does not parse, and what matches in no year, such as February 30. The sentence names the field and the column, what
/// was found there, and what would be right.
[[nodiscard]] Result<CronExpression> parse_cron(std::string_view text);

/// Reads back as the same expression, and is the same however it was written: numbers, no names, no second when it is 0.
[[nodiscard]] std::string to_string(const CronExpression& expression);

}  // namespace daybook
