// SPDX-License-Identifier: Apache-2.0
#pragma once

// The second part of event_write.cpp: writers of events that came with feature level 2.

#include "event_wire.hpp"

namespace daybook::codec {

void write_level_2(wire::RecordedEvent::Body::Builder body, const ChildFreed& event);
void write_level_2(wire::RecordedEvent::Body::Builder body, const ChildDropped& event);
void write_level_2(wire::RecordedEvent::Body::Builder body, const ChildAwaits& event);
void write_level_2(wire::RecordedEvent::Body::Builder body, const OnDeadSet& event);

}  // namespace daybook::codec
