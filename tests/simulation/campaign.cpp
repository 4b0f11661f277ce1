// SPDX-License-Identifier: Apache-2.0
#include "campaign.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <vector>

#include "actions.hpp"
#include "world.hpp"

namespace daybook::simulation {

namespace {

constexpr int shrinking_tries = 3000;

std::uint64_t seed_under_way = 0;

// A failed assertion or a fault ends the program: the seed has to be said before that.
void say_seed(int signal) {
  std::signal(signal, SIG_DFL);
  std::fprintf(stderr, "simulation: the life of seed %llu ends the program\n",
               static_cast<unsigned long long>(seed_under_way));
  std::raise(signal);
}

/// In a process of its own, so that a life that ends its program can be shortened as well.
bool fails_apart(const Script& script) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    std::signal(SIGSEGV, SIG_DFL);
    Figures ignored;
    ::_exit(live(script, ignored).empty() ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status != 0;
}

std::uint64_t seed_of_life(std::uint64_t seed, std::uint64_t number) {
  return test::FixedRandom(seed ^ (number * 0x9e3779b97f4a7c15u)).next();
}

}  // namespace

std::string live(const Script& script, Figures& figures) {
  World world(script.options, figures);
  std::size_t at = 0;
  try {
    for (; at < script.actions.size() && !world.over(); ++at) {
      ++figures.actions[static_cast<std::size_t>(script.actions[at].kind)];
      world.perform(script.actions[at]);
    }
    if (!world.over()) world.drain();
  } catch (const std::exception& error) {
    world.failure.say(std::string("an exception reached the caller: ") + error.what());
  } catch (const test::PowerCut&) {
    world.failure.say("the power was cut at a call that nobody expected");
  }
  world.count();
  if (!world.failure.happened()) return {};
  const bool ended = at > 0 && at - 1 < script.actions.size();
  return world.failure.what() +
         (ended ? " (at action " + std::to_string(at) + ", " + std::string(to_string(script.actions[at - 1].kind)) + ")"
                : std::string());
}

namespace {

Script shrink(const Script& script) {
  Script smallest = script;
  int tries = 0;
  const auto fails = [&](const Script& candidate) {
    ++tries;
    return fails_apart(candidate);
  };
  for (std::size_t chunk = std::max<std::size_t>(1, smallest.actions.size() / 2); tries < shrinking_tries;) {
    bool smaller = false;
    for (std::size_t at = 0; at < smallest.actions.size() && tries < shrinking_tries;) {
      Script candidate = smallest;
      const auto begin = candidate.actions.begin() + static_cast<std::ptrdiff_t>(at);
      candidate.actions.erase(begin,
                              begin + static_cast<std::ptrdiff_t>(std::min(chunk, candidate.actions.size() - at)));
      if (fails(candidate)) {
        smallest = std::move(candidate);
        smaller = true;
      } else {
        at += chunk;
      }
    }
    if (chunk == 1 && !smaller) break;
    if (chunk > 1) chunk /= 2;
  }
  return smallest;
}

}  // namespace

std::string shortened(const Script& script) {
  if (!fails_apart(script)) return "this life keeps its promises\n";
  const Script small = shrink(script);
  return "shortened from " + std::to_string(script.actions.size()) + " to " + std::to_string(small.actions.size()) +
         " actions:\n" + as_code(small);
}

Outcome run(const Campaign& campaign) {
  Outcome outcome;
  const auto on_abort = std::signal(SIGABRT, say_seed);
  const auto on_fault = std::signal(SIGSEGV, say_seed);
  std::uint64_t told = 0;
  while (outcome.figures.crashes() < campaign.crashes && outcome.failure.empty()) {
    const std::uint64_t number = outcome.lives++;
    seed_under_way = seed_of_life(campaign.seed, number);
    const bool index = number % campaign.index_every == 0;
    const Script script = script_of(seed_under_way, index);
    const std::string failure = live(script, outcome.figures);
    if (!failure.empty()) {
      outcome.failure = "life " + std::to_string(number + 1) + " of seed " + std::to_string(campaign.seed) + ": " +
                        failure + '\n' + shortened(script);
    }
    if (campaign.progress && outcome.figures.crashes() / 10'000 != told) {
      told = outcome.figures.crashes() / 10'000;
      std::cerr << outcome.figures.crashes() << " of " << campaign.crashes << " crashes, " << outcome.lives
                << " lives\n";
    }
  }
  std::signal(SIGABRT, on_abort);
  std::signal(SIGSEGV, on_fault);
  return outcome;
}

std::string never_fired(const Figures& figures) {
  std::string missing;
  for (std::size_t i = 0; i < test::fault_count; ++i) {
    const auto fault = static_cast<test::Fault>(i);
    if (figures.planned[fault] != 0 && figures.fired[fault] == 0) missing += std::string(" ") + name_of(fault);
  }
  return missing;
}

}  // namespace daybook::simulation
