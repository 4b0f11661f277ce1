// SPDX-License-Identifier: Apache-2.0
#pragma once

// Filter: which jobs are meant, in words that a person types. One language wherever jobs are chosen; docs/filter.md has its
// grammar and its fields.
//
//   state = dead and queue in (mail, sms) and not tag.customer ~ "acme*" and finalized_at > now-2h
//
// A value: copying one copies a pointer, and it may be read from any thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/job.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

class Filter {
 public:
  /// Every job: "all".
  Filter();

  /// At most limits::filter_bytes_max bytes, and limits::filter_depth_max "not" and parentheses within each other. The refusal
  /// `invalid_argument` is a sentence with the column and what would be right, then two more lines: the text, and a caret below
  /// the place.
  [[nodiscard]] static Result<Filter> parse(std::string_view text);

  /// `field` = `value`, whatever is in the value.
  [[nodiscard]] static Result<Filter> equals(std::string_view field, std::string_view value);

  /// `names` spells out queues, kinds, workers and error kinds; `now` is what due, age and lateness are judged by. Looks at this one job;
  /// takes time in proportion to the filter, with ~ also to the text that is looked through.
  [[nodiscard]] bool matches(const Job& job, const View& names, const Moment& now) const;

  /// The filter again, in one line and always the same way: parse(text()) is this filter.
  [[nodiscard]] std::string text() const;

  /// What both match.
  friend Filter operator&&(const Filter& left, const Filter& right);
  friend bool operator==(const Filter& left, const Filter& right);

  struct Node;

 private:
  explicit Filter(Node node);
  std::shared_ptr<const Node> root_;
};

[[nodiscard]] inline std::string to_string(const Filter& filter) {
  return filter.text();
}

/// A field as people read about it.
struct FilterFieldInfo {
  std::string_view name;  // "tag.KEY" stands for all tags
  std::string_view type;  // "text", "number", "instant", "duration", "id" or "word"
  std::string_view meaning;
};
/// In the order of the page.
[[nodiscard]] std::vector<FilterFieldInfo> filter_fields();

}  // namespace daybook
