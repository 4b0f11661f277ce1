// SPDX-License-Identifier: Apache-2.0

// When an index that lies there is believed, and when not.

#include "trust.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "daybook/core/error.hpp"
#include "index_fixture.hpp"
#include "keys.hpp"
#include "lmdb.hpp"
#include "tables.hpp"

namespace daybook {
namespace {

using test::next_boot;
using test::this_boot;
using test::waiting_job;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Keeps the file, as an overwriting copy does.
void overwrite(const fs::path& file, const std::string& bytes) {
  std::fstream(file, std::ios::binary | std::ios::in | std::ios::out) << bytes;
  fs::resize_file(file, bytes.size());
}

unsigned mode_of(const fs::path& file) {
  struct ::stat found {};
  EXPECT_EQ(::lstat(file.c_str(), &found), 0) << file;
  return found.st_mode & 07777U;
}

class Trust : public ::testing::Test {
 protected:
  Trust() {
    index.create();
    schedule(1);
  }
  void schedule(std::uint64_t id) {
    index->put(waiting_job(id, {}));
    index->put(test::book_at(id));
    index.project({});
  }
  /// Puts another folder with the same files in the place of the index.
  void copy_over() {
    fs::copy(index.path(), index.parent() / "copy");
    fs::rename(index.path(), index.parent() / "original");
    fs::rename(index.parent() / "copy", index.path());
  }

