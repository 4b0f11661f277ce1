// SPDX-License-Identifier: Apache-2.0

// The demonstration: hashes every file below a folder, as jobs; is killed half way; finishes; and proves it.
// A parent watches; two children in turn own the book, the first of which dies by SIGKILL.
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <daybook/core/describe.hpp>
#include <daybook/core/escape.hpp>
#include <daybook/daybook.hpp>
#include <daybook/log/log_reader.hpp>
#include <daybook/replay/replay.hpp>
#include <daybook/system/posix_storage.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::uint32_t slots = 8;

// Shared with the children: what the progress bar shows.
struct Board {
  std::atomic<std::uint64_t> scheduled = 0;
  std::atomic<std::uint64_t> hashed = 0;
};

std::string sha256_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::array<char, 65536> buffer;
  while (file.read(buffer.data(), buffer.size()), file.gcount() > 0) {
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  std::array<unsigned char, 32> digest;
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  std::string hex;
  for (const unsigned char byte : digest) {
    std::array<char, 3> digits;
    std::snprintf(digits.data(), digits.size(), "%02x", byte);
    hex += digits.data();
  }
  return hex;
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error), end;
       entry != end; entry.increment(error)) {
    if (entry->is_regular_file(error) && !entry->is_symlink(error) && ::access(entry->path().c_str(), R_OK) == 0) {
      files.push_back(entry->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void must(const daybook::Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().sentence);
}

void schedule_everything(daybook::Daybook& book, const std::vector<std::string>& files, Board& board) {
  for (std::size_t from = 0; from < files.size(); from += 1000) {
    daybook::Submission batch;
    for (std::size_t i = from; i < std::min(files.size(), from + 1000); ++i) {
      batch.commands.emplace_back(daybook::Schedule{.queue = "files", .kind = "hash", .payload = files[i]});
    }
    const auto count = batch.commands.size();
    must(book.execute(std::move(batch)).map([](const auto&) {}));
    board.scheduled += count;
  }
  must(book.schedule({.queue = "files", .kind = "later", .due = daybook::after(3s)}).map([](auto) {}));
  must(book.schedule({.queue = "files",
                      .kind = "flaky",
                      .retry = {.backoff = daybook::RetryPolicy::Backoff::fixed, .first = 200ms, .cap = 1s}})
           .map([](auto) {}));
  must(book.schedule({.queue = "files", .kind = "hopeless", .retry = {.first = 100ms, .cap = 1s, .max_attempts = 3}})
           .map([](auto) {}));
}

// One life of the service: opens the book, works until nothing is left. The first life schedules everything, and is
// killed when the board shows `kill_at`; the second has none.
int serve(const fs::path& directory, const std::vector<std::string>& files, std::uint64_t kill_at, Board& board) {
  auto book = daybook::Daybook::open(directory, {.actor = "demo"});
  if (kill_at != 0) schedule_everything(book, files, board);
  auto worker = book.work({.queues = {"files"}, .slots = slots});
  worker.on("hash", [&](daybook::Attempt& attempt) {
    auto hash = sha256_of(std::string(attempt.job().payload.bytes()));
    board.hashed += 1;
    // From here to the kill a job stays in hand, so that there is one to lose, however fast the machine is.
    while (kill_at != 0 && board.hashed >= kill_at) ::pause();
    return daybook::done(std::move(hash));
  });
  worker.on("later", [](daybook::Attempt&) { return daybook::done("on time"); });
  worker.on("flaky", [](daybook::Attempt& attempt) {
    return attempt.job().attempt < 3 ? daybook::retry("not today", "transient") : daybook::done("third time lucky");
  });
  worker.on("hopeless", [](daybook::Attempt&) -> daybook::Verdict { throw std::runtime_error("it never works"); });
  must(worker.start());
  worker.run_until_empty();
  worker.stop();
  book.close();
  return 0;
}

void draw(const std::string& label, std::uint64_t done, std::uint64_t total) {
  done = std::min(done, total);  // what was claimed twice is counted once
  constexpr std::uint64_t width = 40;
  const auto filled = total == 0 ? 0 : std::min(width, done * width / total);
  std::cerr << "\r  " << label << " [" << std::string(filled, '#') << std::string(width - filled, '.') << "] " << done
            << " of " << total << "   " << std::flush;
}

// Runs one life in a child and watches it; kills it when the board shows `kill_at`. Returns the wait status.
int watch(const fs::path& directory, const std::vector<std::string>& files, std::uint64_t kill_at, Board& board) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      std::_Exit(serve(directory, files, kill_at, board));
    } catch (const std::exception& error) {
      std::cerr << "\ndemo: " << error.what() << "\n";
      std::_Exit(1);
    }
  }
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    const bool scheduling = kill_at != 0 && board.scheduled < files.size();
    draw(scheduling ? "scheduling" : "hashing   ", scheduling ? board.scheduled : board.hashed, files.size());
    if (kill_at != 0 && board.hashed >= kill_at) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      break;
    }
    const timespec pause{0, 2'000'000};
    ::nanosleep(&pause, nullptr);
  }
  draw("hashing   ", std::min<std::uint64_t>(board.hashed, files.size()), files.size());
  std::cerr << "\n";
  return status;
}

