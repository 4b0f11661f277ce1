// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "daybook/core/ports.hpp"

namespace daybook {

/// The lock of the directory behind a descriptor; PosixStorage::lock says how it behaves.
[[nodiscard]] Locked lock_directory(int directory, const std::string& purpose);

}  // namespace daybook
