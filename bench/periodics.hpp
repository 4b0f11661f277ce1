// SPDX-License-Identifier: Apache-2.0
#pragma once

// What recurs in a real installation, and what ought to come of it. The expectation shares nothing with the library: it asks the C
// library what the clocks of a place show at each minute, and reads cron expressions by itself.

#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/time.hpp"

namespace daybook::bench {

struct Periodic {
  std::string name;
  std::string cron;  // or, when it is empty
  Duration every{};
};

/// Tab-separated, with a header: name, kind (interval, minimum_interval, cron), schedule, …. A minimum interval counts from the end of the
/// run before, and is taken as an interval: runs end when they begin here. Throws std::runtime_error, with the line.
[[nodiscard]] std::vector<Periodic> read_periodics(std::istream& in);

/// By name, the instants after `from` and before `until` at which each ought to run, in order. Intervals count from `from`.
/// Local times that the clocks of `zone` leave out are later by what was left out, and those that come twice count once, the first
/// time, unless the expression leaves out no hour. Sets the time zone of the process meanwhile: from one thread.
using Instants = std::map<std::string, std::vector<Instant>>;
[[nodiscard]] Instants expected_instants(const std::vector<Periodic>& periodics, const std::string& zone, Instant from,
                                         Instant until);

}  // namespace daybook::bench
