// SPDX-License-Identifier: Apache-2.0
// What archiving and dropping a segment of the largest size costs and saves: archive DIRECTORY (which must not exist yet).
// The events are those of jobs that are scheduled, claimed and completed, eight a batch, with payloads of about 200 bytes.
#include "daybook/log/archive.hpp"

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>

#include "daybook/core/execute.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/system/posix_storage.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"

namespace {

using namespace daybook;

constexpr int jobs_a_batch = 8;

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Life {
 public:
  Life(SegmentLog& log, Clock& clock, Random& random) : log_(log), clock_(clock), random_(random) {
    GenerationBegun begun;
    begun.generation = {1, GenerationTag(7)};
    BookOpened opening;
    opening.epoch = log.epoch();
    take({{OpenBook{opening}, BeginGeneration{begun}}, {}});
  }

  void cycle() {
    Submission scheduled{{}, {}};
    for (int i = 0; i < jobs_a_batch; ++i) {
      const std::string number = std::to_string(random_.next());
      Schedule job{.queue = "mail", .kind = "welcome"};
      job.payload = R"({"to":"customer-)" + number +
                    R"(@example.org","template":"welcome-2026","locale":"de","order":)" +
                    std::to_string(random_.next() % 1'000'000) + R"(,"items":[{"sku":"A-)" + number.substr(0, 6) +
                    R"(","count":2}],"trace":"00-)" + number + R"(-01"})";
      scheduled.commands.emplace_back(std::move(job));
    }
    take(scheduled);
    const auto claimed = take({{Claim{.queues = {"mail"}, .worker = "mailer-1", .count = jobs_a_batch}}, {}});
    Submission done{{}, {}};
    for (const ClaimedJob& job : std::get<Claimed>(claimed.front()).jobs) {
      done.commands.emplace_back(Complete{job.id, job.token});
    }
    take(done);
  }

 private:
  std::vector<Answer> take(const Submission& submission) {
    Moment now;
    now.wall = clock_.wall();
    now.boot = clock_.boot();
    now.book = state_.book().book_time(now.boot);
    now.chance = random_.next();
    const Outcome outcome = execute(state_, submission, now, {});
    encoder_.clear();
    for (const RecordedEvent& event : outcome.events) encoder_.add(event);
    static_cast<void>(log_.append(log_.epoch(), log_.tail(), encoder_.batch(), Room::reserve));
    return *outcome.answers;
  }

  SegmentLog& log_;
  Clock& clock_;
  Random& random_;
  State state_;
  BatchEncoder encoder_;
};

void read_through(Storage& storage, Sequence until) {
  LogReader(storage).read(Sequence(1), [&](const RecordedEvent& event) { return event.sequence < until; });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("archive DIRECTORY\n", stderr);
    return 2;
  }
  const auto storage = PosixStorage::open(argv[1], Access::create);
  SystemClock clock;
  SystemRandom random;
  LogOpening opening;
  LogOptions options;
  options.segment_bytes_min = options.segment_bytes_max;
  options.feature_level = archives_feature_level;
  auto log = SegmentLog::create(*storage, clock, random, options, opening);
  Life life(*log, clock, random);
  while (list_segments(*storage).size() < 2) {
    for (int i = 0; i < 500; ++i) life.cycle();
  }
  const Sequence all(UINT64_MAX);
  const Sequence last = list_segments(*storage).front().last;
  const double plain = seconds([&] { read_through(*storage, last); });
  std::optional<SegmentMoved> moved;
  const double archiving = seconds([&] { moved = archive_next(*storage, all); });
  const double archived = seconds([&] { read_through(*storage, last); });
  std::printf("events                 %llu\n", static_cast<unsigned long long>(last.value()));
  std::printf("segment                %.1f MiB\n", static_cast<double>(moved->bytes_before) / 1048576);
  std::printf("archive                %.1f MiB, 1 : %.1f\n", static_cast<double>(moved->bytes_after) / 1048576,
              static_cast<double>(moved->bytes_before) / static_cast<double>(moved->bytes_after));
  std::printf("archiving              %.2f s\n", archiving);
  std::printf("reading, plain         %.2f s\n", plain);
  std::printf("reading, archived      %.2f s\n", archived);
  const double dropping = seconds([&] { moved = drop_next(*storage, all); });
  std::printf("stub                   %.1f MiB\n", static_cast<double>(moved->bytes_after) / 1048576);
  std::printf("dropping the archive   %.2f s\n", dropping);
  log->close();
}
