// SPDX-License-Identifier: Apache-2.0
// A picture is fetched, made smaller in two ways at once, and published when both are there. One page cannot be fetched: what
// depends on it is dropped, who cleans up runs all the same, and somebody is told.
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "daybook/daybook.hpp"

using namespace std::chrono_literals;
using daybook::Attempt;
using daybook::BatchParent;
using daybook::Otherwise;
using daybook::RunWhen;
using daybook::Schedule;

namespace {

std::string text(const daybook::Envelope& contents) {
  return std::string(contents.bytes());
}

std::vector<Schedule> gallery(const std::string& page) {
  Schedule fetch{.queue = "media", .kind = "fetch", .payload = page};
  Schedule small{.queue = "media", .kind = "shrink", .payload = "small"};
  Schedule large{.queue = "media", .kind = "shrink", .payload = "large"};
  Schedule publish{.queue = "media", .kind = "publish"};
  Schedule clean{.queue = "media", .kind = "clean"};
  small.parents = large.parents = {BatchParent{0}};
  publish.parents = {BatchParent{1}, BatchParent{2}};
  clean.parents = {BatchParent{3}};
  for (Schedule* one : {&small, &large, &publish}) {
    one->run_when = RunWhen::succeeded;
    one->otherwise = Otherwise::fail;
  }
  publish.otherwise = Otherwise::cancel;
  clean.run_when = RunWhen::always;
  return {fetch, small, large, publish, clean};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: dependencies DIRECTORY\n";
    return 2;
  }
  auto book = daybook::Daybook::open(argv[1]);
  auto worker = book.work({.queues = {"media", "support"}});
  worker.on("fetch", [](Attempt& attempt) {
    const std::string page = text(attempt.job().payload);
    return page == "gone" ? daybook::discard("404") : daybook::done(page + ".png");
  });
  worker.on("shrink", [](Attempt& attempt) {
    const auto fetched = attempt.parent(attempt.job().parents.front());
    if (!fetched) return daybook::retry(fetched.error().sentence);
    return daybook::done(text(attempt.job().payload) + "-" + text(fetched->result));
  });
  worker.on("publish", [](Attempt& attempt) {
    std::string names;
    for (const daybook::JobId& id : attempt.job().parents) {
      const auto picture = attempt.parent(id);
      if (picture) names += (names.empty() ? "" : " and ") + text(picture->result);
    }
    return daybook::done(names);
  });
  worker.on("clean", [](Attempt&) { return daybook::done("cleaned up"); });
  worker.on("tell", [](Attempt& attempt) {
    const auto dead = attempt.parent(attempt.job().parents.front());
    if (dead) std::cout << "support: " << dead->kind << " is dead: " << to_string(dead->dead_reason) << '\n';
    return daybook::done();
  });

  const auto watched = book.set_on_dead({.queue = "media", .kind = "tell", .into = "support"});
  const auto fine = book.schedule_all(gallery("cat"));
  if (!watched || !fine) {
    std::cerr << (watched ? fine.error() : watched.error()).sentence << '\n';
    return 1;
  }
  const auto started = worker.start();
  const auto published = book.wait(fine->at(3), 1min);
  const auto gone = book.schedule_all(gallery("gone"));
  if (!started || !published || !gone) return 1;
  const auto unpublished = book.wait(gone->at(3), 1min);
  const auto cleaned = book.wait(gone->at(4), 1min);
  worker.run_until_empty();
  worker.stop();
  if (!unpublished || !cleaned) return 1;
  std::cout << "published " << published->result.bytes() << '\n'
            << "the other is " << to_string(unpublished->phase) << ", and " << cleaned->result.bytes() << '\n';
  return 0;
}
