// SPDX-License-Identifier: Apache-2.0
#pragma once

// HandMadeZones: UTC, and what a test adds to it.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/zones.hpp"

namespace daybook::test {

class HandMadeZones final : public Zones {
 public:
  HandMadeZones() { add("UTC", std::chrono::seconds(0), {}); }

  const Zone& add(const std::string& name, std::chrono::seconds first, std::vector<ZoneChange> changes) {
    return *(zones_[name] = std::make_unique<const Zone>(name, first, std::move(changes)));
  }
  /// Changes once, at the instant.
  const Zone& add(const std::string& name, std::chrono::seconds first, std::string_view at, std::chrono::seconds then) {
    return add(name, first, {{std::chrono::floor<std::chrono::seconds>(*parse_instant(at)), then}});
  }

  [[nodiscard]] const Zone* find(std::string_view name) const override {
    const auto found = zones_.find(name);
    return found == zones_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::string version() const override { return "by hand"; }

 private:
  std::map<std::string, std::unique_ptr<const Zone>, std::less<>> zones_;
};

}  // namespace daybook::test
