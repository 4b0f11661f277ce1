// SPDX-License-Identifier: Apache-2.0

// One open file: the calls of the File port, each a system call or two. Whether a short count, a full disk or
// a failed sync matters is left to the log, which knows what it wrote.

#include "posix_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "daybook/core/mutant.hpp"

namespace daybook {
namespace {

constexpr std::uint64_t offset_max = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());

int error_of(int result) {
  return result == 0 ? 0 : errno;
}

IoCount count_of(ssize_t result) {
  if (result < 0) return {.bytes = 0, .error = errno};
  return {.bytes = static_cast<std::size_t>(result), .error = 0};
}

}  // namespace

IoCount PosixFile::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset > offset_max) return {.bytes = 0, .error = EOVERFLOW};
  return count_of(
      uninterrupted([&] { return ::pread(descriptor_.get(), into.data(), into.size(), static_cast<off_t>(offset)); }));
}

IoCount PosixFile::write_at(std::uint64_t offset, std::span<const std::byte> from) {
  if (offset > offset_max) return {.bytes = 0, .error = EFBIG};
  return count_of(
      uninterrupted([&] { return ::pwrite(descriptor_.get(), from.data(), from.size(), static_cast<off_t>(offset)); }));
}

int PosixFile::sync_data() {
  return kept("system.file.sync_data") ? error_of(::fdatasync(descriptor_.get())) : 0;
}

int PosixFile::sync() {
  return kept("system.file.sync") ? error_of(::fsync(descriptor_.get())) : 0;
}

int PosixFile::truncate(std::uint64_t size) {
  if (size > offset_max) return EFBIG;
  return error_of(uninterrupted([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(size)); }));
}

// A file system that runs out half way through fallocate (ext4) keeps what it has got so far: the file has
// grown and the disk is full to the last byte. So room is looked for first, and what a failure leaves behind
// is given back.
int PosixFile::allocate(std::uint64_t size) {
  if (size > offset_max) return EFBIG;
  if (size == 0) return 0;
  struct stat before {};
  struct statvfs system {};
  if (::fstat(descriptor_.get(), &before) != 0) return errno;
  if (::fstatvfs(descriptor_.get(), &system) != 0) return errno;
  const auto there = static_cast<std::uint64_t>(before.st_blocks) * 512;
  const auto free = static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_frsize);
  if (size > there && size - there > free) return ENOSPC;

  int error = error_of(uninterrupted([&] { return ::fallocate(descriptor_.get(), 0, 0, static_cast<off_t>(size)); }));
  // Some file systems (NFS before 4.2, some of FUSE) cannot reserve; written zeros are as good.
  if (error == EOPNOTSUPP) error = write_zeros_up_to(size);
  if (error != 0 && size > static_cast<std::uint64_t>(before.st_size)) {
    [[maybe_unused]] const int cut = ::ftruncate(descriptor_.get(), before.st_size);
  }
  return error;
}

int PosixFile::write_zeros_up_to(std::uint64_t size) {
  static constexpr std::array<std::byte, 64 * 1024> zeros{};
  std::uint64_t offset = 0;
  if (const int error = this->size(offset)) return error;
  while (offset < size) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), size - offset));
    const IoCount written = write_at(offset, std::span(zeros).first(piece));
    if (written.error != 0) return written.error;
    if (written.bytes == 0) return ENOSPC;
    offset += written.bytes;
  }
  return 0;
}

int PosixFile::size(std::uint64_t& bytes) {
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) return errno;
  bytes = static_cast<std::uint64_t>(status.st_size);
  return 0;
}

int PosixFile::drop_cache() {
  return ::posix_fadvise(descriptor_.get(), 0, 0, POSIX_FADV_DONTNEED);  // its result is the errno
}

int PosixFile::make_read_only() {
  return error_of(::fchmod(descriptor_.get(), 0400));
}

}  // namespace daybook
