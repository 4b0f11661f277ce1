// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daybook/core/ports.hpp"
#include "descriptor.hpp"

namespace daybook {

/// A regular file behind a descriptor. One opened for reading answers EBADF to whatever would change it.
class PosixFile final : public File {
 public:
  explicit PosixFile(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  [[nodiscard]] IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override;
  [[nodiscard]] IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override;
  [[nodiscard]] int sync_data() override;
  [[nodiscard]] int sync() override;
  [[nodiscard]] int truncate(std::uint64_t size) override;
  [[nodiscard]] int allocate(std::uint64_t size) override;
  [[nodiscard]] int size(std::uint64_t& bytes) override;
  [[nodiscard]] int drop_cache() override;
  [[nodiscard]] int make_read_only() override;

 private:
  [[nodiscard]] int write_zeros_up_to(std::uint64_t size);

  Descriptor descriptor_;
};

}  // namespace daybook
