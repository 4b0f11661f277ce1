// SPDX-License-Identifier: Apache-2.0

// libFuzzer's entry: FUZZ_TARGET names the function of fuzz.hpp.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  daybook::fuzz::FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
