// SPDX-License-Identifier: Apache-2.0

// The state file and the questions asked of the system about data.mdb. What the index holds, and whether it fits the
// log, is looked at by others once the file is known to be whole.

#include "trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "record.hpp"
#include "tables.hpp"

namespace daybook::trust {
namespace {

constexpr const char* data_name = "data.mdb";
constexpr const char* state_name = "state";
constexpr const char* state_draft_name = "state.tmp";
constexpr std::array<char, 8> magic = {'D', 'B', 'K', 'I', 'N', 'D', 'E', 'X'};

// The state file as it stands on disk, little-endian.
struct StateBytes {
  std::array<char, 8> magic;
  std::uint32_t layout;
  std::uint32_t status;
  std::array<std::uint8_t, 16> log_uuid;
  std::array<std::uint8_t, 16> boot_id;
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t mount;
  std::uint64_t bytes;
  std::uint64_t applied;
  std::array<std::uint8_t, 32> chain;
  std::uint32_t unused;
  std::uint32_t check;  // over all before it
};
static_assert(sizeof(StateBytes) == 128, "no padding");

std::uint32_t check_of(const StateBytes& bytes) {
  return record::check(layout_version, {reinterpret_cast<const char*>(&bytes), sizeof bytes - sizeof bytes.check});
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string folder_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

[[noreturn]] void fail_at(const std::string& shown, const char* call, int error) {
  std::string sentence = std::string(call) + " failed";
  if (error == ELOOP) sentence = "symbolic links are not followed in a book's directory; remove it";
  throw StorageError(Place{shown, {}, {}}, error, sentence);
}

int open_folder(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Or a loss of power takes the new folder along, with all that was synced in it.
void sync_parent(const std::string& path) {
  const std::filesystem::path above = std::filesystem::path(path).parent_path();
  const Descriptor parent(::open(above.empty() ? "." : above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.number() < 0 || ::fsync(parent.number()) != 0) fail_at(folder_name(path), "fsync of its parent", errno);
}

// With O_DIRECTORY the system answers ENOTDIR for a link, which says too little.
int folder_error(const std::string& path, int error) {
  struct ::stat found {};
  return error == ENOTDIR && ::lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode) ? ELOOP : error;
}

}  // namespace

std::optional<Folder> Folder::find(const std::string& path) {
  const int descriptor = open_folder(path);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  if (descriptor < 0) fail_at(folder_name(path), "open", folder_error(path, errno));
  return Folder(path, descriptor);
}

Folder Folder::make(const std::string& path) {
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) fail_at(folder_name(path), "mkdir", errno);
  if (made) sync_parent(path);
  const int descriptor = open_folder(path);
  if (descriptor < 0) fail_at(folder_name(path), "open", folder_error(path, errno));
  Folder folder(path, descriptor);
  if (::fchmod(descriptor, 0700) != 0) folder.fail("fchmod", "");
  return folder;
}

Folder::~Folder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
Folder::Folder(Folder&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

std::string Folder::shown(const char* name) const {
  return *name == '\0' ? folder_name(path_) : folder_name(path_) + "/" + name;
}

void Folder::fail(const char* call, const char* name) const {
  fail_at(shown(name), call, errno);
}

int Folder::open_file(const char* name, int flags) const {
  return ::openat(descriptor_, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void Folder::clear() const {
  for (const char* name : {state_name, state_draft_name, data_name, "lock.mdb"}) {
    struct ::stat found {};
    if (::fstatat(descriptor_, name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISLNK(found.st_mode)) {
      errno = ELOOP;
      fail("open", name);
    }
  }
  for (const char* name : {state_name, state_draft_name, data_name, "lock.mdb"}) {
    if (::unlinkat(descriptor_, name, 0) != 0 && errno != ENOENT) fail("unlink", name);
    if (kept("projections.clear.sync_folder") && name == state_name && ::fsync(descriptor_) != 0) fail("fsync", "");
  }
}

// Left to LMDB, the mode would depend on the umask.
void Folder::make_data() const {
  const Descriptor file(open_file(data_name, O_RDWR | O_CREAT | O_EXCL));
  if (file.number() < 0) fail("open", data_name);
  if (::fchmod(file.number(), 0600) != 0) fail("fchmod", data_name);
}

std::optional<StateFile> Folder::read_state(std::string& why) const {
  const Descriptor file(open_file(state_name, O_RDONLY));
  if (file.number() < 0) {
    why =
        shown(state_name) +
        (errno == ENOENT ? " is missing" : std::string(" cannot be opened: ") + std::generic_category().message(errno));
    return std::nullopt;
  }
  // One byte more than there should be, so that a longer file is not taken for one of ours.
  std::array<char, sizeof(StateBytes) + 1> buffer;
  const ssize_t count = ::pread(file.number(), buffer.data(), buffer.size(), 0);
  StateBytes bytes{};
  if (count >= static_cast<ssize_t>(offsetof(StateBytes, status))) {
    std::memcpy(&bytes, buffer.data(), std::min(static_cast<std::size_t>(count), sizeof bytes));
  }
  if (kept("projections.state.magic") && bytes.magic != magic) {
    why = shown(state_name) + " is not the state of an index";
    return std::nullopt;
  }
  if (kept("projections.state.layout") && bytes.layout != layout_version) {
    why =
        "its layout is " + std::to_string(bytes.layout) + ", and this release reads " + std::to_string(layout_version);
    return std::nullopt;
  }
  const auto status = static_cast<Status>(bytes.status);
  if ((kept("projections.state.length") && count != sizeof bytes) ||
      (kept("projections.state.check") && bytes.check != check_of(bytes)) ||
      (kept("projections.state.status") && status != Status::open && status != Status::clean)) {
    why = shown(state_name) + " is damaged: its check does not fit its bytes";
    return std::nullopt;
  }
  return StateFile{status,
                   Uuid{bytes.log_uuid},
                   Uuid{bytes.boot_id},
                   {bytes.device, bytes.inode, bytes.mount},
                   bytes.bytes,
                   {Uuid{bytes.log_uuid}, Sequence(bytes.applied), bytes.chain}};
}

void Folder::write_state(const StateFile& state) const {
  StateBytes bytes{};
  bytes.magic = magic;
  bytes.layout = layout_version;
  bytes.status = static_cast<std::uint32_t>(state.status);
  bytes.log_uuid = state.log_uuid.bytes;
  bytes.boot_id = state.boot_id.bytes;
  bytes.device = state.file.device;
  bytes.inode = state.file.inode;
  bytes.mount = state.file.mount;
  bytes.bytes = state.bytes;
  bytes.applied = state.mark.applied.value();
  bytes.chain = state.mark.chain;
  bytes.check = check_of(bytes);

  if (::unlinkat(descriptor_, state_draft_name, 0) != 0 && errno != ENOENT) fail("unlink", state_draft_name);
  const Descriptor file(open_file(state_draft_name, O_WRONLY | O_CREAT | O_EXCL));
  if (file.number() < 0) fail("open", state_draft_name);
  if (::fchmod(file.number(), 0600) != 0) fail("fchmod", state_draft_name);
  const ssize_t count = ::pwrite(file.number(), &bytes, sizeof bytes, 0);
  if (count != sizeof bytes) {
    if (count >= 0) errno = ENOSPC;
    fail("write", state_draft_name);
  }
  if (kept("projections.state.sync") && ::fsync(file.number()) != 0) fail("fsync", state_draft_name);
  if (::renameat(descriptor_, state_draft_name, descriptor_, state_name) != 0) fail("rename", state_draft_name);
  if (kept("projections.state.sync_folder") && ::fsync(descriptor_) != 0) fail("fsync", "");
}

void Folder::forget_state() const noexcept {
  static_cast<void>(::unlinkat(descriptor_, state_name, 0));
  if (kept("projections.condemn.sync_folder")) static_cast<void>(::fsync(descriptor_));
}

FileIdentity Folder::identify_data() const {
  struct ::statx found {};
  unsigned mask = STATX_BASIC_STATS;
#ifdef STATX_MNT_ID
  mask |= STATX_MNT_ID;
#endif
  if (::statx(descriptor_, data_name, AT_SYMLINK_NOFOLLOW, mask, &found) != 0) fail("statx", data_name);
  FileIdentity identity;
  identity.device = static_cast<std::uint64_t>(found.stx_dev_major) << 32 | found.stx_dev_minor;
  identity.inode = found.stx_ino;
#ifdef STATX_MNT_ID
  if (found.stx_mask & STATX_MNT_ID) identity.mount = found.stx_mnt_id;
#endif
  return identity;
}

std::uint64_t Folder::data_bytes() const {
  struct ::stat found {};
  if (::fstatat(descriptor_, data_name, &found, AT_SYMLINK_NOFOLLOW) != 0) fail("stat", data_name);
  return static_cast<std::uint64_t>(found.st_size);
}

std::string Folder::distrust(const StateFile& state, const Uuid& boot_id) const {
  const Descriptor file(open_file(data_name, O_RDWR));
  if (file.number() < 0) return shown(data_name) + " cannot be opened: " + std::generic_category().message(errno);
  const FileIdentity identity = identify_data();
  // Device numbers may change from boot to boot; a copy has another inode.
  if (kept("projections.trust.inode") && identity.inode != state.file.inode)
    return shown(data_name) + " is not the file that was written here: a copy";
  if (state.status == Status::clean) {
    return data_bytes() == state.bytes || !kept("projections.trust.bytes")
               ? ""
               : shown(data_name) + " was closed with another length than it has now";
  }
  if (kept("projections.trust.boot_id") && state.boot_id != boot_id) {
    return "it was not closed before the machine restarted, so " + shown(data_name) + " may have lost pages";
  }
  if ((kept("projections.trust.device") && identity.device != state.file.device) ||
      (kept("projections.trust.mount") && identity.mount != state.file.mount)) {
    return shown(data_name) + " was left open on another device or mount";
  }
  // A write-back that failed since then, and that nobody was told of, shows here.
  if (kept("projections.trust.sync_data") && ::fdatasync(file.number()) != 0)
    return shown(data_name) + " cannot be synced: " + std::generic_category().message(errno);
  return "";
}

}  // namespace daybook::trust
