// SPDX-License-Identifier: Apache-2.0
#pragma once

// The lock of a book that is not opened: for looking at its index, or dropping it.

#include <memory>

#include "daybook/system/posix_storage.hpp"
#include "verb.hpp"

namespace daybook::cli {

/// Waits as long as --wait says. Throws RefusedError that names the owner.
[[nodiscard]] std::unique_ptr<StorageLock> hold(PosixStorage& storage, const Common& common);

/// What --allow-network said.
[[nodiscard]] OnNetwork on_network(const Common& common);

}  // namespace daybook::cli
