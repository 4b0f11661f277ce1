// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every verb of the tool, by the file that holds it. Each adds its options and its action to the tool.

#include "verb.hpp"

namespace daybook::cli {

void add_schedule(Tool& tool);        // schedule.cpp
void add_claim(Tool& tool);           // claim.cpp
void add_outcomes(Tool& tool);        // outcomes.cpp: renew complete fail snooze release
void add_work(Tool& tool);            // work.cpp
void add_upgrade(Tool& tool);         // upgrade.cpp
void add_operate(Tool& tool);         // operate.cpp: cancel retry reschedule move pause resume adopt
void add_cron(Tool& tool);            // cron.cpp
void add_recurring(Tool& tool);       // recurring.cpp: recurring list show pause resume run-now backfill remove …
void add_recurring_add(Tool& tool);   // recurring_add.cpp: … and recurring add
void add_import_crontab(Tool& tool);  // import_crontab.cpp
void add_limits(Tool& tool);          // limits.cpp: limits weight
void add_on_dead(Tool& tool);         // on_dead.cpp: on-dead
void add_jobs(Tool& tool);            // jobs.cpp: jobs job
void add_wait(Tool& tool);            // wait.cpp
void add_log(Tool& tool);             // log.cpp
void add_state(Tool& tool);           // state.cpp
void add_retention(Tool& tool);       // retention.cpp
void add_stat(Tool& tool);            // stat.cpp
void add_clock(Tool& tool);           // clock.cpp: clock confirm-clock
void add_verify(Tool& tool);          // verify.cpp
void add_replay(Tool& tool);          // replay.cpp
void add_rebuild(Tool& tool);         // rebuild.cpp
void add_snapshot(Tool& tool);        // snapshot.cpp
void add_segments(Tool& tool);        // segments.cpp: segments archive drop
void add_backup(Tool& tool);          // backup.cpp
void add_salvage(Tool& tool);         // salvage.cpp
void add_metrics(Tool& tool);         // metrics.cpp
void add_holds(Tool& tool);           // holds.cpp: hold holds unhold

}  // namespace daybook::cli
