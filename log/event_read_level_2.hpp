// SPDX-License-Identifier: Apache-2.0
#pragma once

// The second part of event_read.cpp: readers of the events that came with feature level 2. A value that no event of ours has throws
// Undecodable.

#include "event_wire.hpp"

namespace daybook::codec {

[[nodiscard]] FeatureLevelRaised read_level_2(wire::FeatureLevelRaised::Reader from);
[[nodiscard]] ClockDoubted read_level_2(wire::ClockDoubted::Reader from);
[[nodiscard]] ClockConfirmed read_level_2(wire::ClockConfirmed::Reader from);
[[nodiscard]] SnapshotTaken read_level_2(wire::SnapshotTaken::Reader from);
[[nodiscard]] StateHashed read_level_2(wire::StateHashed::Reader from);
[[nodiscard]] SegmentsDropped read_level_2(wire::SegmentsDropped::Reader from);
[[nodiscard]] JobMarkedUncertain read_level_2(wire::JobMarkedUncertain::Reader from);
[[nodiscard]] JobExpired read_level_2(wire::JobExpired::Reader from);
[[nodiscard]] JobTimedOut read_level_2(wire::JobTimedOut::Reader from);
[[nodiscard]] ChildFreed read_level_2(wire::ChildFreed::Reader from);
[[nodiscard]] ChildDropped read_level_2(wire::ChildDropped::Reader from);
[[nodiscard]] ChildAwaits read_level_2(wire::ChildAwaits::Reader from);
[[nodiscard]] OnDeadSet read_level_2(wire::OnDeadSet::Reader from);
[[nodiscard]] GapDeclared read_level_2(wire::GapDeclared::Reader from);
[[nodiscard]] EventLost read_level_2(wire::EventLost::Reader from);
[[nodiscard]] EventSetAside read_level_2(wire::EventSetAside::Reader from);
[[nodiscard]] LimitsSet read_level_2(wire::LimitsSet::Reader from);
[[nodiscard]] WeightSet read_level_2(wire::WeightSet::Reader from);
[[nodiscard]] JobMoved read_level_2(wire::JobMoved::Reader from);
[[nodiscard]] OperatorCommanded read_level_2(wire::OperatorCommanded::Reader from);
[[nodiscard]] HoldPlaced read_level_2(wire::HoldPlaced::Reader from);
[[nodiscard]] HoldLifted read_level_2(wire::HoldLifted::Reader from);

}  // namespace daybook::codec
