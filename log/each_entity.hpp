// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which entities a state consists of, and in which order they stand in a snapshot.

#include <algorithm>
#include <tuple>
#include <vector>

#include "daybook/core/limits.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// Stores forget old requests at their leisure; what still counts is decided here alone.
[[nodiscard]] inline bool is_living(BookTime recorded_at, BookTime now) {
  return now <= BookTime(limits::request_window) || recorded_at >= now - limits::request_window;
}

[[nodiscard]] inline std::vector<const RequestRecord*> living_requests(const View& view) {
  std::vector<const RequestRecord*> requests;
  const Book& book = view.book();
  const BookTime now = book.book_time(book.head_boot);
  view.each_request([&](const RequestRecord& request) {
    if (!is_living(request.recorded_at, now)) return;
    if (const RequestRecord* kept = view.request(request.client, request.id)) requests.push_back(kept);
  });
  std::sort(requests.begin(), requests.end(), [](const RequestRecord* a, const RequestRecord* b) {
    return std::tie(a->first, a->client, a->id) < std::tie(b->first, b->client, b->id);
  });
  return requests;
}

/// Hands on every entity, by type and then by id; requests in the order in which they were recorded.
template <class Visit>
void each_entity(const View& view, Visit visit) {
  visit(view.book());
  view.each_name(visit);
  view.each_setting(visit);
  view.each_queue(visit);
  for (const NameId id : view.workers()) visit(*view.worker(id));
  for (const RequestRecord* request : living_requests(view)) visit(*request);
  view.each_job(visit);
  view.each_group(visit);
  view.each_hold(visit);
  view.each_recurring(visit);
}

}  // namespace daybook
