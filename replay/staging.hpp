// SPDX-License-Identifier: Apache-2.0
#pragma once

// StagedLog: a log under construction. Its writer believes to work in the folder "log"; the files stand in the book's
// directory itself, under names that nobody takes for a log, until `publish` moves them.

#include <string>
#include <vector>

#include "daybook/core/ports.hpp"
#include "daybook/log/segment_log.hpp"

namespace daybook {

class StagedLog final : public Storage {
 public:
  explicit StagedLog(Storage& storage) : storage_(storage) {}

  /// Moves the files to where they belong, durably, the log's first segment last: a log without its beginning is refused
  /// by everybody, so there is no moment at which a part could be opened as the whole. The writer must be closed and gone.
  /// Throws StorageError.
  void publish();

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
  void move(const std::vector<std::string>& names);

  Storage& storage_;
};

/// Closes the writer of a copy. Throws StorageError also when it could not say where the log ends: its last batch is durable then,
/// and answered for, but a reader would not see it, and with it that the copy is held.
void close_copy(SegmentLog& log, const Storage& out);

}  // namespace daybook
