// SPDX-License-Identifier: Apache-2.0
#pragma once

// The recurring schedule among the entities: a part of entity_codec.cpp.

#include <entity.capnp.h>

#include "daybook/core/recurring.hpp"

namespace daybook {

void write(wire::Recurring::Builder to, const Recurring& recurring);

/// Throws codec::Undecodable.
[[nodiscard]] Recurring read_recurring(wire::Recurring::Reader from);

}  // namespace daybook
