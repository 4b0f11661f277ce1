// SPDX-License-Identifier: Apache-2.0

// Memory runs out, once, at the first, the second, … n-th allocation that our code makes in a small life of a book: the
// process goes on, and a command was done, refused by throwing, or left with an engine that answers nobody any more.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "engine_book.hpp"
#include "support/temp_folder.hpp"

// Counts the allocations of this program, so it has the program to itself.

namespace {
thread_local bool counting = false;       // inside the code under test
thread_local std::uint64_t counted = 0;   // since the program began
thread_local std::uint64_t fails_at = 0;  // the count at which memory runs out; 0: never
}  // namespace

// Not inlined: the compiler would take malloc and delete, side by side, for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (counting && ++counted == fails_at) throw std::bad_alloc();
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace daybook::test {
namespace {

class Counting {
 public:
  explicit Counting(bool whether) : before_(std::exchange(counting, whether)) {}
  ~Counting() { counting = before_; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  bool before_;
};

/// A file of the simulated disk, whose own allocations do not count; and when it was last synced.
class UncountedFile final : public File {
 public:
  UncountedFile(std::unique_ptr<File> file, std::uint64_t& counted_at_sync)
      : file_(std::move(file)), counted_at_sync_(counted_at_sync) {}
  ~UncountedFile() override {
    const Counting off(false);
    file_.reset();
  }
  IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const Counting off(false);
    return file_->read_at(offset, into);
  }
  IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override {
    const Counting off(false);
    return file_->write_at(offset, from);
  }
  int sync_data() override {
    const Counting off(false);
    counted_at_sync_ = counted;
    return file_->sync_data();
  }
  int sync() override {
    const Counting off(false);
    return file_->sync();
  }
  int truncate(std::uint64_t size) override {
    const Counting off(false);
    return file_->truncate(size);
  }
  int allocate(std::uint64_t size) override {
    const Counting off(false);
    return file_->allocate(size);
  }
  int size(std::uint64_t& bytes) override { return file_->size(bytes); }
  int drop_cache() override {
    const Counting off(false);
    return file_->drop_cache();
  }
  int make_read_only() override { return file_->make_read_only(); }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t& counted_at_sync_;
};

class UncountedStorage final : public Storage {
 public:
  Opened open(const std::string& name, OpenMode mode) override {
    const Counting off(false);
    Opened opened = disk.open(name, mode);
    if (opened.file) opened.file = std::make_unique<UncountedFile>(std::move(opened.file), counted_at_sync);
    return opened;
  }
  int list(const std::string& folder, std::vector<std::string>& names) override {
    const Counting off(false);
    return disk.list(folder, names);
  }
  int make_folder(const std::string& folder) override {
    const Counting off(false);
    return disk.make_folder(folder);
  }
  int rename(const std::string& from, const std::string& to) override {
    const Counting off(false);
    return disk.rename(from, to);
  }
  int remove(const std::string& name) override {
    const Counting off(false);
    return disk.remove(name);
  }
  int sync_folder(const std::string& folder) override {
    const Counting off(false);
    return disk.sync_folder(folder);
  }
  int free_bytes(std::uint64_t& bytes) override { return disk.free_bytes(bytes); }
  Locked lock(const std::string& purpose) override { return disk.lock(purpose); }
  std::string describe(const std::string& name) const override { return disk.describe(name); }

  MemoryStorage disk;
  std::uint64_t counted_at_sync = 0;
};

void count_only_our_code(EngineBook& book) {
  book.around = [](const std::function<void()>& call) {
    const Counting on(true);
    call();
  };
}

struct Shortage {
  explicit Shortage(std::uint64_t nth) : at(counted + nth) { fails_at = at; }
  ~Shortage() { fails_at = 0; }
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;
  [[nodiscard]] bool came() const { return counted >= at; }
  const std::uint64_t at;
};

// The life goes on where it can, and ends where it is thrown out.
void live_short_of_memory(EngineBook& book, const Shortage& shortage) {
  bool looked = false;
  book.after_step = [&] {  // the first step after it: memory must not have gone another way than the log
    if (looked || !shortage.came()) return;
    looked = true;
    book.expect_equal_to_replay_or_poisoned();
  };
  try {
    live(book);
  } catch (const std::exception&) {
  }
  book.after_step = [] {};
}

void run_out_everywhere(bool with_index) {
  std::uint64_t nth = 1;
  for (;; ++nth) {
    SCOPED_TRACE("allocation " + std::to_string(nth) + " fails");
    const TempFolder folder(memory_folder());
    UncountedStorage storage;
    EngineBook book(storage, with_index ? folder.path() / "index" : "");
    count_only_our_code(book);
    {
      const Shortage shortage(nth);
      live_short_of_memory(book, shortage);
      if (!shortage.came()) break;
    }
    book.expect_equal_to_replay_or_poisoned();
    book.drop();
    storage.disk.kill();
    book.open();
    EXPECT_EQ(book.index() != nullptr, with_index);
    book.expect_promises_kept();
    book.expect_equal_to_replay_or_poisoned();
    EXPECT_TRUE(book.schedule().has_value());
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(nth, 300U) << "hardly anything was counted";
}

TEST(AllocationFailure, AnywhereLosesNothingAndEndsNoProcess) {
  run_out_everywhere(false);
}

TEST(AllocationFailure, NorWithAnIndex) {
  run_out_everywhere(true);
}

// The log by itself, for those who do not drive it through an engine.
TEST(AllocationFailure, InAnAppendLeavesALogThatTakesNoMore) {
  const LogOptions options{.segment_bytes_min = 10 * 1024, .segment_bytes_max = 20 * 1024};
  std::uint64_t thrown = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE("allocation " + std::to_string(nth) + " fails");
    UncountedStorage storage;
    ManualClock clock;
    FixedRandom random;
    LogOpening opening;
    auto log = SegmentLog::create(storage, clock, random, options, opening);
    Head acknowledged;
    const Shortage shortage(nth);
    for (int i = 0; i < 12; ++i) {
      RecordedEvent event;
      event.sequence = log->tail().sequence.next();
      event.epoch = log->epoch();
      event.by.reason = std::string(1500, 'x');
      event.event = QueuePaused{NameId(1)};
      BatchEncoder encoder;
      encoder.add(event);
      const Head before = log->tail();
      try {
        const Counting on(true);
        const AppendResult result = log->append(log->epoch(), before, encoder.batch(), Room::reserve);
        if (std::holds_alternative<Committed>(result)) acknowledged = std::get<Committed>(result).head;
        EXPECT_EQ(std::holds_alternative<Committed>(result), log->writable());
      } catch (const std::bad_alloc&) {
        ++thrown;
        EXPECT_EQ(log->tail(), before) << "it was synced, and could have been acknowledged";
        EXPECT_FALSE(log->writable());
      }
    }
    EXPECT_EQ(log->tail(), acknowledged);
    log.reset();
    storage.disk.kill();
    log = SegmentLog::open(storage, clock, random, options, opening);
    EXPECT_GE(log->tail().sequence, acknowledged.sequence);
    if (!shortage.came() || testing::Test::HasFailure()) break;
  }
  EXPECT_GT(thrown, 5U);
}

TEST(Acknowledgement, NothingAllocatesBetweenTheSyncAndTheAnswer) {
  UncountedStorage storage;
  EngineBook book(storage);
  book.open();
  for (int i = 0; i < 3; ++i) book.schedule();  // warm
  const auto claimed = book.claim();
  ASSERT_TRUE(claimed.has_value());
  count_only_our_code(book);
  const auto allocated_behind_the_sync = [&](const std::function<void()>& verb) {
    const std::uint64_t before = storage.counted_at_sync;
    std::uint64_t behind = 0;
    book.after_step = [&] { behind = counted - storage.counted_at_sync; };
    verb();
    book.after_step = [] {};
    EXPECT_NE(storage.counted_at_sync, before) << "nothing was synced, or nothing was counted before it";
    return behind;
  };
  EXPECT_EQ(allocated_behind_the_sync([&] { book.schedule(); }), 0U);
  EXPECT_EQ(allocated_behind_the_sync([&] { book.complete(*claimed); }), 0U);
  std::optional<ClaimedJob> running;
  EXPECT_EQ(allocated_behind_the_sync([&] { running = book.claim(); }), 0U);
  ASSERT_TRUE(running.has_value());
  EXPECT_EQ(allocated_behind_the_sync([&] { (void)book.ask(Cancel{running->id}); }), 0U);
}

}  // namespace
}  // namespace daybook::test
