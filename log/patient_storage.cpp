// SPDX-License-Identifier: Apache-2.0
#include "patient_storage.hpp"

#include <algorithm>
#include <cerrno>

namespace daybook {
namespace {

constexpr std::size_t piece = 4096;  // a disk gives or refuses whole blocks

class PatientFile final : public File {
 public:
  PatientFile(std::unique_ptr<File> file, std::uint64_t& unreadable)
      : file_(std::move(file)), unreadable_(unreadable) {}

  IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const IoCount whole = file_->read_at(offset, into);
    if (whole.error != EIO) return whole;
    const std::size_t bytes = std::min<std::size_t>(into.size(), piece - offset % piece);
    const IoCount part = file_->read_at(offset, into.first(bytes));
    if (part.error != EIO) return part;
    std::uint64_t size = 0;
    if (const int error = file_->size(size)) return {0, error};
    const std::size_t left = offset < size ? std::min<std::uint64_t>(bytes, size - offset) : 0;
    std::fill_n(into.begin(), left, std::byte{0});
    unreadable_ += left;
    return {left, 0};
  }
  IoCount write_at(std::uint64_t, std::span<const std::byte>) override { return {0, EROFS}; }
  int sync_data() override { return EROFS; }
  int sync() override { return EROFS; }
  int truncate(std::uint64_t) override { return EROFS; }
  int allocate(std::uint64_t) override { return EROFS; }
  int size(std::uint64_t& bytes) override { return file_->size(bytes); }
  int drop_cache() override { return file_->drop_cache(); }
  int make_read_only() override { return EROFS; }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t& unreadable_;
};

}  // namespace

Opened PatientStorage::open(const std::string& name, OpenMode mode) {
  if (mode != OpenMode::read) return {nullptr, EROFS};
  Opened opened = storage_.open(name, mode);
  if (opened.file != nullptr) opened.file = std::make_unique<PatientFile>(std::move(opened.file), unreadable_[name]);
  return opened;
}

int PatientStorage::list(const std::string& folder, std::vector<std::string>& names) {
  return storage_.list(folder, names);
}

int PatientStorage::make_folder(const std::string&) {
  return EROFS;
}

int PatientStorage::rename(const std::string&, const std::string&) {
  return EROFS;
}

int PatientStorage::remove(const std::string&) {
  return EROFS;
}

int PatientStorage::sync_folder(const std::string&) {
  return EROFS;
}

int PatientStorage::free_bytes(std::uint64_t& bytes) {
  return storage_.free_bytes(bytes);
}

Locked PatientStorage::lock(const std::string&) {
  return {.lock = nullptr, .owner = {}, .error = EROFS};
}

std::string PatientStorage::describe(const std::string& name) const {
  return storage_.describe(name);
}

}  // namespace daybook
