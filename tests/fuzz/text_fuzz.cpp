// SPDX-License-Identifier: Apache-2.0

// Any text at all is either refused with a sentence, or read as a value that is written and read again as itself.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daybook/core/ids.hpp"
#include "daybook/core/time.hpp"
#include "fuzz.hpp"

namespace daybook::fuzz {
namespace {

template <class Parse>
void check(Parse parse, std::string_view text) {
  const auto value = parse(text);
  if (!value) {
    require(!value.error().sentence.empty(), "a refusal says why");
    return;
  }
  const auto again = parse(daybook::to_string(*value));
  require(again && *again == *value, "a value is read again as itself");
}

}  // namespace

void text(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check(parse_instant, text);
  check(parse_duration, text);
  check(parse_job_id, text);
  check(parse_token, text);
  check(parse_uuid, text);
}

}  // namespace daybook::fuzz
