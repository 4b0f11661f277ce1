// SPDX-License-Identifier: Apache-2.0
#pragma once

// SyncSpy: what this process asks the kernel to make durable, rename or remove, in order. The program that links it calls
// its fsync, fdatasync, renameat and unlinkat instead of the C library's; they do the real thing as well.

#include <string>
#include <vector>

namespace daybook::test {

/// Records while it lives; one at a time.
class SyncSpy {
 public:
  SyncSpy();
  ~SyncSpy();
  SyncSpy(const SyncSpy&) = delete;
  SyncSpy& operator=(const SyncSpy&) = delete;

  /// "fsync NAME", "fdatasync NAME", "rename NAME" (the new one), "remove NAME"; names without their folders. What
  /// failed is not among them.
  [[nodiscard]] std::vector<std::string> calls() const;
  /// The next such call, once, fails with this errno and does nothing.
  void fail_next(const std::string& call, int error_number);
};

}  // namespace daybook::test
