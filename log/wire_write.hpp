// SPDX-License-Identifier: Apache-2.0
#pragma once

// From values of ours to the schemas' builders: what events and snapshots of entities have in common. Groups that recur (job, token,
// due) are templates, because Cap'n Proto gives each occurrence its own type. Empty texts and envelopes stay null pointers.

#include <event.capnp.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/envelope.hpp"
#include "daybook/core/job.hpp"

namespace daybook::codec {

template <class Wire, class Ours>
Wire to_wire(Ours value) {
  return static_cast<Wire>(value);
}

inline std::int64_t count(Duration duration) {
  return duration.count();
}
template <class Clock>
std::int64_t count(std::chrono::time_point<Clock, Duration> time) {
  return time.time_since_epoch().count();
}

inline capnp::Data::Reader data(std::string_view text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}
inline capnp::Data::Reader data(const Uuid& uuid) {
  return {uuid.bytes.data(), uuid.bytes.size()};
}

// An empty text stays a null pointer.
template <class Set>
void put_text(std::string_view text, Set set) {
  if (!text.empty()) set(data(text));
}

template <class Builder>
void put(Builder to, const JobId& id) {
  to.setSequence(id.sequence.value());
  to.setGeneration(id.generation.value());
}

template <class Builder>
void put(Builder to, const Token& token) {
  to.setClaim(token.claim.value());
  to.setGeneration(token.generation.value());
}

template <class Builder>
void put(Builder to, const Due& due) {
  to.setAt(count(due.at));
  to.setRelative(due.after.has_value());
  to.setAfter(due.after ? count(*due.after) : 0);
}

template <class Init>
void put_envelope(const Envelope& envelope, Init init) {
  if (envelope.empty()) return;
  const Envelope::Contents& from = envelope.contents();
  wire::Envelope::Builder to = init();
  to.setCodec(from.codec);
  to.setKeyId(from.key_id);
  put_text(from.subject, [&](auto text) { to.setSubject(text); });
  put_text(from.nonce, [&](auto text) { to.setNonce(text); });
  put_text(from.bytes, [&](auto text) { to.setBytes(text); });
}

template <class Builder>
void put(Builder to, const RetryPolicy& policy) {
  to.setBackoff(to_wire<wire::Backoff>(policy.backoff));
  to.setFirst(count(policy.first));
  to.setCap(count(policy.cap));
  to.setJitterPermille(policy.jitter_permille);
  to.setMaxAttempts(policy.max_attempts);
}

template <class Builder>
void put(Builder to, const UniqueScope& scope) {
  to.setCompleted(scope.completed);
  to.setCancelled(scope.cancelled);
  to.setDead(scope.dead);
}

template <class Init>
void put_tags(const std::vector<Tag>& tags, Init init) {
  if (tags.empty()) return;
  capnp::List<wire::Tag>::Builder to = init(static_cast<capnp::uint>(tags.size()));
  for (capnp::uint i = 0; i < tags.size(); ++i) {
    put_text(tags[i].key, [&](auto text) { to[i].setKey(text); });
    put_text(tags[i].value, [&](auto text) { to[i].setValue(text); });
  }
}

template <class Init>
void put_dependencies(const Dependencies& dependencies, Init init) {
  if (dependencies == Dependencies()) return;
  wire::Dependencies::Builder to = init();
  const std::vector<JobId>& parents = dependencies.parents;
  auto list = to.initParents(static_cast<capnp::uint>(parents.size()));
  for (capnp::uint i = 0; i < parents.size(); ++i) put(list[i], parents[i]);
  to.setRunWhen(to_wire<wire::RunWhen>(dependencies.run_when));
  to.setOtherwise(to_wire<wire::Otherwise>(dependencies.otherwise));
  to.setOnDead(dependencies.on_dead);
}

template <class Init>
void put_bucket(const std::optional<Bucket>& bucket, Init init) {
  if (!bucket) return;
  wire::Bucket::Builder to = init();
  to.setLevel(bucket->level);
  to.setAt(count(bucket->at));
}

template <class Init>
void put_rate(const Rate& rate, Init init) {
  if (!rate.limited()) return;
  wire::Rate::Builder to = init();
  to.setStarts(rate.starts);
  to.setBurst(rate.burst);
  to.setPer(count(rate.per));
}

template <class Builder>
void put_limits(Builder to, const QueueLimits& limits) {
  to.setRunning(limits.running);
  to.setRunningPerGroup(limits.running_per_group);
  put_rate(limits.rate, [&] { return to.initRate(); });
  put_rate(limits.rate_per_group, [&] { return to.initRatePerGroup(); });
}

inline void put_names(capnp::List<std::uint32_t>::Builder to, const std::vector<NameId>& names) {
  for (capnp::uint i = 0; i < names.size(); ++i) to.set(i, names[i].value());
}

}  // namespace daybook::codec
