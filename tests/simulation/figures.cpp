// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>

#include "actions.hpp"

namespace daybook::simulation {

namespace {

using test::Fault;

template <class Visit>
void each_fault(const Visit& visit) {
  for (std::size_t i = 0; i < test::fault_count; ++i) visit(static_cast<Fault>(i));
}

}  // namespace

std::string describe(const Figures& figures) {
  std::ostringstream out;
  const std::uint64_t nested = std::accumulate(figures.nested.begin(), figures.nested.end(), std::uint64_t{0});
  out << "lives: " << figures.runs << " (" << figures.runs_with_index << " with the index), events: " << figures.events
      << ", answers: " << figures.answers << ", distinct end states: " << figures.end_states.size() << '\n';
  out << "crashes: " << figures.crashes() << " (" << figures.power_losses << " losses of power, " << figures.kills
      << " kills; " << figures.crashes_with_index << " with the index), inside an opening: " << nested << ", by depth:";
  for (const std::uint64_t count : figures.nested) out << ' ' << count;
  out << ", clean ends: " << figures.clean_ends << '\n';
  out << "crash points: " << figures.crash_points.size() << " kinds of storage calls\n";
  out << "segments dropped: " << figures.dropped_segments << ", books restored from a backup: " << figures.restores
      << '\n';
  out << "damage: " << figures.damages << ", reported: " << figures.damages_reported
      << ", cut and declared: " << figures.damages_declared << ", without effect: " << figures.damages_harmless
      << "; lies of the disk found out: " << figures.lies_reported << ", not provable: " << figures.lies_unprovable
      << "; stopped by storage errors: " << figures.storage_errors << '\n';
  out << "faults fired:";
  each_fault([&](Fault fault) { out << ' ' << name_of(fault) << ' ' << figures.fired[fault]; });
  out << '\n';
  return out.str();
}

void record(const Figures& figures, const std::string& campaign, std::uint64_t seed) {
  const char* file = std::getenv("DAYBOOK_FIGURES");
  if (file == nullptr) return;
  std::ofstream out(file, std::ios::app);
  out << R"({"what":"simulation","campaign":")" << campaign << R"(","seed":)" << seed << R"(,"lives":)" << figures.runs
      << R"(,"lives_with_index":)" << figures.runs_with_index << R"(,"crashes":)" << figures.crashes()
      << R"(,"power_losses":)" << figures.power_losses << R"(,"kills":)" << figures.kills << R"(,"crashes_with_index":)"
      << figures.crashes_with_index << R"(,"nested":[)";
  for (std::size_t i = 0; i < figures.nested.size(); ++i) out << (i > 0 ? "," : "") << figures.nested.at(i);
  out << R"(],"clean_ends":)" << figures.clean_ends << R"(,"events":)" << figures.events << R"(,"answers":)"
      << figures.answers << R"(,"end_states":)" << figures.end_states.size() << R"(,"dropped_segments":)"
      << figures.dropped_segments << R"(,"restores":)" << figures.restores << R"(,"damages":)" << figures.damages
      << R"(,"damages_reported":)" << figures.damages_reported << R"(,"damages_declared":)" << figures.damages_declared
      << R"(,"damages_harmless":)" << figures.damages_harmless << R"(,"lies_reported":)" << figures.lies_reported
      << R"(,"lies_unprovable":)" << figures.lies_unprovable << R"(,"storage_errors":)" << figures.storage_errors
      << R"(,"faults":{)";
  bool first = true;
  each_fault([&](Fault fault) {
    out << (first ? "" : ",") << '"' << name_of(fault) << R"(":)" << figures.fired[fault];
    first = false;
  });
  out << R"(},"crash_points":{)";
  first = true;
  for (const auto& [point, count] : figures.crash_points) {
    out << (first ? "" : ",") << '"' << point << R"(":)" << count;
    first = false;
  }
  out << R"(},"actions":{)";
  for (std::size_t i = 0; i < kind_count; ++i) {
    out << (i > 0 ? "," : "") << '"' << action_table().at(i).name << R"(":)" << figures.actions.at(i);
  }
  out << "}}\n";
}

}  // namespace daybook::simulation
