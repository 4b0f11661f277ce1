// SPDX-License-Identifier: Apache-2.0

// Any text at all is either refused with a sentence, or read as a value that is written and read again as itself.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daybook/core/ids.hpp"
#include "daybook/core/time.hpp"

namespace {

template <class Parse>
void check(Parse parse, std::string_view text) {
  const auto value = parse(text);
  if (!value) {
    if (value.error().sentence.empty()) std::abort();
    return;
  }
  const auto again = parse(daybook::to_string(*value));
  if (!again || *again != *value) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(daybook::parse_instant, text);
  check(daybook::parse_duration, text);
  check(daybook::parse_job_id, text);
  check(daybook::parse_token, text);
  check(daybook::parse_uuid, text);
  return 0;
}
