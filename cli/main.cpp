// SPDX-License-Identifier: Apache-2.0
// The tool `daybook`: its verbs, and how each kind of trouble ends a run.
#include <sys/statvfs.h>

#include <cerrno>
#include <exception>
#include <string>

#include "daybook/core/error.hpp"
#include "exit.hpp"
#include "output.hpp"
#include "verb.hpp"
#include "verbs.hpp"

namespace {

using namespace daybook;
using namespace daybook::cli;

void add_verbs(Tool& tool) {
  tool.group("jobs");
  add_schedule(tool);
  add_jobs(tool);
  add_wait(tool);
  add_cron(tool);
  tool.group("workers");
  add_work(tool);
  add_claim(tool);
  add_outcomes(tool);
  tool.group("recurring schedules");
  add_recurring(tool);
  add_import_crontab(tool);
  tool.group("operators");
  add_operate(tool);
  add_retention(tool);
  add_limits(tool);
  add_on_dead(tool);
  add_holds(tool);
  add_upgrade(tool);
  tool.group("the record");
  add_log(tool);
  add_state(tool);
  add_stat(tool);
  add_metrics(tool);
  add_clock(tool);
  add_verify(tool);
  add_replay(tool);
  add_snapshot(tool);
  add_rebuild(tool);
  add_backup(tool);
  add_segments(tool);
  add_salvage(tool);
}

int ended(const Tool& tool, const std::string& what, Exit code) {
  const std::string& verb = tool.common().verb;
  tell("daybook" + (verb.empty() ? "" : " " + verb) + ": " + what);
  return static_cast<int>(code);
}

/// Bytes of a newer release, or of something else, are no damage: nothing is lost, the wrong thing was asked.
Exit exit_for(const CorruptionError& error) {
  const bool whole_directory = !error.place().offset && !error.place().sequence;
  const bool undamaged =
      error.damage() == Damage::unknown_format || (error.damage() == Damage::foreign && whole_directory);
  return undamaged ? Exit::refused : Exit::damage;
}

/// The errno of a full disk is not always ENOSPC: a database that wrote less than it wanted says that I/O failed.
std::string room_left(const Tool& tool, const StorageError& error) {
  constexpr std::uint64_t kTooLittle = 4 * 1024 * 1024;  // an empty book takes about as much
  struct statvfs disk {};
  const bool may_be = error.error_number() == ENOSPC || error.error_number() == EDQUOT || error.error_number() == EIO;
  if (!may_be || ::statvfs(tool.common().directory.c_str(), &disk) != 0) return {};
  const std::uint64_t left = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  return left > kTooLittle ? std::string()
                           : ". The disk is full (" + size_text(left) + " left): make room, and try again";
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool;
  try {
    add_verbs(tool);
    const int code = tool.run(argc, argv);
    finish_output();
    return code;
  } catch (const UsageError& error) {
    return ended(tool, error.what(), Exit::usage);
  } catch (const RefusedError& error) {
    return ended(tool, error.what(), Exit::refused);
  } catch (const CorruptionError& error) {
    return ended(tool, error.what(), exit_for(error));
  } catch (const StorageError& error) {
    return ended(tool, error.what() + room_left(tool, error), Exit::refused);
  } catch (const std::exception& error) {
    return ended(tool, error.what(), Exit::refused);
  }
}
