// SPDX-License-Identifier: Apache-2.0
#include "segment_name.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <string>

#include "daybook/core/error.hpp"
#include "support/memory_storage.hpp"

namespace daybook::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SegmentName, IsReadAsItWasWritten) {
  EXPECT_EQ(segment_name(Sequence(42)), "log/00000000000000000042.seg");
  EXPECT_EQ(archive_name(Sequence(42)), "log/00000000000000000042.seg.zst");
  EXPECT_EQ(stub_name(Sequence(42)), "log/00000000000000000042.stub");
  EXPECT_EQ(parse_segment_file("00000000000000000042.seg"), Sequence(42));
}

TEST(SegmentName, IsNothingElse) {
  for (const char* name : {"", "42.seg", "00000000000000000042.sig", "000000000000000000042.seg",
                           "0000000000000000004x.seg", "x0000000000000000042.seg", "00000000000000000000.seg",
                           "99999999999999999999.seg", "-0000000000000000042.seg", "00000000000000000042.stub"}) {
    EXPECT_EQ(parse_segment_file(name), std::nullopt) << name;
  }
}

class LogFolder : public ::testing::Test {
 protected:
  LogFolder() { EXPECT_EQ(disk.make_folder("log"), 0); }
  void add(const std::string& name) { ASSERT_EQ(disk.open(name, OpenMode::create).error, 0) << name; }
  MemoryStorage disk;
};

TEST_F(LogFolder, OfABookThatIsNoneHoldsNothing) {
  MemoryStorage empty;
  const LogFiles files = list_log(empty);
  EXPECT_THAT(files.segments, IsEmpty());
  EXPECT_EQ(files.first_readable(), Sequence());
}

TEST_F(LogFolder, IsListedByForm) {
  add(stub_name(Sequence(1)));
  add(archive_name(Sequence(10)));
  EXPECT_EQ(list_log(disk).first_readable(), Sequence(10));
  add(segment_name(Sequence(20)));
  add("log/readme");
  const LogFiles files = list_log(disk);
  EXPECT_THAT(files.dropped, ElementsAre(Sequence(1)));
  EXPECT_THAT(files.archived, ElementsAre(Sequence(10)));
  EXPECT_THAT(files.plain, ElementsAre(Sequence(20)));
  EXPECT_EQ(files.first_readable(), Sequence(10));
  EXPECT_FALSE(files.witness);
}

TEST_F(LogFolder, OfPlainSegmentsBeginsWithTheFirst) {
  add(segment_name(Sequence(20)));
  EXPECT_EQ(list_log(disk).first_readable(), Sequence(20));
}

TEST_F(LogFolder, ThatCannotBeListedIsNamed) {
  disk.fail_next(Operation::list, EIO);
  try {
    static_cast<void>(list_log(disk));
    FAIL();
  } catch (const StorageError& error) {
    EXPECT_EQ(error.error_number(), EIO);
    EXPECT_THAT(error.what(), HasSubstr("cannot list the folder"));
  }
}

}  // namespace
}  // namespace daybook::test
