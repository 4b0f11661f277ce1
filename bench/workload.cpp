// SPDX-License-Identifier: Apache-2.0

// The workload driver: what a job costs, durably, on this machine and this disk. One JSON object a line. Beside every figure stands
// the floor measured in the same run: the same number of bytes, in as many writes, each followed by fdatasync, on the
// same file system, with no index and no rules. Wall time on a shared machine is noisy: quote the ratio.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "daybook/daybook.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/system/posix_storage.hpp"

namespace {

using namespace std::chrono_literals;
using daybook::Daybook;
using nlohmann::json;
using Seconds = std::chrono::duration<double>;
using Stopwatch = std::chrono::steady_clock;

const std::string payload(64, 'p');

struct Sample {
  double seconds = 0;
  std::vector<double> latencies_us;  // of single calls; may be empty
};

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

// A folder that goes with the run, on the file system that is measured.
class Folder {
 public:
  explicit Folder(const std::string& parent) : path_(parent + "/daybook-bench-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// `writes` times: pwrite of `bytes` and fdatasync, into an allocated file.
Sample floor_of(const std::string& folder, std::uint64_t writes, std::uint64_t bytes) {
  const std::string name = folder + "/floor";
  const int file = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 ||
      ::posix_fallocate(file, 0, static_cast<off_t>(std::min<std::uint64_t>(writes * bytes + 1, 1u << 30))) != 0) {
    throw std::runtime_error("cannot allocate " + name);
  }
  const std::string block(bytes, 'f');
  Sample sample;
  off_t offset = 0;
  const auto begin = Stopwatch::now();
  for (std::uint64_t i = 0; i < writes; ++i) {
    const auto start = Stopwatch::now();
    if (::pwrite(file, block.data(), bytes, offset) != static_cast<ssize_t>(bytes) || ::fdatasync(file) != 0) {
      throw std::runtime_error("cannot write " + name);
    }
    offset += static_cast<off_t>(bytes);
    sample.latencies_us.push_back(std::chrono::duration<double, std::micro>(Stopwatch::now() - start).count());
  }
  sample.seconds = Seconds(Stopwatch::now() - begin).count();
  ::close(file);
  std::filesystem::remove(name);
  return sample;
}

// Prints one figure with its costs, and the floor of the same bytes and syncs measured right behind it.
void print(const std::string& name, json facts, const Daybook& book, const daybook::Journal::Costs& before,
           std::uint64_t jobs, Sample sample, const std::string& folder) {
  const auto after = book.stat().costs;
  const std::uint64_t batches = after.batches - before.batches;
  const std::uint64_t bytes = after.bytes - before.bytes;
  Sample floor = floor_of(folder, std::max<std::uint64_t>(1, batches),
                          std::max<std::uint64_t>(1, bytes / std::max<std::uint64_t>(1, batches)));
  facts["name"] = name;
  facts["jobs"] = jobs;
  facts["seconds"] = sample.seconds;
  facts["jobs_per_s"] = static_cast<double>(jobs) / sample.seconds;
  facts["syncs_per_job"] = static_cast<double>(after.syncs - before.syncs) / static_cast<double>(jobs);
  facts["bytes_per_job"] = static_cast<double>(bytes) / static_cast<double>(jobs);
  facts["events_per_batch"] =
      static_cast<double>(after.events - before.events) / static_cast<double>(std::max<std::uint64_t>(1, batches));
  facts["floor_seconds"] = floor.seconds;
  facts["times_floor"] = sample.seconds / floor.seconds;
  if (!sample.latencies_us.empty()) {
    facts["p50_us"] = percentile(sample.latencies_us, 0.5);
    facts["p99_us"] = percentile(sample.latencies_us, 0.99);
    facts["floor_p50_us"] = percentile(floor.latencies_us, 0.5);
    facts["floor_p99_us"] = percentile(floor.latencies_us, 0.99);
    facts["times_floor_p50"] = facts["p50_us"].get<double>() / facts["floor_p50_us"].get<double>();
  }
  std::cout << facts.dump() << std::endl;
}

template <class T>
T must(daybook::Result<T> result) {
  if (!result) throw std::runtime_error("refused: " + result.error().sentence);
  return std::move(*result);
}

// Jobs due in a year, so that the index has something to carry.
void make_pending(Daybook& book, std::uint64_t count) {
  std::uint64_t made = 0;
  while (made < count) {
    daybook::Submission batch;
    for (int i = 0; i < 4000 && made < count; ++i, ++made) {
      const auto due =
          std::chrono::hours(24 * 365) + std::chrono::microseconds((made * 2'654'435'761u) % 1'000'000'000'000u);
      batch.commands.emplace_back(
          daybook::Schedule{.queue = "later",
                            .kind = "k",
                            .payload = payload,
                            .due = daybook::after(std::chrono::duration_cast<daybook::Duration>(due))});
    }
    must(book.execute(std::move(batch)));
    if (made % 100'000 < 4000) std::cerr << "\rpending " << made << " of " << count << std::flush;
  }
  std::cerr << "\n";
}

void durable_schedule(Daybook& book, std::uint32_t callers, std::uint64_t jobs, const std::string& folder) {
  const auto before = book.stat().costs;
  std::vector<Sample> samples(callers);
  const auto begin = Stopwatch::now();
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t c = 0; c < callers; ++c) {
      threads.emplace_back([&, c] {
        for (std::uint64_t i = 0; i < jobs / callers; ++i) {
          const auto start = Stopwatch::now();
          must(book.schedule({.queue = "schedule", .kind = "k", .payload = payload}));
          samples[c].latencies_us.push_back(
              std::chrono::duration<double, std::micro>(Stopwatch::now() - start).count());
        }
      });
    }
  }
  Sample all;
  all.seconds = Seconds(Stopwatch::now() - begin).count();
  for (const Sample& sample : samples) {
    all.latencies_us.insert(all.latencies_us.end(), sample.latencies_us.begin(), sample.latencies_us.end());
  }
  print("durable_schedule", {{"callers", callers}}, book, before, jobs / callers * callers, std::move(all), folder);
}

// Schedule, claim, complete: three durable transitions a job, each a batch of its own.
void full_cycles(Daybook& book, std::uint32_t batch, std::uint64_t jobs, std::uint64_t pending,
                 const std::string& folder) {
  const auto before = book.stat().costs;
  const auto begin = Stopwatch::now();
  for (std::uint64_t done = 0; done < jobs; done += batch) {
    daybook::Submission schedule;
    for (std::uint32_t i = 0; i < batch; ++i) {
      schedule.commands.emplace_back(daybook::Schedule{.queue = "cycle", .kind = "k", .payload = payload});
    }
    must(book.execute(std::move(schedule)));
    const auto claimed = must(book.claim({.queues = {"cycle"}, .worker = "w", .count = batch}));
    if (claimed.size() != batch) throw std::runtime_error("claimed " + std::to_string(claimed.size()));
    daybook::Submission complete;
    for (const auto& job : claimed) complete.commands.emplace_back(daybook::Complete{job.id, job.token});
    must(book.execute(std::move(complete)));
  }
  print("full_cycle", {{"batch", batch}, {"pending", pending}}, book, before, jobs,
        {Seconds(Stopwatch::now() - begin).count(), {}}, folder);
}

void recovery(const std::string& directory) {
  auto timed = [](const std::function<void()>& work) {
    const auto begin = Stopwatch::now();
    work();
    return Seconds(Stopwatch::now() - begin).count();
  };
  json facts{{"name", "recovery"}};
  std::uint64_t events = 0;
  facts["reopen_s"] = timed([&] { events = Daybook::open(directory).opening().head.value(); });
  {
    const auto storage = daybook::PosixStorage::open(directory, daybook::Access::read_only);
    const daybook::LogReader reader(*storage);
    facts["fold_in_memory_s"] =
        timed([&] { static_cast<void>(daybook::rebuild(daybook::events_of(reader), reader.head().sequence)); });
    facts["verify_s"] = timed([&] { static_cast<void>(daybook::verify_log(*storage)); });
  }
  std::filesystem::remove_all(directory + "/index");
  facts["open_with_index_rebuilt_s"] = timed([&] { static_cast<void>(Daybook::open(directory)); });
  facts["events"] = events;
  std::cout << facts.dump() << std::endl;
}

std::uint64_t option(const std::vector<std::string>& arguments, const std::string& name, std::uint64_t otherwise) {
  const auto found = std::find(arguments.begin(), arguments.end(), name);
  return found == arguments.end() || found + 1 == arguments.end() ? otherwise : std::stoull(*(found + 1));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
    std::cout << "usage: workload [--pending N] [--jobs N] [--cycles N]\n"
                 "  --pending N  jobs due in a year that lie in the book meanwhile (default 1000000)\n"
                 "  --jobs N     for durable_schedule (default 20000)\n"
                 "  --cycles N   for full_cycle at batch 256; a tenth at 16, a hundredth at 1 (default 256000)\n"
                 "The book is made in the current directory: run it on the disk that you want to know.\n";
    return 0;
  }
  try {
    const Folder folder(std::filesystem::current_path().string());
    const std::uint64_t pending = option(arguments, "--pending", 1'000'000);
    const std::uint64_t jobs = option(arguments, "--jobs", 20'000);
    const std::uint64_t cycles = option(arguments, "--cycles", 256'000);
    const std::string directory = folder.path() + "/book";
    {
      Daybook book = Daybook::open(directory);
      for (const std::uint32_t callers : {1u, 4u, 16u, 64u}) durable_schedule(book, callers, jobs, folder.path());
      for (const std::uint64_t load : {std::uint64_t(0), pending}) {
        if (load != 0) make_pending(book, load);
        full_cycles(book, 1, cycles / 100, load, folder.path());
        full_cycles(book, 16, cycles / 10 / 16 * 16, load, folder.path());
        full_cycles(book, 256, cycles / 256 * 256, load, folder.path());
        if (pending == 0) break;
      }
    }
    recovery(directory);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "workload: " << error.what() << "\n";
    return 1;
  }
}
