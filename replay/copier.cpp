// SPDX-License-Identifier: Apache-2.0
#include "copier.hpp"

#include <cerrno>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"

namespace daybook {
namespace {
constexpr std::size_t batch_bytes = 512 * 1024;  // plus the event that fills it
}  // namespace

void Copier::add(const RecordedEvent& recorded) {
  encoder_.add(recorded);
  flush_when_full();
}

void Copier::add_stored(Sequence sequence, std::span<const std::byte> message) {
  encoder_.add_stored(sequence, message);
  flush_when_full();
}

void Copier::flush_when_full() {
  if (encoder_.batch().bytes.size() >= batch_bytes) flush();
}

void Copier::flush() {
  if (encoder_.batch().count == 0) return;
  const AppendResult result = log_.append(log_.epoch(), log_.tail(), encoder_.batch(), Room::ordinary);
  if (const Full* full = std::get_if<Full>(&result); full != nullptr && kept("replay.copy.full"))
    fail(ENOSPC, full->what);
  if (const Unknown* unknown = std::get_if<Unknown>(&result); unknown != nullptr && kept("replay.copy.unknown"))
    fail(unknown->error_number, unknown->what);
  if (kept("replay.copy.committed") && !std::holds_alternative<Committed>(result))
    fail(EBUSY, "somebody else writes there");
  encoder_.clear();
}

void Copier::fail(int error, const std::string& what) const {
  const Sequence at = encoder_.batch().first;
  throw StorageError(Place{"log", std::nullopt, at}, error,
                     out_.describe("log") + ": cannot write the copy at sequence " + std::to_string(at.value()) + ": " +
                         what + ". Empty the directory and copy again");
}

}  // namespace daybook
