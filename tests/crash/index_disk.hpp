// SPDX-License-Identifier: Apache-2.0
#pragma once

// IndexDisk: the folder of an index on a simulated disk. LMDB reads through a map of a real file, so the real files are the
// page cache; every call that changes, syncs, names or identifies them also goes to a MemoryStorage, which knows what of
// it would survive a loss of power, and may refuse. The program must be linked with `--wrap` for those calls
// (CMakeLists.txt). Nothing is ever synced for real.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "support/memory_storage.hpp"
#include "support/temp_folder.hpp"

namespace daybook::test {

class IndexDisk {
 public:
  /// An empty disk, or one as a crash left it.
  explicit IndexDisk(std::unique_ptr<MemoryStorage> memory = std::make_unique<MemoryStorage>());
  ~IndexDisk();
  IndexDisk(const IndexDisk&) = delete;
  IndexDisk& operator=(const IndexDisk&) = delete;

  [[nodiscard]] std::string folder() const { return root_.path() / "index"; }  // absolute; not made yet when it is new
  [[nodiscard]] MemoryStorage& memory() { return *memory_; }

  /// Called before each call that changes or syncs something.
  void before_each_change(std::function<void()> look) { look_ = std::move(look); }
  void look() const {
    if (look_) look_();
  }
  /// A path below the root, as MemoryStorage names it; unset: it is not.
  [[nodiscard]] std::optional<std::string> name_of(const std::string& path) const;
  /// The real file shows what the page cache does, after a sync that failed and took bytes back.
  void show(const std::string& name) const;

 private:
  TempFolder root_{memory_folder()};
  std::unique_ptr<MemoryStorage> memory_;
  std::function<void()> look_;
};

}  // namespace daybook::test
