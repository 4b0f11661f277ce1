// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace daybook::test {

/// Every IANA zone, links among them; none where there is no tzdata.
inline std::vector<std::string> zone_names() {
  std::vector<std::string> names;
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind;
    std::string first;
    std::string second;
    words >> kind >> first >> second;
    if (kind == "Z" && first != "Factory") names.push_back(first);
    if (kind == "L") names.push_back(second);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace daybook::test
