// SPDX-License-Identifier: Apache-2.0
#pragma once

// PassingStorage: passes every call on to another storage. Tests derive from it to have one call do something else.

#include <string>
#include <vector>

#include "daybook/core/ports.hpp"

namespace daybook::test {

class PassingStorage : public Storage {
 public:
  explicit PassingStorage(Storage& storage) : storage_(storage) {}

  Opened open(const std::string& name, OpenMode mode) override { return storage_.open(name, mode); }
  int list(const std::string& folder, std::vector<std::string>& names) override { return storage_.list(folder, names); }
  int make_folder(const std::string& folder) override { return storage_.make_folder(folder); }
  int rename(const std::string& from, const std::string& to) override { return storage_.rename(from, to); }
  int remove(const std::string& name) override { return storage_.remove(name); }
  int sync_folder(const std::string& folder) override { return storage_.sync_folder(folder); }
  int free_bytes(std::uint64_t& bytes) override { return storage_.free_bytes(bytes); }
  Locked lock(const std::string& purpose) override { return storage_.lock(purpose); }
  std::string describe(const std::string& name) const override { return storage_.describe(name); }

 private:
  Storage& storage_;
};

}  // namespace daybook::test
