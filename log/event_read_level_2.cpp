// SPDX-License-Identifier: Apache-2.0
#include "event_read_level_2.hpp"

#include <string>

#include "wire_read.hpp"

namespace daybook::codec {

namespace {

std::string hash(capnp::Data::Reader from, const char* what) {
  if (from.size() == 32) return text(from);
  throw Undecodable{std::string(what) + " of " + std::to_string(from.size()) + " bytes, expected 32"};
}

}  // namespace

FeatureLevelRaised read_level_2(wire::FeatureLevelRaised::Reader from) {
  return {.before = from.getBefore(), .after = from.getAfter()};
}

ClockDoubted read_level_2(wire::ClockDoubted::Reader from) {
  return {.last_wall = instant(from.getLastWall()), .by = Duration(from.getBy())};
}

ClockConfirmed read_level_2(wire::ClockConfirmed::Reader) {
  return {};
}

SnapshotTaken read_level_2(wire::SnapshotTaken::Reader from) {
  return {.sequence = Sequence(from.getSequence()),
          .state_hash = hash(from.getStateHash(), "state hash"),
          .file_sha256 = hash(from.getFileSha256(), "SHA-256 of the snapshot"),
          .jobs = from.getJobs()};
}

StateHashed read_level_2(wire::StateHashed::Reader from) {
  return {.sequence = Sequence(from.getSequence()), .state_hash = hash(from.getStateHash(), "state hash")};
}

SegmentsDropped read_level_2(wire::SegmentsDropped::Reader from) {
  return {.first = Sequence(from.getFirst()), .last = Sequence(from.getLast())};
}

JobMarkedUncertain read_level_2(wire::JobMarkedUncertain::Reader from) {
  return {.job = job_id(from.getJob()), .why = text(from.getWhy())};
}

JobExpired read_level_2(wire::JobExpired::Reader from) {
  return {.job = job_id(from.getJob())};
}

JobTimedOut read_level_2(wire::JobTimedOut::Reader from) {
  return {.job = job_id(from.getJob()), .token = token(from.getToken()), .cancelled = from.getCancelled()};
}

ChildFreed read_level_2(wire::ChildFreed::Reader from) {
  return {.job = job_id(from.getJob()), .parent = job_id(from.getParent())};
}

ChildDropped read_level_2(wire::ChildDropped::Reader from) {
  return {.job = job_id(from.getJob()), .parent = job_id(from.getParent()), .cancelled = from.getCancelled()};
}

ChildAwaits read_level_2(wire::ChildAwaits::Reader from) {
  return {.job = job_id(from.getJob()), .next = job_id(from.getNext())};
}

OnDeadSet read_level_2(wire::OnDeadSet::Reader from) {
  OnDeadSet to{.queue = NameId(from.getQueue()), .on_dead = std::nullopt};
  if (from.getKind() != 0) to.on_dead = OnDead{NameId(from.getKind()), NameId(from.getInto())};
  return to;
}

GapDeclared read_level_2(wire::GapDeclared::Reader from) {
  return {.last = Sequence(from.getLast()), .reason = text(from.getReason())};
}

EventLost read_level_2(wire::EventLost::Reader) {
  return {};
}

EventSetAside read_level_2(wire::EventSetAside::Reader from) {
  return {.why = text(from.getWhy()), .stored = text(from.getStored())};
}

LimitsSet read_level_2(wire::LimitsSet::Reader from) {
  return {.queue = NameId(from.getQueue()), .limits = queue_limits(from)};
}

WeightSet read_level_2(wire::WeightSet::Reader from) {
  return {.queue = NameId(from.getQueue()), .group = NameId(from.getGroup()), .weight = from.getWeight()};
}

JobMoved read_level_2(wire::JobMoved::Reader from) {
  return {.job = job_id(from.getJob()), .queue = NameId(from.getQueue())};
}

OperatorCommanded read_level_2(wire::OperatorCommanded::Reader from) {
  OperatorCommanded to{
      .verb = from_wire(from.getVerb(), OperatorVerb::retry, OperatorVerb::move, "verb of an operator"),
      .filter = text(from.getFilter()),
      .matched = from.getMatched(),
      .due = std::nullopt,
      .queue = NameId(from.getQueue())};
  if (from.getHasDue()) to.due = due(from.getDue());
  return to;
}

HoldPlaced read_level_2(wire::HoldPlaced::Reader from) {
  return {.filter = text(from.getFilter())};
}

HoldLifted read_level_2(wire::HoldLifted::Reader from) {
  return {.hold = Sequence(from.getHold())};
}

}  // namespace daybook::codec
