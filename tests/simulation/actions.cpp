// SPDX-License-Identifier: Apache-2.0
#include "actions.hpp"

#include <cerrno>
#include <chrono>

#include "world.hpp"

// What can happen, a function each, and the table that names them. A new action is a Kind in script.hpp, a function here,
// and a line of the table.

namespace daybook::simulation {

using namespace std::chrono_literals;

namespace {

using test::Fault;
using End = World::End;

test::FaultPlan plan_of(World& world, Choices& choices, std::initializer_list<Fault> kinds, std::uint32_t per_million) {
  test::FaultPlan plan;
  plan.seed = choices.any();
  for (const Fault kind : kinds) {
    plan.with(kind, per_million);
    ++world.figures.planned[kind];
  }
  return plan;
}

// ---- people -------------------------------------------------------------------------------------------------------

template <Kind what>
void ask(World& world, Choices& choices) {
  Submission submission{.commands = {world.people.command(what, choices, world.clock.wall())}};
  submission.context = world.people.context(choices);
  world.submit(std::move(submission));
}

void wait_for_claim(World& world, Choices& choices) {
  Submission submission{.commands = {world.people.command(Kind::claim, choices, world.clock.wall())}};
  submission.context.actor = "service";
  world.wait_for_claim(std::move(submission), choices.one_of<Duration>({0s, 1s, 1min, 24h}));
}

void batch(World& world, Choices& choices) {
  Submission submission;
  for (std::size_t left = 2 + choices.below(4); left > 0; --left) {
    const Kind what = static_cast<Kind>(choices.below(static_cast<std::size_t>(Kind::batch)));
    submission.commands.push_back(world.people.command(what, choices, world.clock.wall()));
  }
  submission.context = world.people.context(choices);
  world.submit(std::move(submission));
}

void repeat(World& world, Choices& choices) {
  auto submission = world.people.sent_before(choices);
  if (submission) world.submit(std::move(*submission));
}

void look(World& world, Choices& choices) {
  world.look(choices);
}
void forget(World& world, Choices& choices) {
  world.people.forget_worker(choices);
}
void withdraw(World& world, Choices&) {
  world.withdraw_claims();
}

// ---- the service, and time ----------------------------------------------------------------------------------------

void step(World& world, Choices&) {
  world.step();
}

void restart(World& world, Choices& choices) {
  world.close(End::killed, choices);
  world.open(choices);
}

void reboot(World& world, Choices& choices) {
  world.close(End::power_lost, choices);
  world.open(choices);
}

void pass(World& world, Choices& choices) {
  world.pass(choices.one_of<Duration>({1ms, 1s, 1s, 9s, 10s, 29s, 30s, 1min, 10min, 2h, 25h}));
}

void suspend(World& world, Choices& choices) {
  world.clock.advance(choices.one_of<Duration>({1h, 8h, 72h}));
}

void jump(World& world, Choices& choices) {
  const Duration by = choices.one_of<Duration>({1h, 24h, 24h * 365, 24h * 366});
  world.clock.step_wall(choices.once_in(2) ? by : -by);
}

// ---- ends ---------------------------------------------------------------------------------------------------------

void kill(World& world, Choices& choices) {
  world.crash(End::killed, choices);
}
void lose_power(World& world, Choices& choices) {
  world.crash(End::power_lost, choices);
}
void kill_soon(World& world, Choices& choices) {
  world.crash_soon(End::killed, choices);
}
void lose_power_soon(World& world, Choices& choices) {
  world.crash_soon(End::power_lost, choices);
}

void drop_index(World& world, Choices& choices) {
  world.close(End::killed, choices);
  if (!world.alive() && world.index) world.index = std::make_unique<test::IndexDisk>();
  world.open(choices);
}

// The index is a cache: whatever its disk does, the book goes on.
void index_err(World& world, Choices& choices) {
  if (!world.index) return;
  world.index->memory().set_faults(plan_of(
      world, choices, {Fault::io_error, Fault::write_error, Fault::full, Fault::sync_keeps, Fault::sync_reverts},
      choices.one_of({5'000U, 50'000U})));
}

// ---- the disk -----------------------------------------------------------------------------------------------------

void fail_soon(World& world, Choices& choices) {
  world.trouble();
  const int error = choices.one_of({EIO, EIO, ENOSPC, EINTR});
  world.disk.let_failed_syncs_revert(choices.once_in(2));
  world.disk.fail_call(1 + choices.below(20), error);
}

void hinder(World& world, Choices& choices) {
  world.trouble();  // an interrupted sync is not made again
  world.disk.set_faults(plan_of(world, choices,
                                {Fault::interrupted, Fault::short_read, Fault::short_write, Fault::early_write_back},
                                choices.one_of({20'000U, 200'000U})));
}

void err(World& world, Choices& choices) {
  world.trouble();
  const std::uint32_t per_million = choices.one_of({1'000U, 5'000U, 50'000U});
  test::FaultPlan plan = plan_of(
      world, choices,
      {Fault::io_error, Fault::read_error, Fault::write_error, Fault::full, Fault::interrupted, Fault::short_read,
       Fault::short_write, Fault::sync_keeps, Fault::sync_reverts, Fault::folder_sync_error, Fault::early_write_back},
      per_million);
  plan.with(Fault::folder_sync_error, per_million * 5);  // there are few of them
  world.disk.set_faults(plan);
}

void lie(World& world, Choices& choices) {
  world.lie();
  test::FaultPlan plan = plan_of(
      world, choices,
      {Fault::bad_sector, Fault::flipped_bit, Fault::misdirected_write, Fault::misdirected_to_file, Fault::lost_write},
      choices.one_of({2'000U, 20'000U}));
  const std::uint32_t writes = choices.one_of({5'000U, 50'000U});
  plan.with(Fault::misdirected_write, writes).with(Fault::misdirected_to_file, writes).with(Fault::lost_write, writes);
  world.disk.set_faults(plan);
}

void shorten(World& world, Choices& choices) {
  world.disk.transfer_at_most(choices.one_of<std::size_t>({1000, 4096}));
}

void fill(World& world, Choices& choices) {
  world.fill(choices.below(64 * 1024));
}

void calm(World& world, Choices&) {
  world.calm();
}

void damage(World& world, Choices& choices) {
  world.close(End::killed, choices);
  if (!world.alive() && !world.over()) judge_damage(world, choices);
  world.open(choices);
}

void snapshot(World& world, Choices&) {
  world.take_snapshot();
}

void archive(World& world, Choices&) {
  world.archive();
}

void backup(World& world, Choices& choices) {
  world.back_up(choices);
}

void drop(World& world, Choices& choices) {
  world.drop_segments(choices);
}

void restore(World& world, Choices& choices) {
  world.restore(choices);
}

// ---- the table ----------------------------------------------------------------------------------------------------

constexpr std::array<ActionEntry, kind_count> table = {{
    {Kind::schedule, "schedule", 130, ask<Kind::schedule>},
    {Kind::claim, "claim", 90, ask<Kind::claim>},
    {Kind::renew, "renew", 25, ask<Kind::renew>},
    {Kind::complete, "complete", 60, ask<Kind::complete>},
    {Kind::fail, "fail", 40, ask<Kind::fail>},
    {Kind::snooze, "snooze", 15, ask<Kind::snooze>},
    {Kind::release, "release", 15, ask<Kind::release>},
    {Kind::cancel, "cancel", 20, ask<Kind::cancel>},
    {Kind::reschedule, "reschedule", 15, ask<Kind::reschedule>},
    {Kind::retry, "retry", 15, ask<Kind::retry>},
    {Kind::pause, "pause", 5, ask<Kind::pause>},
    {Kind::resume, "resume", 8, ask<Kind::resume>},
    {Kind::join, "join", 8, ask<Kind::join>},
    {Kind::leave, "leave", 5, ask<Kind::leave>},
    {Kind::configure, "configure", 5, ask<Kind::configure>},
    {Kind::adopt, "adopt", 2, ask<Kind::adopt>},
    {Kind::expire, "expire", 5, ask<Kind::expire>},
    {Kind::raise_level, "raise_level", 8, ask<Kind::raise_level>},
    {Kind::doubt_clock, "doubt_clock", 3, ask<Kind::doubt_clock>},
    {Kind::confirm_clock, "confirm_clock", 10, ask<Kind::confirm_clock>},
    {Kind::recur, "recur", 40, ask<Kind::recur>},
    {Kind::batch, "batch", 40, batch},
    {Kind::wait_for_claim, "wait_for_claim", 20, wait_for_claim},
    {Kind::repeat, "repeat", 45, repeat},
    {Kind::look, "look", 10, look},
    {Kind::forget, "forget", 5, forget},
    {Kind::withdraw, "withdraw", 5, withdraw},
    {Kind::step, "step", 220, step},
    {Kind::restart, "restart", 12, restart},
    {Kind::reboot, "reboot", 8, reboot},
    {Kind::pass, "pass", 60, pass},
    {Kind::suspend, "suspend", 6, suspend},
    {Kind::jump, "jump", 10, jump},
    {Kind::kill, "kill", 25, kill},
    {Kind::lose_power, "lose_power", 35, lose_power},
    {Kind::kill_soon, "kill_soon", 40, kill_soon},
    {Kind::lose_power_soon, "lose_power_soon", 90, lose_power_soon},
    {Kind::fail_soon, "fail_soon", 10, fail_soon},
    {Kind::hinder, "hinder", 6, hinder},
    {Kind::err, "err", 8, err},
    {Kind::lie, "lie", 4, lie},
    {Kind::shorten, "shorten", 4, shorten},
    {Kind::fill, "fill", 6, fill},
    {Kind::calm, "calm", 30, calm},
    {Kind::damage, "damage", 6, damage},
    {Kind::drop_index, "drop_index", 2, drop_index},
    {Kind::index_err, "index_err", 8, index_err},
    {Kind::snapshot, "snapshot", 10, snapshot},
    {Kind::archive, "archive", 10, archive},
    {Kind::backup, "backup", 6, backup},
    {Kind::drop, "drop", 24, drop},
    {Kind::restore, "restore", 8, restore},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kind_count; ++i) {
    if (static_cast<std::size_t>(table.at(i).kind) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

const std::array<ActionEntry, kind_count>& action_table() {
  return table;
}

}  // namespace daybook::simulation
