// SPDX-License-Identifier: Apache-2.0
#include "daybook/system/file_system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>

#include <array>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/system/posix_storage.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint32_t fuse = 0x65735546;
constexpr std::uint32_t cifs = 0xff534d42;
constexpr std::uint32_t lustre = 0x0bd00bd0;
constexpr std::uint32_t xfs = 0x58465342;
constexpr std::uint32_t zfs = 0x2fc12fc1;

TEST(FileSystems, OfANetworkAreKnownByTheirTypes) {
  constexpr std::array<std::pair<std::uint32_t, const char*>, 12> network{{{NFS_SUPER_MAGIC, "NFS"},
                                                                           {cifs, "CIFS"},
                                                                           {0xfe534d42, "SMB2"},
                                                                           {SMB_SUPER_MAGIC, "SMB"},
                                                                           {V9FS_MAGIC, "9P"},
                                                                           {fuse, "FUSE"},
                                                                           {0x00c36400, "Ceph"},
                                                                           {AFS_SUPER_MAGIC, "AFS"},
                                                                           {AFS_FS_MAGIC, "kAFS"},
                                                                           {lustre, "Lustre"},
                                                                           {OCFS2_SUPER_MAGIC, "OCFS2"},
                                                                           {CODA_SUPER_MAGIC, "Coda"}}};
  for (const auto& [type, name] : network) {
    EXPECT_TRUE(is_network_file_system(type)) << name;
    EXPECT_EQ(network_file_system_name(type), name);
  }
}

TEST(FileSystems, OfThisMachineAreNone) {
  for (const std::uint32_t type :
       {std::uint32_t{EXT4_SUPER_MAGIC}, std::uint32_t{BTRFS_SUPER_MAGIC}, xfs, zfs, std::uint32_t{F2FS_SUPER_MAGIC},
        std::uint32_t{TMPFS_MAGIC}, std::uint32_t{OVERLAYFS_SUPER_MAGIC}, std::uint32_t{0}}) {
    EXPECT_FALSE(is_network_file_system(type)) << std::hex << type;
    EXPECT_NO_THROW(require_local_file_system("/srv/book", type));
  }
}

TEST(FileSystems, OfANetworkAreRefusedWithWhatToDo) {
  try {
    require_local_file_system("/mnt/share/book", NFS_SUPER_MAGIC);
    FAIL() << "it was let through";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("/mnt/share/book"), HasSubstr("network file system (NFS)"),
                                    HasSubstr("nothing was changed"), HasSubstr("keep the book on a local disk"),
                                    HasSubstr("--allow-network"), HasSubstr("Options::allow_network")));
  }
}

TEST(FileSystems, TheOneThatTestsRunOnIsNamedTheSameByTheStorage) {
  const test::TempFolder temporary;
  const auto storage = PosixStorage::open(temporary.path() / "book", Access::create, OnNetwork::allow);
  if (storage->network().empty()) {
    EXPECT_NO_THROW(static_cast<void>(PosixStorage::open(temporary.path() / "other", Access::create)));
  } else {
    EXPECT_THROW(static_cast<void>(PosixStorage::open(temporary.path() / "other", Access::create)), StorageError);
    EXPECT_FALSE(std::filesystem::exists(temporary.path() / "other"));
    EXPECT_THROW(static_cast<void>(PosixStorage::open(temporary.path() / "book", Access::read_write)), StorageError);
    EXPECT_NO_THROW(static_cast<void>(PosixStorage::open(temporary.path() / "book", Access::read_only)));
  }
}

}  // namespace
}  // namespace daybook
