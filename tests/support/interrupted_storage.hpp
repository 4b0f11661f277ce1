// SPDX-License-Identifier: Apache-2.0
#pragma once

// A disk on which somebody else acts whenever its user opens a file or lists a folder. A folder that changes while it is listed
// shows the least that it may: only what was there both before and behind.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "daybook/core/ports.hpp"

namespace daybook::test {

class Interrupted final : public Storage {
 public:
  Interrupted(Storage& storage, std::function<void()> act) : storage_(storage), act_(std::move(act)) {}
  /// Acts once, at the nth call.
  Interrupted(Storage& storage, std::uint64_t nth, std::function<void()> act)
      : Interrupted(storage, [this, act = std::move(act)] {
          if (left_ != 0 && --left_ == 0) act();
        }) {
    left_ = nth;
  }
  Interrupted(const Interrupted&) = delete;
  Interrupted& operator=(const Interrupted&) = delete;

  [[nodiscard]] bool acted() const { return left_ == 0; }

  [[nodiscard]] Opened open(const std::string& name, OpenMode mode) override {
    act_();
    return storage_.open(name, mode);
  }
  [[nodiscard]] int list(const std::string& folder, std::vector<std::string>& names) override {
    if (const int error = storage_.list(folder, names)) return error;
    act_();
    std::vector<std::string> behind;
    if (const int error = storage_.list(folder, behind)) return error;
    std::erase_if(names,
                  [&](const std::string& name) { return !std::binary_search(behind.begin(), behind.end(), name); });
    return 0;
  }
  [[nodiscard]] int make_folder(const std::string& folder) override { return storage_.make_folder(folder); }
  [[nodiscard]] int rename(const std::string& from, const std::string& to) override {
    return storage_.rename(from, to);
  }
  [[nodiscard]] int remove(const std::string& name) override { return storage_.remove(name); }
  [[nodiscard]] int sync_folder(const std::string& folder) override { return storage_.sync_folder(folder); }
  [[nodiscard]] int free_bytes(std::uint64_t& bytes) override { return storage_.free_bytes(bytes); }
  [[nodiscard]] Locked lock(const std::string& purpose) override { return storage_.lock(purpose); }
  [[nodiscard]] std::string describe(const std::string& name) const override { return storage_.describe(name); }

 private:
  Storage& storage_;
  std::function<void()> act_;
  std::uint64_t left_ = 0;
};

}  // namespace daybook::test
