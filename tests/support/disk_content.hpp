// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes of a simulated file, in pages that copies share until one of them writes; and sets of byte ranges.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace daybook::test {

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] bool empty() const { return begin >= end; }
};
[[nodiscard]] Range common(const Range& a, const Range& b);

/// Disjoint ranges in order, none touching the next.
class Ranges {
 public:
  void add(Range range);
  void add(const Ranges& ranges);
  void remove(Range range);
  void clear() { ranges_.clear(); }
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool covers(const Range& range) const;
  [[nodiscard]] std::vector<Range> within(const Range& range) const;
  [[nodiscard]] auto begin() const { return ranges_.begin(); }
  [[nodiscard]] auto end() const { return ranges_.end(); }

 private:
  std::vector<Range> ranges_;
};

/// Not even two copies may be used in two threads at once.
class Content {
 public:
  Content() = default;
  explicit Content(std::span<const std::byte> bytes);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  void resize(std::uint64_t size);                                           // grows by zeros
  void read(std::uint64_t offset, std::span<std::byte> into) const;          // within the size
  void write(std::uint64_t offset, std::span<const std::byte> from);         // within the size
  void copy(const Content& from, Range range);                               // as far as both reach
  [[nodiscard]] bool equal(const Content& other, const Range& range) const;  // as far as this reaches
  void flip(std::uint64_t bit);                                              // 0 is the lowest of byte 0
  [[nodiscard]] std::vector<std::byte> bytes() const;

 private:
  static constexpr std::uint64_t page_bytes = 4096;
  using Page = std::array<std::byte, page_bytes>;
  Page& own(std::uint64_t page);

  std::uint64_t size_ = 0;
  std::vector<std::shared_ptr<Page>> pages_;  // null: zeros
};

}  // namespace daybook::test
