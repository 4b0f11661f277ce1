// SPDX-License-Identifier: Apache-2.0
#include "event_write_level_2.hpp"

#include "wire_write.hpp"

namespace daybook::codec {

using Body = wire::RecordedEvent::Body;

static_assert(static_cast<int>(wire::RunWhen::ALWAYS) == static_cast<int>(RunWhen::always));
static_assert(static_cast<int>(wire::Otherwise::CANCEL) == static_cast<int>(Otherwise::cancel));

void write_level_2(Body::Builder body, const ChildFreed& event) {
  auto to = body.initChildFreed();
  put(to.getJob(), event.job);
  put(to.getParent(), event.parent);
}

void write_level_2(Body::Builder body, const ChildDropped& event) {
  auto to = body.initChildDropped();
  put(to.getJob(), event.job);
  put(to.getParent(), event.parent);
  to.setCancelled(event.cancelled);
}

void write_level_2(Body::Builder body, const ChildAwaits& event) {
  auto to = body.initChildAwaits();
  put(to.getJob(), event.job);
  put(to.getNext(), event.next);
}

void write_level_2(Body::Builder body, const OnDeadSet& event) {
  auto to = body.initOnDeadSet();
  to.setQueue(event.queue.value());
  if (!event.on_dead) return;
  to.setKind(event.on_dead->kind.value());
  to.setInto(event.on_dead->queue.value());
}

}  // namespace daybook::codec
