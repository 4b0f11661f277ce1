// SPDX-License-Identifier: Apache-2.0
// What may not be pruned.
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

int hold(const Common& common, const Filter& where) {
  Daybook book = open_book(common);
  const Sequence id = std::get<Recorded>(execute(book, common, PlaceHold{where})).event;
  book.close();
  if (common.json) {
    print_json({{"hold", id.value()}, {"where", where.text()}});
  } else {
    print(std::to_string(id.value()));
  }
  return static_cast<int>(Exit::fine);
}

int holds(const Common& common) {
  ReadingBook book(common);
  const State state = book.state();
  const Moment now = moment_now(state);
  Table table({{"HOLD", Table::Align::right}, {"SINCE"}, {"BY"}, {"JOBS", Table::Align::right}, {"WHERE"}, {""}});
  state.each_hold([&](const Hold& hold) {
    const auto filter = Filter::parse(hold.filter);
    std::uint64_t matched = 0;
    state.each_job([&](const Job& job) { matched += !filter || filter->matches(job, state, now) ? 1 : 0; });
    const Name* actor = state.name(hold.actor);
    const std::string by = actor == nullptr ? std::string() : actor->text;
    if (common.json) {
      print_json({{"hold", hold.id.value()},
                  {"where", hold.filter},
                  {"reason", hold.reason},
                  {"actor", by},
                  {"placed_at", to_string(hold.placed_at)},
                  {"jobs", matched}});
    } else {
      table.row({std::to_string(hold.id.value()), to_string(hold.placed_at), sanitized(by), grouped(matched),
                 sanitized(hold.filter), sanitized(hold.reason)});
    }
  });
  if (!table.empty()) table.print();
  if (table.empty() && !common.json) tell("nothing is held");
  return book.exit_code();
}

int unhold(const Common& common, Sequence id) {
  Daybook book = open_book(common);
  execute(book, common, LiftHold{id});
  book.close();
  if (common.json) {
    print_json({{"hold", id.value()}, {"lifted", true}});
  } else {
    print("hold " + std::to_string(id.value()) + " is lifted");
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_holds(Tool& tool) {
  auto where = std::make_shared<Filter>();
  tool.verb("hold", "keeps jobs from being pruned", Opens::writing)
      .about("keeps the jobs that a filter matches, now and later, from being pruned, until the hold is lifted.")
      .option("--where", "FILTER", *where, "what is kept; docs/filter.md has the fields")
      .required()
      .takes_reason(true)
      .example("  $ daybook hold --where 'tag.customer = acme' --reason \"case 8812\"\n  88\n")
      .runs([&tool, where] { return hold(tool.common(), *where); });
  tool.verb("holds", "what is kept from being pruned, by whom and why", Opens::reading)
      .about("lists the holds that stand, and how many jobs each of them matches.")
      .example(
          "  $ daybook holds\n"
          "  HOLD  SINCE                        BY         JOBS  WHERE\n"
          "    88  2026-03-04T12:05:00.113204Z  ada(1000)  1,204  tag.customer = acme  case 8812\n")
      .runs([&tool] { return holds(tool.common()); });
  auto id = std::make_shared<Sequence>();
  tool.verb("unhold", "lifts a hold", Opens::writing)
      .about("lifts a hold: what it kept may be pruned again, unless another hold keeps it.")
      .argument("HOLD", *id, "its number; see holds")
      .takes_reason()
      .example("  $ daybook unhold 88 --reason \"case is closed\"\n  hold 88 is lifted\n")
      .runs([&tool, id] { return unhold(tool.common(), *id); });
}

}  // namespace daybook::cli
