// SPDX-License-Identifier: Apache-2.0
#pragma once

// A disk that shows something else than its cache did: what happens to a file just before its cache is dropped is told by the test.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "support/passing_storage.hpp"

namespace daybook::test {

class UncachedStorage final : public PassingStorage {
 public:
  UncachedStorage(Storage& storage, std::function<void(const std::string& name)> happen)
      : PassingStorage(storage), happen_(std::move(happen)) {}

  Opened open(const std::string& name, OpenMode mode) override {
    Opened opened = PassingStorage::open(name, mode);
    if (opened.file) opened.file = std::make_unique<Passing>(std::move(opened.file), [this, name] { happen_(name); });
    return opened;
  }

 private:
  class Passing final : public File {
   public:
    Passing(std::unique_ptr<File> file, std::function<void()> happen)
        : file_(std::move(file)), happen_(std::move(happen)) {}
    IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override { return file_->read_at(offset, into); }
    IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override {
      return file_->write_at(offset, from);
    }
    int sync_data() override { return file_->sync_data(); }
    int sync() override { return file_->sync(); }
    int truncate(std::uint64_t size) override { return file_->truncate(size); }
    int allocate(std::uint64_t size) override { return file_->allocate(size); }
    int size(std::uint64_t& bytes) override { return file_->size(bytes); }
    int drop_cache() override {
      happen_();
      return file_->drop_cache();
    }
    int make_read_only() override { return file_->make_read_only(); }

   private:
    std::unique_ptr<File> file_;
    std::function<void()> happen_;
  };

  std::function<void(const std::string& name)> happen_;
};

}  // namespace daybook::test
