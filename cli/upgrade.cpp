// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

int upgrade(const Common& common) {
  Daybook book = open_book(common);
  const std::uint32_t before = book.stat().feature_level;
  execute(book, common, RaiseFeatureLevel{});
  const std::uint32_t after = book.stat().feature_level;
  book.close();
  if (common.json) {
    print_json({{"before", before}, {"after", after}});
  } else if (before == after) {
    print("nothing to do: the book has feature level " + std::to_string(after) + ", the highest this release knows");
  } else {
    print("raised from feature level " + std::to_string(before) + " to " + std::to_string(after) +
          ": releases that do not know it refuse this book from here on");
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_upgrade(Tool& tool) {
  tool.verb("upgrade", "lets a book hold what this release knows; older ones then refuse it", Opens::writing)
      .about(
          "raises the feature level of a book to the highest that this release knows. Until then every release that\n"
          "knows the book's level can open it, also after this one wrote to it. There is no way back but a backup.")
      .takes_reason()
      .example(
          "  $ daybook upgrade --reason \"all machines run the new release\"\n"
          "  raised from feature level 1 to 2: releases that do not know it refuse this book from here on\n")
      .runs([&tool] { return upgrade(tool.common()); });
}

}  // namespace daybook::cli
