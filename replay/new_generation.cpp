// SPDX-License-Identifier: Apache-2.0
#include "new_generation.hpp"

#include <algorithm>
#include <string>

namespace daybook {
namespace {

Generation next_generation(const std::vector<Generation>& earlier, Random& random) {
  Generation next{.number = 1, .tag = GenerationTag(static_cast<std::uint32_t>(random.next()))};
  for (const Generation& generation : earlier) next.number = std::max(next.number, generation.number + 1);
  const auto taken = [&](GenerationTag tag) {
    return tag == GenerationTag() ||
           std::any_of(earlier.begin(), earlier.end(), [&](const Generation& other) { return other.tag == tag; });
  };
  while (taken(next.tag)) next.tag = next.tag.next();
  return next;
}

}  // namespace

void Facts::begin_with(const View& state) {
  state.each_name([&](const Name& name) { names = std::max(names, name.id); });
  actor = state.find_name(NameSort::actor, own_actor_name);
  generations = {state.book().generation};
}

void Facts::note(const RecordedEvent& recorded) {
  last = recorded;
  if (const auto* defined = std::get_if<NameDefined>(&recorded.event)) {
    names = defined->name.id;
    if (defined->name.sort == NameSort::actor && defined->name.text == own_actor_name) actor = defined->name.id;
  }
  if (const auto* begun = std::get_if<GenerationBegun>(&recorded.event)) generations.push_back(begun->generation);
}

std::vector<RecordedEvent> new_generation(const Facts& facts, std::string_view how, Sequence until, Uuid source,
                                          Clock& clock, Random& random) {
  const Instant now = clock.wall();
  RecordedEvent next{.sequence = until.next(),
                     .epoch = Epoch(1),
                     .wall = now,
                     .boot = clock.boot(),
                     .by = {},
                     .request = std::nullopt,
                     .event = {}};
  if (facts.last) {
    next.epoch = facts.last->epoch;
    next.wall = facts.last->wall;
    next.boot = facts.last->boot;
  }
  next.by.actor = facts.actor.value_or(facts.names.next());
  next.by.reason = std::string(how) + " up to sequence " + std::to_string(until.value()) + " at " + to_string(now);

  std::vector<RecordedEvent> events;
  if (!facts.actor) {
    next.event = NameDefined{Name{next.by.actor, NameSort::actor, std::string(own_actor_name)}};
    events.push_back(next);
    next.sequence = next.sequence.next();
  }
  next.event = GenerationBegun{.generation = next_generation(facts.generations, random),
                               .held = true,
                               .copied_from = source,
                               .nonce_salt = random.next()};
  events.push_back(next);
  return events;
}

}  // namespace daybook