void print_history(const daybook::LogReader& reader, const daybook::View& view, daybook::Sequence job) {
  for (const auto& recorded : daybook::history(daybook::events_of(reader), job)) {
    std::cout << "    #" << recorded.sequence.value() << "  " << daybook::to_string(recorded.wall) << "  "
              << type_name(recorded.event) << "  " << describe(recorded, &view) << "\n";
  }
}

// What the log says, checked against the files themselves.
bool report(const fs::path& directory) {
  const auto storage = daybook::PosixStorage::open(directory, daybook::Access::read_only);
  const daybook::LogReader reader(*storage);
  const auto events = daybook::events_of(reader);
  const daybook::State state = daybook::rebuild(events, reader.head().sequence);

  std::map<daybook::Sequence, std::uint32_t> claims;
  std::map<daybook::Sequence, std::string> why;
  events(daybook::Sequence(1), [&](const daybook::RecordedEvent& recorded) {
    if (const auto* claimed = std::get_if<daybook::JobClaimed>(&recorded.event)) claims[claimed->job.sequence] += 1;
    if (const auto* expired = std::get_if<daybook::LeaseExpired>(&recorded.event)) {
      why[expired->job.sequence] = to_string(expired->reason);
    }
    return true;
  });

  std::uint64_t right = 0;
  std::uint64_t wrong = 0;
  std::vector<daybook::Sequence> twice;
  std::map<std::string, daybook::JobInfo> others;
  const daybook::Moment now{};
  state.each_job([&](const daybook::Job& job) {
    auto info = job_info(job, state, now);
    if (info.kind != "hash") {
      others[info.kind] = std::move(info);
      return;
    }
    const bool good =
        info.phase == daybook::Phase::completed && info.result.bytes() == sha256_of(std::string(info.payload.bytes()));
    good ? ++right : ++wrong;
    if (claims[job.id.sequence] > 1) twice.push_back(job.id.sequence);
  });

  std::cout << "\nWhat the book says\n"
            << "  files hashed, checked anew   " << right << " right, " << wrong << " missing or wrong\n"
            << "  claimed twice                " << twice.size() << "\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(twice.size(), slots); ++i) {
    const daybook::Job& job = *state.job(twice[i]);
    std::cout << "    " << to_string(job.id) << "  " << (why.contains(twice[i]) ? why[twice[i]] : "no reason found")
              << "  " << daybook::escaped(job.spec->payload.bytes()) << "\n";
  }
  for (const auto& [kind, info] : others) {
    std::cout << "  job \"" << kind << "\"" << std::string(23 - std::min<std::size_t>(23, kind.size() + 6), ' ')
              << "       " << to_string(info.phase) << " at attempt " << info.attempt;
    if (!info.result.empty()) std::cout << ", " << info.result.bytes();
    if (!info.error.empty()) std::cout << ", last error: " << info.error.bytes();
    std::cout << "\n";
  }
  if (!twice.empty()) {
    std::cout << "\nThe life of job " << to_string(state.job(twice.front())->id)
              << ", in hand when the process was killed\n";
    print_history(reader, state, twice.front());
  }
  std::cout << "\nThe life of the job that failed twice\n";
  print_history(reader, state, others.at("flaky").id.sequence);

  const daybook::LogVerdict verdict = daybook::verify_log(*storage);
  const bool verified = verdict.kind == daybook::LogVerdict::Kind::clean_end;
  std::cout << "\nThe log verifies: " << (verified ? "yes" : "NO") << ", " << verdict.events << " events in "
            << verdict.batches << " synced batches, " << verdict.segments.size() << " segments\n";
  if (!verified) std::cout << "  " << verdict.message << "\n";
  return wrong == 0 && verified && others.at("later").phase == daybook::Phase::completed &&
         others.at("flaky").phase == daybook::Phase::completed && others.at("hopeless").phase == daybook::Phase::dead;
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = argc > 1 ? argv[1] : "/usr/include";
  const auto files = files_below(folder);
  if (files.empty()) {
    std::cerr << "demo: no readable file below " << folder << "; name another folder: ./dev demo FOLDER\n";
    return 2;
  }
  std::string directory = (fs::temp_directory_path() / "daybook-demo-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) {
    std::perror("demo: cannot make a directory");
    return 1;
  }
  const fs::path book = fs::path(directory) / "book";
  void* shared = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    std::perror("demo: cannot share memory");
    return 1;
  }
  Board& board = *new (shared) Board;

  std::cout << "Hashing " << files.size() << " files below " << folder.string() << ", a job each, " << slots
            << " workers\n"
            << "The book is " << book.string()
            << "\n\nFirst life: schedules everything, is killed with SIGKILL half way\n"
            << std::flush;
  int status = watch(book, files, std::max<std::uint64_t>(1, files.size() / 2), board);
  if (!WIFSIGNALED(status)) {
    std::cerr << "demo: the first process ended before it could be killed\n";
    return 1;
  }
  std::cout << "Second life: opens the same directory, finishes\n" << std::flush;
  status = watch(book, files, 0, board);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::cerr << "demo: the second process failed\n";
    return 1;
  }
  try {
    const bool good = report(book);
    std::cout << (good ? "\nNothing was lost." : "\nSomething is missing, see above.") << " Look around:\n"
              << "  build/release/daybook --dir " << book.string() << " stat\n"
              << "  build/release/daybook --dir " << book.string() << " log --until 20\n"
              << "  build/release/daybook --dir " << book.string() << " verify --index\n";
    return good ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "demo: " << error.what() << "\n";
    return 1;
  }
}
