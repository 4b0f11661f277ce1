// SPDX-License-Identifier: Apache-2.0

// What groups cost, and how long they wait: the tables of docs/fairness.md. fairness [JOBS], a million unless said. No log and no
// sync: rules and index alone, with time that the program moves.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/execute.hpp"
#include "daybook/projections/job_index.hpp"

namespace {

using namespace daybook;
using namespace std::chrono_literals;
using Stopwatch = std::chrono::steady_clock;

constexpr int small_groups = 100;
constexpr int small_jobs = 10;
constexpr std::size_t project_every = 8192;  // changed entities, as the engine does

/// A book in an index on disk, and the commands of its life.
class IndexedBook {
 public:
  IndexedBook() {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    index_ = JobIndex::create(path_ + "/index", boot_, State(), {log_, Sequence(0), {}});
    BookOpened opening;
    opening.epoch = Epoch(1);
    GenerationBegun begun;
    begun.generation = {1, GenerationTag(7)};
    ask({OpenBook{opening}, BeginGeneration{begun}, RaiseFeatureLevel{}});
  }
  ~IndexedBook() {
    index_.reset();
    std::filesystem::remove_all(path_);
  }
  IndexedBook(const IndexedBook&) = delete;
  IndexedBook& operator=(const IndexedBook&) = delete;

  std::vector<Answer> ask(std::vector<Command> commands) {
    Outcome outcome = execute(*index_, Submission{.commands = std::move(commands)}, now_, Bounds());
    if (!outcome.answers) {
      std::fprintf(stderr, "refused: %s\n", outcome.answers.error().sentence.c_str());
      std::exit(1);
    }
    if (index_->unprojected() > project_every) project();
    return std::move(*outcome.answers);
  }
  void project() { index_->project({log_, index_->book().head, {}}, now_); }
  /// Behind it, only LMDB knows what waits.
  void reopen() {
    project();
    index_->close();
    index_.reset();
    IndexDistrust distrust;
    index_ = JobIndex::open(path_ + "/index", log_, boot_, distrust);
    if (!index_) {
      std::fprintf(stderr, "not opened: %s\n", distrust.why.c_str());
      std::exit(1);
    }
  }

  void schedule(const std::string& group, std::size_t count, When due = {}) {
    while (count > 0) {
      std::vector<Command> batch;
      for (std::size_t i = std::min<std::size_t>(count, 1000); i > 0; --i, --count) {
        batch.emplace_back(Schedule{.queue = "q", .kind = "k", .payload = "p", .due = due, .group = group});
      }
      ask(std::move(batch));
    }
  }
  std::vector<ClaimedJob> claim(std::uint32_t count = 1) {
    auto answers = ask({Claim{.queues = {"q"}, .worker = "w", .lease = 1h, .count = count}});
    return std::move(std::get<Claimed>(answers.front()).jobs);
  }
  void complete(const std::vector<ClaimedJob>& jobs) {
    std::vector<Command> batch;
    for (const ClaimedJob& job : jobs) batch.emplace_back(Complete{job.id, job.token, {}});
    if (!batch.empty()) ask(std::move(batch));
  }
  void pass(Duration by) {
    now_.wall += by;
    now_.boot += by;
    now_.book += by;
  }
  [[nodiscard]] const Moment& now() const { return now_; }
  [[nodiscard]] const View& view() const { return *index_; }

 private:
  static Uuid uuid(std::uint8_t byte) {
    Uuid uuid;
    uuid.bytes.fill(byte);
    return uuid;
  }

