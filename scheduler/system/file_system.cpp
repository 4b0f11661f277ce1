// SPDX-License-Identifier: Apache-2.0
#include "daybook/system/file_system.hpp"

#include <algorithm>
#include <array>

#include "daybook/core/error.hpp"

namespace daybook {
namespace {

struct FileSystem {
  std::uint32_t type;
  std::string_view name;
};

// The numbers are the kernel's (linux/magic.h) and those that the makers of others publish.
constexpr std::array network_file_systems{
    FileSystem{0x00006969, "NFS"},
    FileSystem{0xff534d42, "CIFS"},
    FileSystem{0xfe534d42, "SMB2"},
    FileSystem{0x0000517b, "SMB"},
    FileSystem{0x01021997, "9P"},
    FileSystem{0x65735546, "FUSE"},
    FileSystem{0x00c36400, "Ceph"},
    FileSystem{0x5346414f, "AFS"},
    FileSystem{0x6b414653, "kAFS"},
    FileSystem{0x0bd00bd0, "Lustre"},
    FileSystem{0x47504653, "GPFS"},
    FileSystem{0x01161970, "GFS2"},
    FileSystem{0x7461636f, "OCFS2"},
    FileSystem{0x20030528, "OrangeFS"},
    FileSystem{0x19830326, "BeeGFS"},
    FileSystem{0xaad7aaea, "PanFS"},
    FileSystem{0x73757245, "Coda"},
    FileSystem{0x0000564c, "NCP"},
    FileSystem{0xbacbacbc, "VMware HGFS"},
    FileSystem{0x786f4256, "VirtualBox shared folder"},
    FileSystem{0x7c7c6673, "Parallels shared folder"},
};

}  // namespace

std::string_view network_file_system_name(std::uint32_t type) {
  const auto* const found = std::find_if(network_file_systems.begin(), network_file_systems.end(),
                                         [&](const FileSystem& one) { return one.type == type; });
  return found == network_file_systems.end() ? std::string_view() : found->name;
}

bool is_network_file_system(std::uint32_t type) {
  return !network_file_system_name(type).empty();
}

void require_local_file_system(const std::string& path, std::uint32_t type) {
  const std::string_view name = network_file_system_name(type);
  if (name.empty()) return;
  throw StorageError(
      Place{.path = path, .offset = {}, .sequence = {}}, 0,
      "on a network file system (" + std::string(name) +
          "), where locks and syncs cannot be relied on; nothing was changed: keep the book on a local disk, or "
          "allow it (--allow-network, Options::allow_network) when this one machine alone uses it");
}

}  // namespace daybook
