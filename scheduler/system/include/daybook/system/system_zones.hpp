// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine's time zones: /usr/share/zoneinfo, as Debian's package tzdata installs it.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "daybook/core/zones.hpp"

namespace daybook {

/// Reads a zone when it is first asked for, and never again: a newer tzdata counts from the next process on. Where the machine has
/// no tzdata, no zone but UTC is known.
class SystemZones final : public Zones {
 public:
  SystemZones();
  [[nodiscard]] const Zone* find(std::string_view name) const override;
  [[nodiscard]] std::string version() const override { return version_; }

 private:
  std::string version_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::unique_ptr<const Zone>, std::less<>> known_;  // null: there is none
};

}  // namespace daybook
