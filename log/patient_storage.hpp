// SPDX-License-Identifier: Apache-2.0
#pragma once

// PatientStorage: reads what a failing disk still gives. Where a read fails, it is tried again in small pieces, and a piece that
// the disk does not give reads as zeros, which no checksum takes for anything. Only for reading.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "daybook/core/ports.hpp"

namespace daybook {

class PatientStorage final : public Storage {
 public:
  explicit PatientStorage(Storage& storage) : storage_(storage) {}

  /// Bytes that could not be read, by file.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& unreadable() const { return unreadable_; }

  [[nodiscard]] Opened open(const std::string& name, OpenMode mode) override;
  [[nodiscard]] int list(const std::string& folder, std::vector<std::string>& names) override;
  [[nodiscard]] int make_folder(const std::string& folder) override;
  [[nodiscard]] int rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] int remove(const std::string& name) override;
  [[nodiscard]] int sync_folder(const std::string& folder) override;
  [[nodiscard]] int free_bytes(std::uint64_t& bytes) override;
  [[nodiscard]] Locked lock(const std::string& purpose) override;
  [[nodiscard]] std::string describe(const std::string& name) const override;

 private:
  Storage& storage_;
  std::map<std::string, std::uint64_t> unreadable_;
};

}  // namespace daybook