  std::string path_ = (std::filesystem::temp_directory_path() / "daybook-fairness-XXXXXX").string();
  Uuid log_ = uuid(1);
  Uuid boot_ = uuid(2);
  Moment now_{Instant(1'772'625'600s), BootTime(1h), BookTime(1h), 0};
  std::unique_ptr<JobIndex> index_;
};

double micros_since(Stopwatch::time_point start) {
  return std::chrono::duration<double, std::micro>(Stopwatch::now() - start).count();
}

double percentile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

std::string small_name(int number) {
  return "small-" + std::to_string(number);
}

// ---- waits

/// The starts that went before each start of somebody small: first and last of each of them.
void print_waits(std::size_t crowd, bool in_groups) {
  IndexedBook book;
  book.schedule(in_groups ? "crowd" : "", crowd);
  std::map<Sequence, int> owners;
  for (int number = 0; number < small_groups; ++number) {
    const Sequence before = book.view().book().head;
    book.schedule(in_groups ? small_name(number) : "", small_jobs);
    for (std::uint64_t id = before.value() + 1; id <= book.view().book().head.value(); ++id)
      owners[Sequence(id)] = number;
  }
  std::vector<std::pair<double, double>> waits(small_groups, {-1, -1});  // of the first, of the last
  std::size_t starts = 0;
  std::size_t missing = static_cast<std::size_t>(small_groups) * small_jobs;
  while (missing > 0) {
    const auto jobs = book.claim(100);
    for (const ClaimedJob& job : jobs) {
      const auto owner = owners.find(job.id.sequence);
      if (owner != owners.end()) {
        auto& [first, last] = waits[static_cast<std::size_t>(owner->second)];
        if (first < 0) first = static_cast<double>(starts);
        last = static_cast<double>(starts);
        --missing;
      }
      ++starts;
    }
    book.complete(jobs);
  }
  std::vector<double> first;
  std::vector<double> last;
  for (const auto& [one, other] : waits) {
    first.push_back(one);
    last.push_back(other);
  }
  std::printf("| %s | %.0f | %.0f | %.0f | %.0f |\n", in_groups ? "each in a group of its own" : "no groups",
              percentile(first, 0.5), percentile(first, 1), percentile(last, 0.5), percentile(last, 1));
}

// ---- costs

void print_cost(const std::string& what, int claims, const std::function<void(IndexedBook&)>& fill) {
  IndexedBook book;
  fill(book);
  book.reopen();
  const auto opened = Stopwatch::now();
  book.complete(book.claim());
  const double first = micros_since(opened);
  std::vector<double> costs;
  for (int i = 0; i < claims; ++i) {
    const auto start = Stopwatch::now();
    const auto jobs = book.claim();
    costs.push_back(micros_since(start));
    book.complete(jobs);
  }
  std::printf("| %s | %.1f | %.1f | %.0f |\n", what.c_str(), percentile(costs, 0.5), percentile(costs, 0.99), first);
}

void print_costs(std::size_t jobs) {
  const int most = static_cast<int>(std::min<std::size_t>(jobs / 2, 20'000));
  const std::string million = std::to_string(jobs);
  print_cost("30,000 jobs without a group", most, [](IndexedBook& book) { book.schedule("", 30'000); });
  print_cost(million + " jobs without a group", most, [&](IndexedBook& book) { book.schedule("", jobs); });
  print_cost(million + " of one group beside 100 groups of 10", most, [&](IndexedBook& book) {
    book.schedule("crowd", jobs);
    for (int number = 0; number < small_groups; ++number) book.schedule(small_name(number), small_jobs);
  });
  print_cost(million + " groups of one job each", most, [&](IndexedBook& book) {
    for (std::size_t number = 0; number < jobs; ++number) book.schedule("g" + std::to_string(number), 1);
  });
  print_cost("10,000 groups at a limit beside one that is not", 100, [](IndexedBook& book) {
    book.ask({SetLimits{.queue = "q", .running_per_group = 1}});
    for (int number = 0; number < 10'000; ++number) book.schedule("g" + std::to_string(number), 2);
    book.claim(10'000);
    book.schedule("open", 1000);
  });
}

// ---- a herd

void print_herd(std::size_t jobs) {
  constexpr std::uint32_t claim_count = 100;
  IndexedBook book;
  const Instant due = book.now().wall + 1h;
  book.schedule("", jobs, at(due));
  book.reopen();
  book.pass(1h);
  std::vector<double> steps;
  const auto start = Stopwatch::now();
  std::size_t started = 0;
  while (started < jobs) {
    const auto step = Stopwatch::now();
    const auto claimed = book.claim(claim_count);
    if (claimed.empty()) break;
    started += claimed.size();
    book.complete(claimed);
    steps.push_back(micros_since(step));
  }
  std::printf(
      "herd: %zu jobs due at once, started and completed in claims of %u: %.1f s, %.2f us a job; a step: median %.2f "
      "ms, "
      "longest %.2f ms\n",
      started, claim_count, micros_since(start) / 1e6, micros_since(start) / static_cast<double>(started),
      percentile(steps, 0.5) / 1e3, percentile(steps, 1) / 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::size_t jobs = argc > 1 ? std::stoull(argv[1]) : 1'000'000;
  std::printf(
      "| %zu jobs beside 100 times 10 | first of ten: median | worst | last of ten: median | worst "
      "|\n|---|---:|---:|---:|---:|\n",
      jobs);
  print_waits(jobs, false);
  print_waits(jobs, true);
  std::printf("\n| due and waiting | a claim: median us | 99 %% | the first after opening |\n|---|---:|---:|---:|\n");
  print_costs(jobs);
  std::printf("\n");
  print_herd(jobs);
}
