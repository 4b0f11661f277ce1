// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/replay.hpp"

namespace daybook {

Result<Past> as_of(const ReadEvents& read, Sequence head, const Point& point, const StartAt& start) {
  const Sequence* sequence = std::get_if<Sequence>(&point);
  if (sequence != nullptr && *sequence > head) {
    return refuse(RefusalCode::invalid_argument, "sequence " + std::to_string(sequence->value()) +
                                                     " has not happened: the book ends at sequence " +
                                                     std::to_string(head.value()));
  }
  if (sequence != nullptr) {
    State state = rebuild(read, *sequence, {}, start);
    const Book& book = state.book();
    const Moment moment{.wall = book.head_wall, .boot = book.head_boot, .book = book.book_time(book.head_boot)};
    state.advance(moment);
    return Past{std::move(state), Resolved{*sequence, moment, {}}};
  }
  Resolved resolved = resolve(read, head, point);
  State state = rebuild(read, resolved.sequence, {}, start);
  state.advance(resolved.moment);
  return Past{std::move(state), std::move(resolved)};
}

}  // namespace daybook
