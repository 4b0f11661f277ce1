// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"
#include "world.hpp"

// Damage to a book that was closed: its witness vouches for all of it, so nothing that was acknowledged can pass for a tear.

namespace daybook::simulation {

namespace {

/// What was done, for the message; empty when there was nothing to do it to.
std::string hurt(test::MemoryStorage& disk, Choices& choices) {
  const std::vector<std::string> names = disk.names();
  if (names.empty()) return {};
  const std::string& name = names[choices.below(names.size())];
  std::vector<std::byte> content = disk.content(name);
  if (content.empty()) return {};
  // Most of a segment is empty: half of the time the damage is where something was written.
  const auto last = std::find_if(content.rbegin(), content.rend(), [](std::byte byte) { return byte != std::byte{0}; });
  const auto used = static_cast<std::size_t>(content.rend() - last);
  const std::size_t end = used > 0 && !choices.once_in(4) ? used : content.size();
  const std::size_t at = choices.below(end);
  switch (choices.below(6)) {
    case 0:
      disk.cut(name, at);
      return name + " cut to " + std::to_string(at) + " bytes";
    case 1:
      disk.remove_durably(name);
      return name + " removed";
    case 2: {  // a sector of zeros, of garbage, or of another place
      const std::size_t from = at / 512 * 512;
      const std::size_t other = choices.below(content.size()) / 512 * 512;
      const std::vector<std::byte> before = content;
      const std::size_t what = choices.below(3);
      for (std::size_t i = 0; i < 512 && from + i < content.size(); ++i) {
        content[from + i] = what == 0   ? std::byte{0}
                            : what == 1 ? static_cast<std::byte>(choices.any())
                                        : before[std::min(other + i, before.size() - 1)];
      }
      disk.write_durably(name, std::move(content));
      return name + ": the sector at " + std::to_string(from) + " replaced, way " + std::to_string(what);
    }
    case 3: {  // as if it were another file
      const std::string& other = names[choices.below(names.size())];
      disk.write_durably(name, disk.content(other));
      return name + " replaced by " + other;
    }
    default: {
      const std::size_t bit = at * 8 + choices.below(8);
      disk.flip_bit(name, bit);
      return name + ": bit " + std::to_string(bit) + " flipped";
    }
  }
}

}  // namespace

void judge_damage(World& world, Choices& choices) {
  if (floor_of(world.disk) != world.oracle.head()) return;  // the last write of the witness failed
  const auto copy = world.disk.clone();
  copy->set_free_bytes(std::nullopt);
  copy->transfer_at_most(0);
  const std::string what = hurt(*copy, choices);
  if (what.empty()) return;
  ++world.figures.damages;
  const auto absorbed = [&](const std::string& how) { world.failure.say("damage was absorbed: " + what + "; " + how); };
  const std::uint64_t acknowledged = world.oracle.head().value();
  try {
    const LogVerdict verdict = verify_log(*copy);
    const std::uint64_t counted = verdict.dropped_through.value() + verdict.events;
    if (verdict.kind != LogVerdict::Kind::damaged && counted < acknowledged) {
      absorbed("verify counts " + std::to_string(counted) + " events of " + std::to_string(acknowledged) +
               " and says: " + verdict.message);
    }
    test::ManualClock clock = world.clock;
    test::FixedRandom random(choices.any());
    LogOpening found;
    const auto log = SegmentLog::open(*copy, clock, random, world.log_options(), found);
    const std::string different = world.oracle.difference(events_in(*log));
    if (!different.empty()) return absorbed(different);
    const State state = folded(*copy, world.oracle.head());
    for (const std::string& difference : differences(state, world.oracle.model(), 1)) absorbed(difference);
    ++(found.tail == TailStatus::torn ? world.figures.damages_declared : world.figures.damages_harmless);
  } catch (const DroppedError& error) {
    absorbed(error.what());  // one snapshot may be lost
  } catch (const CorruptionError&) {
    ++world.figures.damages_reported;
  } catch (const StorageError&) {
    ++world.figures.damages_reported;
  }
}

}  // namespace daybook::simulation
