// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which file systems share their files with other machines. There a lock may not hold everybody off, a sync may not reach the disk,
// and two machines may see different bytes: what Daybook promises cannot be kept.

#include <cstdint>
#include <string>
#include <string_view>

namespace daybook {

/// The name of the file system that statfs calls `type`, when it is a network's or a cluster's; "" otherwise. FUSE is among
/// them: nothing tells sshfs or s3fs from one that keeps its files here.
[[nodiscard]] std::string_view network_file_system_name(std::uint32_t type);
[[nodiscard]] bool is_network_file_system(std::uint32_t type);

/// Throws StorageError, with what to do, when `type` is a network's.
void require_local_file_system(const std::string& path, std::uint32_t type);

}  // namespace daybook
