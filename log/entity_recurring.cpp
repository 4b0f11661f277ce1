// SPDX-License-Identifier: Apache-2.0
#include "entity_recurring.hpp"

#include <vector>

#include "recurring_wire.hpp"

namespace daybook {

using namespace codec;

namespace {

template <class Value, class Init>
void put_list(const std::vector<Value>& values, Init init) {
  if (values.empty()) return;
  auto to = init(static_cast<capnp::uint>(values.size()));
  for (capnp::uint i = 0; i < values.size(); ++i) {
    if constexpr (requires { values[i].value(); }) {
      to.set(i, values[i].value());
    } else {
      to.set(i, count(values[i]));
    }
  }
}

}  // namespace

void write(wire::Recurring::Builder to, const Recurring& recurring) {
  to.setId(recurring.id.value());
  put_text(recurring.owner, [&](auto text) { to.setOwner(text); });
  if (recurring.terms) put(to.initTerms(), *recurring.terms);
  to.setPaused(recurring.paused);
  put_text(recurring.pause_reason, [&](auto text) { to.setPauseReason(text); });
  to.setHandled(count(recurring.handled));
  put_next(to, recurring.next);
  to.setHasPausedUntil(recurring.paused_until != Instant::min());
  if (recurring.paused_until != Instant::min()) to.setPausedUntil(count(recurring.paused_until));
  put_list(recurring.buffer, [&](capnp::uint size) { return to.initBuffer(size); });
  put_list(recurring.live, [&](capnp::uint size) { return to.initLive(size); });
  if (!recurring.unmade.empty()) {
    auto unmade = to.initUnmade(static_cast<capnp::uint>(recurring.unmade.size()));
    for (capnp::uint i = 0; i < recurring.unmade.size(); ++i) {
      unmade[i].setFrom(count(recurring.unmade[i].from));
      unmade[i].setUntil(count(recurring.unmade[i].until));
    }
  }
  to.setHasLast(recurring.last.has_value());
  if (recurring.last) to.setLast(count(*recurring.last));
  put(to.initLastJob(), recurring.last_job);
}

Recurring read_recurring(wire::Recurring::Reader from) {
  Recurring to{.id = NameId(from.getId()), .owner = text(from.getOwner())};
  if (from.hasTerms()) to.terms = recurring_terms(from.getTerms());
  to.paused = from.getPaused();
  to.pause_reason = text(from.getPauseReason());
  to.handled = instant(from.getHandled());
  to.next = next_occurrence(from);
  if (from.getHasPausedUntil()) to.paused_until = instant(from.getPausedUntil());
  for (const std::int64_t nominal : from.getBuffer()) to.buffer.push_back(occurring(nominal));
  for (const std::uint64_t job : from.getLive()) to.live.emplace_back(job);
  for (const auto stretch : from.getUnmade()) {
    to.unmade.push_back({instant(stretch.getFrom()), instant(stretch.getUntil())});
  }
  if (from.getHasLast()) to.last = instant(from.getLast());
  to.last_job = job_id(from.getLastJob());
  return to;
}

}  // namespace daybook
