// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fuzz targets: each judges any bytes at all. libFuzzer calls them (fuzzer.cpp), and the suite does with the corpus and with
// mutations of it (corpus_test.cpp). A law that does not hold throws BrokenLaw; everything else that ends a process is found too.

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

namespace daybook::fuzz {

using Bytes = std::span<const std::byte>;

struct BrokenLaw : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const std::string& law) {
  if (!holds) throw BrokenLaw(law);
}

void text(Bytes bytes);
void cron(Bytes bytes);
void crontab(Bytes bytes);
void filter(Bytes bytes);
void decode_batch(Bytes bytes);
void segment(Bytes bytes);
void mutated_log(Bytes bytes);
void state_files(Bytes bytes);
void engine_calls(Bytes bytes);

/// Bytes as a program: numbers are taken from the front, and zeros when nothing is left.
class Program {
 public:
  explicit Program(Bytes bytes) : left_(bytes) {}
  [[nodiscard]] bool ended() const { return left_.empty(); }
  [[nodiscard]] std::uint64_t take(std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width && !left_.empty(); ++i) {
      value |= std::to_integer<std::uint64_t>(left_.front()) << (8 * i);
      left_ = left_.subspan(1);
    }
    return value;
  }
  [[nodiscard]] std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)); }
  /// At most `limit` - 1; 0 when there is nothing to choose from.
  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : take(limit > 0xff ? 3 : 1) % limit; }
  [[nodiscard]] Bytes rest() const { return left_; }

 private:
  Bytes left_;
};

}  // namespace daybook::fuzz
