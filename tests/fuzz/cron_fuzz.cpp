// SPDX-License-Identifier: Apache-2.0

// Any text at all is either refused with a sentence, or read as a cron expression that is written and read again as itself, and whose
// matches rise, do match, and have none between them.

#include <string_view>

#include "daybook/core/cron.hpp"
#include "fuzz.hpp"

namespace daybook::fuzz {

void cron(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto expression = parse_cron(text);
  if (!expression) {
    require(!expression.error().sentence.empty(), "a refusal says why");
    return;
  }
  const std::string written = to_string(*expression);
  const auto again = parse_cron(written);
  require(again && *again == *expression, "an expression is read again as itself");
  require(to_string(*again) == written, "its text is one");
  using std::chrono::seconds;
  LocalTime at = std::chrono::local_days(std::chrono::year(2026) / 11 / 21) + seconds(55'555);
  for (int i = 0; i < 5; ++i) {
    const auto next = expression->next(at);
    require(next.has_value(), "what was accepted matches in some year");
    require(*next >= at && expression->matches(*next), "a match is not before what was asked, and matches");
    require(*next == at || expression->next(*next - seconds(1)) == *next, "there is nothing before it");
    at = *next + seconds(1);
  }
}

}  // namespace daybook::fuzz
