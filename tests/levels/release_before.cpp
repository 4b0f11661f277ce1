// SPDX-License-Identifier: Apache-2.0

// What the release before does with a book: opens it, schedules a job, claims and completes what is due, and closes it. Says
// "opened" and the new job's sequence on standard output, or "refused" and what it found, and exits with 3.

#include <cstdio>
#include <string>
#include <vector>

#include "daybook/core/apply.hpp"
#include "daybook/core/execute.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/system/posix_storage.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"

static_assert(daybook::limits::feature_level_highest == 1);

namespace {

using namespace daybook;

class OpenedBook {
 public:
  explicit OpenedBook(const char* directory) : storage_(PosixStorage::open(directory, Access::read_write)) {
    lock_ = storage_->lock("the release before");
    log_ = SegmentLog::open(*storage_, clock_, random_, {}, found_);
    log_->read(Sequence(1), [&](const RecordedEvent& recorded) {
      apply(state_, recorded);
      return true;
    });
    BookOpened opened;
    opened.epoch = found_.epoch;
    opened.tail = found_.tail;
    opened.boot_id = clock_.boot_id();
    opened.new_boot = opened.boot_id != state_.book().boot_id;
    opened.book_offset = state_.book().book_offset;
    opened.release = "0.1.0";
    submit({OpenBook{opened}});
  }

  std::vector<Answer> submit(std::vector<Command> commands) {
    const BootTime boot = clock_.boot();
    const Moment now{clock_.wall(), boot, state_.book().book_time(boot), random_.next()};
    const Outcome outcome = execute(state_, {std::move(commands), {}}, now, {});
    encoder_.clear();
    for (const RecordedEvent& recorded : outcome.events) encoder_.add(recorded);
    const auto result = log_->append(log_->epoch(), log_->tail(), encoder_.batch(), Room::ordinary);
    if (!std::holds_alternative<Committed>(result) || !outcome.answers) throw std::runtime_error("not appended");
    return *outcome.answers;
  }

  void close() {
    submit({CloseBook{}});
    log_->close();
  }

 private:
  std::unique_ptr<PosixStorage> storage_;
  Locked lock_;
  SystemClock clock_;
  SystemRandom random_;
  LogOpening found_;
  std::unique_ptr<SegmentLog> log_;
  State state_;
  BatchEncoder encoder_;
};

}  // namespace

int main(int, char** argv) {
  try {
    OpenedBook book(argv[1]);
    const auto answers = book.submit({Schedule{.queue = "before", .kind = "k", .payload = Envelope("old")}});
    const auto claimed = book.submit({Claim{.queues = {"before"}, .worker = "w", .count = 1}});
    for (const ClaimedJob& job : std::get<Claimed>(claimed.front()).jobs) book.submit({Complete{job.id, job.token}});
    book.close();
    std::printf("opened %s\n", to_string(std::get<Scheduled>(answers.front()).job).c_str());
    return 0;
  } catch (const CorruptionError& error) {
    std::printf("refused %s: %s\n", std::string(to_string(error.damage())).c_str(), error.what());
    return 3;
  }
}
