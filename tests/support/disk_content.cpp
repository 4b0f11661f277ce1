// SPDX-License-Identifier: Apache-2.0
#include "support/disk_content.hpp"

#include <algorithm>
#include <cstring>

namespace daybook::test {

Range common(const Range& a, const Range& b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

// ---- Ranges -------------------------------------------------------------------------------------------------------

void Ranges::add(Range range) {
  if (range.empty()) return;
  auto first = std::lower_bound(ranges_.begin(), ranges_.end(), range.begin,
                                [](const Range& one, std::uint64_t begin) { return one.end < begin; });
  auto last = first;
  for (; last != ranges_.end() && last->begin <= range.end; ++last) {
    range.begin = std::min(range.begin, last->begin);
    range.end = std::max(range.end, last->end);
  }
  ranges_.insert(ranges_.erase(first, last), range);
}

void Ranges::add(const Ranges& ranges) {
  for (const Range& range : ranges) add(range);
}

void Ranges::remove(Range range) {
  if (range.empty() || ranges_.empty()) return;
  std::vector<Range> left;
  for (const Range& one : ranges_) {
    const Range before{one.begin, std::min(one.end, range.begin)};
    const Range behind{std::max(one.begin, range.end), one.end};
    if (!before.empty()) left.push_back(before);
    if (!behind.empty()) left.push_back(behind);
  }
  ranges_ = std::move(left);
}

bool Ranges::covers(const Range& range) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const Range& one) { return one.begin <= range.begin && range.end <= one.end; });
}

std::vector<Range> Ranges::within(const Range& range) const {
  std::vector<Range> found;
  for (const Range& one : ranges_) {
    const Range part = common(one, range);
    if (!part.empty()) found.push_back(part);
  }
  return found;
}

// ---- Content ------------------------------------------------------------------------------------------------------

Content::Content(std::span<const std::byte> bytes) {
  resize(bytes.size());
  write(0, bytes);
}

Content::Page& Content::own(std::uint64_t page) {
  std::shared_ptr<Page>& mine = pages_[page];
  if (!mine) {
    mine = std::make_shared<Page>();
  } else if (mine.use_count() > 1) {
    mine = std::make_shared<Page>(*mine);
  }
  return *mine;
}

void Content::resize(std::uint64_t size) {
  // What lies behind the end of the last page is kept zero, so that growing shows zeros.
  if (size < size_ && size % page_bytes != 0 && pages_[size / page_bytes]) {
    Page& last = own(size / page_bytes);
    std::fill(last.begin() + static_cast<std::ptrdiff_t>(size % page_bytes), last.end(), std::byte{0});
  }
  size_ = size;
  pages_.resize((size + page_bytes - 1) / page_bytes);
}

void Content::read(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const std::uint64_t in_page = offset % page_bytes;
    const std::size_t bytes = std::min<std::uint64_t>(into.size(), page_bytes - in_page);
    const std::shared_ptr<Page>& page = pages_[offset / page_bytes];
    if (page) {
      std::memcpy(into.data(), page->data() + in_page, bytes);
    } else {
      std::memset(into.data(), 0, bytes);
    }
    offset += bytes;
    into = into.subspan(bytes);
  }
}

void Content::write(std::uint64_t offset, std::span<const std::byte> from) {
  while (!from.empty()) {
    const std::uint64_t in_page = offset % page_bytes;
    const std::size_t bytes = std::min<std::uint64_t>(from.size(), page_bytes - in_page);
    std::memcpy(own(offset / page_bytes).data() + in_page, from.data(), bytes);
    offset += bytes;
    from = from.subspan(bytes);
  }
}

void Content::copy(const Content& from, Range range) {
  range.end = std::min({range.end, from.size_, size_});
  while (!range.empty()) {
    const std::uint64_t page = range.begin / page_bytes;
    const std::uint64_t in_page = range.begin % page_bytes;
    const std::uint64_t bytes = std::min(range.end - range.begin, page_bytes - in_page);
    if (pages_[page] == from.pages_[page]) {
      // shared already
    } else if (bytes == page_bytes) {
      pages_[page] = from.pages_[page];
    } else if (from.pages_[page]) {
      std::memcpy(own(page).data() + in_page, from.pages_[page]->data() + in_page, bytes);
    } else {
      std::memset(own(page).data() + in_page, 0, bytes);
    }
    range.begin += bytes;
  }
}

bool Content::equal(const Content& other, const Range& range) const {
  for (std::uint64_t at = range.begin; at < std::min(range.end, size_); ++at) {
    std::byte mine{}, theirs{};
    if (at >= other.size_) return false;
    read(at, {&mine, 1});
    other.read(at, {&theirs, 1});
    if (mine != theirs) return false;
  }
  return true;
}

void Content::flip(std::uint64_t bit) {
  own(bit / 8 / page_bytes)[bit / 8 % page_bytes] ^= static_cast<std::byte>(1u << (bit % 8));
}

std::vector<std::byte> Content::bytes() const {
  std::vector<std::byte> all(size_);
  read(0, all);
  return all;
}

}  // namespace daybook::test