  test::IndexFolder index;
};

TEST_F(Trust, ACleanlyClosedIndexIsTrusted) {
  index.close();
  EXPECT_EQ(index.reopen(), "");
  EXPECT_EQ(index->mark(), test::mark_at(Sequence(1)));
  EXPECT_NE(index->job(Sequence(1)), nullptr);
}

TEST_F(Trust, ACleanlyClosedIndexIsTrustedUnderAnotherBoot) {
  index.close();
  EXPECT_EQ(index.reopen(next_boot), "");
}

TEST_F(Trust, OpenMarkOfTheSameBootIsTrusted) {
  index.crash();
  EXPECT_EQ(index.reopen(this_boot), "");
  EXPECT_EQ(index->mark(), test::mark_at(Sequence(1)));
}

TEST_F(Trust, OpenMarkOfAnotherBootIsNotTrusted) {
  index.crash();
  EXPECT_THAT(index.reopen(next_boot), HasSubstr("not closed before the machine restarted"));
}

TEST_F(Trust, AReopenedIndexIsMarkedOpenUnderItsOwnBoot) {
  index.close();
  ASSERT_EQ(index.reopen(next_boot), "");
  index.crash();  // nothing was written yet, and nothing is believed under a third boot
  EXPECT_NE(index.reopen(this_boot), "");
  EXPECT_EQ(index.reopen(next_boot), "");
}

TEST_F(Trust, CopiedDirectoryIsNotTrusted) {
  index.crash();
  copy_over();
  EXPECT_THAT(index.reopen(), HasSubstr("a copy"));
}

TEST_F(Trust, CopyOfACleanlyClosedDirectoryIsNotTrusted) {
  index.close();
  copy_over();
  EXPECT_THAT(index.reopen(), HasSubstr("a copy"));
}

TEST_F(Trust, OlderDataUnderACleanMarkIsNotTrusted) {
  for (std::uint64_t id = 2; id < 9; ++id) schedule(id);  // until there are free pages to go round
  index.close();
  const std::string older = slurp(index.file("data.mdb"));
  ASSERT_EQ(index.reopen(), "");
  index->put(test::book_at(9));
  index.project({});
  index.close();
  ASSERT_EQ(fs::file_size(index.file("data.mdb")), older.size()) << "the length gives it away already";
  overwrite(index.file("data.mdb"), older);
  EXPECT_THAT(index.reopen(), HasSubstr("does not stand where it was closed"));
}

TEST_F(Trust, TruncatedDataFileIsNotTrusted) {
  index.crash();
  fs::resize_file(index.file("data.mdb"), fs::file_size(index.file("data.mdb")) / 2);
  EXPECT_THAT(index.reopen(), HasSubstr("truncated"));
}

TEST_F(Trust, TruncatedDataFileUnderACleanMarkIsNotTrusted) {
  index.close();
  fs::resize_file(index.file("data.mdb"), fs::file_size(index.file("data.mdb")) - 1);
  EXPECT_THAT(index.reopen(), HasSubstr("another length"));
}

TEST_F(Trust, EmptyOrForeignDataIsNotTrusted) {
  index.crash();
  overwrite(index.file("data.mdb"), "");
  EXPECT_NE(index.reopen(), "");
  overwrite(index.file("data.mdb"), std::string(100'000, 'x'));
  EXPECT_THAT(index.reopen(), HasSubstr("mdb_env_open failed"));
}

TEST_F(Trust, AnotherLogIsNotTrusted) {
  index.close();
  EXPECT_THAT(index.reopen(this_boot, test::uuid_of(0xBB)), HasSubstr("belongs to the log"));
}

TEST_F(Trust, AnotherLayoutIsNotTrusted) {
  index.close();
  std::string state = slurp(index.file("state"));
  state[8] = static_cast<char>(state[8] + 1);
  overwrite(index.file("state"), state);
  EXPECT_THAT(index.reopen(), HasSubstr("its layout is"));
}

// Each with a check that fits: what only a bug, or a hand, could have written.
TEST_F(Trust, WhatTheStateFileSaysIsJudgedEvenWhenItsCheckFits) {
  const auto rewrite = [&](const auto& change) {
    const auto folder = trust::Folder::find(index.path());
    std::string why;
    auto state = folder->read_state(why);
    ASSERT_TRUE(state) << why;
    change(*state);
    folder->write_state(*state);
  };
  const struct {
    const char* said;
    void (*change)(trust::StateFile&);
  } changes[] = {
      {"on another device or mount", [](trust::StateFile& state) { ++state.file.device; }},
      {"on another device or mount", [](trust::StateFile& state) { ++state.file.mount; }},
      {"a copy", [](trust::StateFile& state) { ++state.file.inode; }},
      {"before the machine restarted", [](trust::StateFile& state) { state.boot_id = next_boot; }},
      {"its check does not fit", [](trust::StateFile& state) { state.status = static_cast<trust::Status>(7); }},
  };
  for (const auto& [said, change] : changes) {
    index.create();
    schedule(1);
    index.crash();
    rewrite(change);
    EXPECT_THAT(index.reopen(), HasSubstr(said));
  }
  index.create();
  schedule(1);
  index.crash();
  rewrite([](trust::StateFile& state) { state.log_uuid = test::uuid_of(0xBB); });
  EXPECT_THAT(index.reopen(this_boot, test::uuid_of(0xBB)), HasSubstr("does not stand where it was closed"));
}

TEST_F(Trust, AStateFileThatIsLongerOrBeginsOtherwiseIsNamedAsSuch) {
  index.close();
  const std::string state = slurp(index.file("state"));
  overwrite(index.file("state"), state + 'x');
  EXPECT_THAT(index.reopen(), HasSubstr("its check does not fit"));
  overwrite(index.file("state"), 'x' + state.substr(1));
  EXPECT_THAT(index.reopen(), HasSubstr("is not the state of an index"));
}

TEST_F(Trust, AMissingFolderOrStateFileIsNotTrusted) {
  index.close();
  fs::remove(index.file("state"));
  EXPECT_THAT(index.reopen(), HasSubstr("state is missing"));
  fs::remove_all(index.path());
  EXPECT_THAT(index.reopen(), HasSubstr("there is none"));
}

TEST_F(Trust, ACondemnedIndexIsNotTrusted) {
  index->condemn();
  EXPECT_THAT(index.reopen(), HasSubstr("state is missing"));
  index.create();
  index->condemn();
  index.crash();  // letting go of it brings no mark back
  EXPECT_FALSE(fs::exists(index.file("state")));
  EXPECT_TRUE(fs::exists(index.file("data.mdb"))) << "what was wrong stays to be looked at";
}

TEST_F(Trust, EveryFlippedBitOfTheStateFileIsSeen) {
  index.close();
  const std::string state = slurp(index.file("state"));
  for (std::size_t bit = 0; bit < state.size() * 8; ++bit) {
    std::string flipped = state;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    overwrite(index.file("state"), flipped);
    ASSERT_NE(index.reopen(), "") << "bit " << bit;
  }
  for (std::size_t size = 0; size < state.size(); ++size) {
    overwrite(index.file("state"), state.substr(0, size));
    ASSERT_NE(index.reopen(), "") << "cut to " << size;
  }
  overwrite(index.file("state"), state);
  EXPECT_EQ(index.reopen(), "");
}

TEST_F(Trust, ALoadThatWasCutShortIsNotTrusted) {
  index.crash();
  {
    const trust::Folder folder = trust::Folder::make(index.path());
    folder.clear();
    folder.make_data();
    const lmdb::Environment environment(index.path(), "index/data.mdb", 1 << 20, lmdb::Environment::Tables::create);
    folder.write_state({trust::Status::open, test::this_log, this_boot, folder.identify_data(), 0, {}});
  }
  EXPECT_THAT(index.reopen(), HasSubstr("cut short"));
}

TEST_F(Trust, ALeaseOfAJobThatIsNotRunningIsNotTrusted) {
  index.crash();
  {
    lmdb::Environment environment(index.path(), "index/data.mdb", 1 << 20, lmdb::Environment::Tables::must_exist);
    environment.write([](lmdb::WriteTransaction& transaction) {
      transaction.put(Table::leases, keys::lease(test::book_time(5), Sequence(1)), {});
    });
  }
  EXPECT_THAT(index.reopen(), HasSubstr("job 1 is not running"));
}

TEST_F(Trust, CreatingDropsWhatWasThere) {
  index.create();
  EXPECT_EQ(index->job(Sequence(1)), nullptr);
  EXPECT_EQ(index->mark(), test::mark_at(Sequence(0)));
}

TEST_F(Trust, FolderAndFilesArePrivateWhateverTheUmask) {
  for (const mode_t mask : {0U, 0777U}) {
    index.crash();
    fs::remove_all(index.path());
    const mode_t before = ::umask(mask);
    index.create();
    index.close();
    ::umask(before);
    EXPECT_EQ(mode_of(index.path()), 0700U);
    for (const fs::directory_entry& entry : fs::directory_iterator(index.path())) {
      EXPECT_EQ(mode_of(entry.path()), 0600U) << entry.path();
    }
    ASSERT_EQ(index.reopen(), "");
  }
}

TEST_F(Trust, AFolderThatOthersMayReadIsMadePrivate) {
  index.crash();
  fs::permissions(index.path(), fs::perms::all);
  index.create();
  EXPECT_EQ(mode_of(index.path()), 0700U);
}

TEST_F(Trust, ASymbolicLinkInPlaceOfTheFolderIsRefused) {
  index.close();
  fs::rename(index.path(), index.parent() / "elsewhere");
  fs::create_directory_symlink(index.parent() / "elsewhere", index.path());
  EXPECT_THAT(index.reopen(), HasSubstr("symbolic link"));
  try {
    index.create();
    FAIL() << "followed a link";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.error_number(), ELOOP);
    EXPECT_THAT(error.what(), HasSubstr("symbolic link"));
  }
  EXPECT_TRUE(fs::exists(index.parent() / "elsewhere" / "data.mdb"));
}

TEST_F(Trust, SymbolicLinksInTheFolderAreRefused) {
  for (const char* name : {"data.mdb", "state"}) {
    index.create();
    index.close();
    fs::rename(index.file(name), index.parent() / name);
    fs::create_symlink(index.parent() / name, index.file(name));
    EXPECT_NE(index.reopen(), "") << name;
    EXPECT_THROW(index.create(), StorageError) << name;
    fs::remove(index.file(name));
    EXPECT_TRUE(fs::exists(index.parent() / name));
  }
}

}  // namespace
}  // namespace daybook
