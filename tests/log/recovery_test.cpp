// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "crc32c.hpp"
#include "daybook/log/log_reader.hpp"
#include "format.hpp"
#include "log_fixture.hpp"
#include "sha256.hpp"

// What opening makes of a log that a crash, or a hand, left behind: every truncation, the tear, and each kind of damage that
// it refuses.

namespace daybook::test {
namespace {

using testing::HasSubstr;

// Opens the book and expects to be refused, with the disk as it was.
CorruptionError expect_refused(LogBook& book) {
  const auto before = picture(*book.disk);
  try {
    book.open();
  } catch (const CorruptionError& error) {
    EXPECT_EQ(picture(*book.disk), before) << "a refusal changes nothing";
    EXPECT_THAT(error.what(), HasSubstr("othing was changed"));
    return error;
  }
  ADD_FAILURE() << "opened, expected a refusal";
  return CorruptionError(Damage::foreign, {}, "none");
}

class Truncation : public testing::Test {
 protected:
  // Four acknowledged batches, a fifth in flight; the witness knows of four.
  Truncation() {
    book.create();
    for (int i = 0; i < 4; ++i) book.append_acknowledged(2, 30);
    book.leave_in_flight(2, 30);
    book.disk->crash_keeping_all();
    ends = batch_ends(*book.disk, first_segment);
  }

  std::size_t whole_batches(std::uint64_t size) const {
    return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin());
  }

  LogBook book;
  std::vector<std::uint64_t> ends;  // of the batches
};

TEST_F(Truncation, InsideTheBatchInFlightItOpensWithEverythingAcknowledged) {
  ASSERT_EQ(ends.size(), 5u);
  for (std::uint64_t size = ends[3]; size <= ends[4] + 8; ++size) {
    SCOPED_TRACE(size);
    LogBook copy(book);
    copy.disk->cut(first_segment, size);
    copy.open();
    copy.expect_promises_kept();
    EXPECT_EQ(copy.acknowledged.size(), 2 * whole_batches(size));
    const bool torn = size > ends[3] && size < ends[4];
    EXPECT_EQ(copy.opening.tail, torn ? TailStatus::torn : TailStatus::unclean);
    EXPECT_LE(copy.opening.bytes_cut, size - ends[3]);
    copy.append_acknowledged();
    EXPECT_EQ(verify_log(*copy.disk).kind, LogVerdict::Kind::unclean_end);
  }
}

TEST_F(Truncation, BelowTheWitnessItIsRefusedAsLostAcknowledged) {
  for (std::uint64_t size = 0; size < ends[3]; ++size) {
    SCOPED_TRACE(size);
    LogBook copy(book);
    copy.disk->cut(first_segment, size);
    const CorruptionError error = expect_refused(copy);
    ASSERT_EQ(error.damage(), Damage::lost_acknowledged);
    EXPECT_EQ(error.place().path, first_segment);
    EXPECT_TRUE(error.place().offset && *error.place().offset <= size);
    EXPECT_EQ(error.place().sequence, Sequence(2 * whole_batches(size) + 1));
    const LogVerdict verdict = verify_log(*copy.disk);
    EXPECT_EQ(verdict.kind, LogVerdict::Kind::damaged);
    EXPECT_EQ(verdict.damage, Damage::lost_acknowledged);
  }
}

TEST_F(Truncation, WithTheWitnessGoneItOpensToWholeBatchesAndReportsTheCut) {
  for (std::uint64_t size = 4096; size <= ends[4]; ++size) {
    SCOPED_TRACE(size);
    LogBook copy(book);
    copy.disk->remove_durably(witness_file);
    copy.disk->cut(first_segment, size);
    copy.open();
    const std::size_t whole = whole_batches(size);
    std::vector<RecordedEvent> expected = book.acknowledged;
    expected.insert(expected.end(), book.in_flight.begin(), book.in_flight.end());
    expected.resize(2 * whole);
    ASSERT_EQ(copy.read_all(), expected);
    const std::uint64_t start = whole == 0 ? 4096 : ends[whole - 1];
    EXPECT_EQ(copy.opening.tail, size == start ? TailStatus::unclean : TailStatus::torn);
    EXPECT_LE(copy.opening.bytes_cut, size - start);
    EXPECT_THAT(copy.opening.note, HasSubstr("witness"));
    EXPECT_TRUE(copy.disk->exists(witness_file));
    copy.append_acknowledged();
  }
}

TEST_F(Truncation, WithNothingLeftThatNamesTheLogItIsRefused) {
  for (std::uint64_t size = 0; size < 4096; size += 64) {
    LogBook copy(book);
    copy.disk->remove_durably(witness_file);
    copy.disk->cut(first_segment, size);
    EXPECT_EQ(expect_refused(copy).damage(), Damage::foreign);
  }
}

TEST_F(Truncation, OfAClosedLogIsNeverATear) {
  book.in_flight.clear();
  LogBook closed;
  closed.create();
  for (int i = 0; i < 3; ++i) closed.append_acknowledged(1, 30);
  closed.close();
  const auto used = batch_ends(*closed.disk, first_segment).back();
  for (std::uint64_t size = 0; size < used; ++size) {
    LogBook copy(closed);
    copy.disk->cut(first_segment, size);
    ASSERT_EQ(expect_refused(copy).damage(), Damage::lost_acknowledged) << size;
  }
}

TEST_F(Truncation, ZeroedTailsAreJudgedAsCutOnes) {
  for (std::uint64_t from = 4096; from < ends[4]; from += 3) {
    SCOPED_TRACE(from);
    LogBook copy(book);
    auto content = copy.disk->content(first_segment);
    std::fill(content.begin() + static_cast<std::ptrdiff_t>(from), content.end(), std::byte{0});
    const auto original = copy.disk->content(first_segment);
    const bool hurt =
        !std::equal(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(ends[3]), original.begin());
    copy.disk->write_durably(first_segment, content);
    if (hurt) {
      ASSERT_EQ(expect_refused(copy).damage(), Damage::lost_acknowledged);
    } else {
      copy.open();
      copy.expect_promises_kept();
    }
  }
}

TEST_F(Truncation, BytesFartherThanOneBatchInFlightCanReachAreNoTear) {
  book.disk->flip_bit(first_segment, (ends[4] - 100) * 8);
  LogBook torn(book);
  torn.open();
  EXPECT_EQ(torn.opening.tail, TailStatus::torn);
  book.disk->flip_bit(first_segment, (ends[4] + 1) * 8);
  EXPECT_EQ(expect_refused(book).damage(), Damage::corrupt_middle);
}

TEST_F(Truncation, TheCutBytesAreKeptAndToldAgainUntilAnEventFollows) {
  book.disk->cut(first_segment, ends[4] - 9);
  const auto content = book.disk->content(first_segment);
  std::uint64_t end = content.size();
  while (content[end - 1] == std::byte{0}) --end;
  const std::vector<std::byte> cut(content.begin() + static_cast<std::ptrdiff_t>(ends[3]),
                                   content.begin() + static_cast<std::ptrdiff_t>(end));
  const Hash hash = sha256(cut);
  for (int i = 0; i < 3; ++i) {
    book.open();
    EXPECT_EQ(book.opening.tail, TailStatus::torn);
    EXPECT_EQ(book.opening.bytes_cut, cut.size());
    EXPECT_EQ(book.opening.cut_sha256, std::string(hash.begin(), hash.end()));
    EXPECT_EQ(book.disk->content(book.opening.quarantine), cut);
    EXPECT_THAT(book.opening.note, HasSubstr(book.opening.quarantine));
    book.drop();
    book.disk->crash();
  }
  book.open();
  book.append_acknowledged();
  book.drop();
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::unclean);
}

// ---- refusals ----

class Refusals : public testing::Test {
 protected:
  Refusals() {
    book.create();
    for (int i = 0; i < 6; ++i) book.append_acknowledged(1, 1500);
    for (int i = 0; i < 3; ++i) book.append_acknowledged(1, 30);
    book.drop();
    book.disk->crash_keeping_all();
  }
  std::string last_segment() const { return book.segments().back(); }

  LogBook book;
};

TEST_F(Refusals, AValidBatchBehindABadOneIsCorruptMiddle) {
  const auto ends = batch_ends(*book.disk, last_segment());
  ASSERT_GE(ends.size(), 3u);
  book.disk->remove_durably(witness_file);
  book.disk->flip_bit(last_segment(), (ends[0] + 200) * 8);
  const CorruptionError error = expect_refused(book);
  EXPECT_EQ(error.damage(), Damage::corrupt_middle);
  EXPECT_THAT(error.what(), HasSubstr("stands behind it"));
  EXPECT_THAT(error.what(), HasSubstr("daybook verify"));
}

TEST_F(Refusals, ABadLastBatchThatWasAcknowledgedIsLost) {
  const auto ends = batch_ends(*book.disk, last_segment());
  book.disk->flip_bit(last_segment(), (ends[ends.size() - 2] + 200) * 8);
  EXPECT_EQ(expect_refused(book).damage(), Damage::lost_acknowledged);
}

TEST_F(Refusals, AMissingLastSegmentIsLostAcknowledged) {
  book.disk->remove_durably(last_segment());
  const CorruptionError error = expect_refused(book);
  EXPECT_EQ(error.damage(), Damage::lost_acknowledged);
}

TEST_F(Refusals, AMissingFirstOrMiddleSegmentIsCorruptSealed) {
  while (book.segments().size() < 3) {
    book.open();
    book.append_acknowledged();
    book.drop();
  }
  for (const std::size_t i : {0u, 1u}) {
    LogBook copy(book);
    const std::string name = copy.segments()[i];
    copy.disk->remove_durably(name);
    const CorruptionError error = expect_refused(copy);
    EXPECT_EQ(error.damage(), Damage::corrupt_sealed_segment);
    EXPECT_EQ(error.place().path, name);
  }
}

TEST_F(Refusals, ASealedSegmentThatIsCutOrLongerOrWithoutSealIsRefused) {
  const std::uint64_t size = book.disk->content(first_segment).size();
  for (const std::uint64_t cut : {size - 1, size - 192, size / 2, std::uint64_t{4096}, std::uint64_t{0}}) {
    LogBook copy(book);
    copy.disk->cut(first_segment, cut);
    EXPECT_EQ(expect_refused(copy).damage(), Damage::corrupt_sealed_segment);
  }
  LogBook copy(book);
  auto longer = copy.disk->content(first_segment);
  longer.resize(longer.size() + 8);
  copy.disk->write_durably(first_segment, longer);
  EXPECT_EQ(verify_log(*copy.disk).damage, Damage::corrupt_sealed_segment);
  EXPECT_EQ(expect_refused(copy).damage(), Damage::corrupt_sealed_segment);
}

TEST_F(Refusals, ASegmentOfAnotherLogIsForeign) {
  LogBook other;
  other.random = FixedRandom(99);
  other.create();
  for (int i = 0; i < 6; ++i) other.append_acknowledged(1, 1500);
  other.drop();
  book.disk->write_durably(first_segment, other.disk->content(first_segment));
  EXPECT_EQ(expect_refused(book).damage(), Damage::foreign);
}

TEST_F(Refusals, AWitnessOfAnotherHistoryIsForeign) {
  LogBook other(book);
  book.open();
  book.append_acknowledged(1, 10);
  book.drop();
  other.random = FixedRandom(1234);
  other.open();
  other.append_acknowledged(1, 20);
  other.drop();
  book.disk->write_durably(witness_file, other.disk->content(witness_file));
  EXPECT_EQ(expect_refused(book).damage(), Damage::foreign);
}

TEST_F(Refusals, AFileThatIsNoSegmentIsForeign) {
  LogBook other;
  other.disk->write_durably(first_segment, std::vector<std::byte>(5000, std::byte{'x'}));
  EXPECT_EQ(expect_refused(other).damage(), Damage::foreign);
}

TEST_F(Refusals, ANewerFormatIsNamedAsSuch) {
  auto content = book.disk->content(first_segment);
  auto header = format::parse_segment_header(content);
  ASSERT_TRUE(header);
  header->format_version = header->minimum_reader = format::reader + 1;
  const auto bytes = format::to_bytes(*header);
  std::copy(bytes.begin(), bytes.end(), content.begin());
  book.disk->write_durably(first_segment, content);
  const CorruptionError error = expect_refused(book);
  EXPECT_EQ(error.damage(), Damage::unknown_format);
  EXPECT_THAT(error.what(), HasSubstr("upgrade"));
  EXPECT_EQ(verify_log(*book.disk).damage, Damage::unknown_format);
}

TEST_F(Refusals, OnlyAWitnessLeftIsLostAcknowledged) {
  for (const std::string& name : book.segments()) book.disk->remove_durably(name);
  EXPECT_TRUE(log_exists(*book.disk));
  EXPECT_EQ(expect_refused(book).damage(), Damage::lost_acknowledged);
}

TEST_F(Refusals, BytesBehindACleanEndAreNoTear) {
  book.open();
  book.append_acknowledged();
  book.close();
  const std::string name = book.segments().back();
  book.disk->flip_bit(name, (book.used_bytes(name) + 100) * 8);
  EXPECT_EQ(expect_refused(book).damage(), Damage::corrupt_middle);
}

// A batch whose checksums are right and which says something else: written by nobody, or for another place.
void forge(LogBook& book, std::uint64_t offset, void (*change)(format::BatchHeader&)) {
  auto content = book.disk->content(first_segment);
  auto header = format::parse_batch_header(std::span(content).subspan(offset));
  ASSERT_TRUE(header);
  change(*header);
  const auto bytes = format::to_bytes(*header);
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
  book.disk->write_durably(first_segment, content);
}

TEST(Forgery, ABatchThatDoesNotContinueTheOneBeforeIsRefused) {
  LogBook start;
  start.create();
  start.append_acknowledged();
  start.close();
  start.open();  // the second batch is of epoch 2
  start.append_acknowledged();
  start.append_acknowledged();
  start.drop();
  start.disk->crash_keeping_all();
  start.disk->remove_durably(witness_file);  // nobody but the batches themselves can tell
  const std::uint64_t last = batch_ends(*start.disk, first_segment)[1];
  const struct {
    Damage damage;
    void (*change)(format::BatchHeader&);
  } forgeries[] = {
      {Damage::foreign, [](format::BatchHeader& header) { header.salt ^= 1; }},
      {Damage::foreign, [](format::BatchHeader& header) { header.offset += 8; }},
      {Damage::corrupt_middle, [](format::BatchHeader& header) { header.first = header.first.next(); }},
      {Damage::corrupt_middle, [](format::BatchHeader& header) { header.epoch = Epoch(1); }},
      {Damage::corrupt_middle, [](format::BatchHeader& header) { header.previous[5] ^= 1; }},
      {Damage::corrupt_middle, [](format::BatchHeader& header) { header.count = 0; }},
  };
  for (const auto& forgery : forgeries) {
    LogBook book(start);
    forge(book, last, forgery.change);
    EXPECT_EQ(expect_refused(book).damage(), forgery.damage);
    EXPECT_EQ(verify_log(*book.disk).damage, forgery.damage);
  }
}

TEST(Forgery, ASealThatMiscountsIsRefused) {
  LogBook book;
  book.create();
  book.append_acknowledged(3);
  book.drop();
  book.open();
  book.append_acknowledged();
  book.drop();
  auto content = book.disk->content(first_segment);
  const std::uint64_t seal_at = batch_ends(*book.disk, first_segment).back();
  const auto payload = std::span(content).subspan(seal_at + format::batch_header_bytes);
  auto seal = format::parse_seal_payload(payload);
  ASSERT_TRUE(seal);
  seal->batches = 2;
  const auto bytes = format::to_bytes(*seal);
  std::copy(bytes.begin(), bytes.end(), payload.begin());
  book.disk->write_durably(first_segment, content);
  const std::uint32_t checksum = crc32c(bytes);
  auto header = format::parse_batch_header(std::span(content).subspan(seal_at));
  header->payload_crc32c = checksum;
  const auto header_bytes = format::to_bytes(*header);
  std::copy(header_bytes.begin(), header_bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(seal_at));
  book.disk->write_durably(first_segment, content);
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.damage, Damage::corrupt_sealed_segment);
  EXPECT_THAT(verdict.message, HasSubstr("seal"));
}

TEST(Forgery, ASegmentHeaderThatDoesNotContinueTheOneBeforeIsRefused) {
  LogBook start;
  start.create();
  start.append_acknowledged();
  start.drop();
  start.open();
  start.drop();
  start.disk->crash_keeping_all();
  void (*const changes[])(format::SegmentHeader&) = {
      [](format::SegmentHeader& header) { header.chain[0] ^= 1; },
      [](format::SegmentHeader& header) { header.first = header.first.next(); },
      [](format::SegmentHeader& header) { header.log_uuid.bytes[3] ^= 1; },
      [](format::SegmentHeader& header) { header.epoch = Epoch(0); },
  };
  const std::string name = start.segments()[1];
  for (const auto change : changes) {
    LogBook book(start);
    auto content = book.disk->content(name);
    auto header = format::parse_segment_header(content);
    ASSERT_TRUE(header);
    change(*header);
    const auto bytes = format::to_bytes(*header);
    std::copy(bytes.begin(), bytes.end(), content.begin());
    book.disk->write_durably(name, content);
    EXPECT_EQ(expect_refused(book).place().path, name);
  }
}

// ---- what is odd and can be lived with ----

TEST(Recovery, ADamagedHeaderOfALastSegmentThatHoldsNothingIsBegunAnew) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.drop();
  book.open();  // begins the second segment
  book.drop();
  book.disk->crash_keeping_all();
  ASSERT_EQ(book.segments().size(), 2u);
  book.disk->flip_bit(book.segments()[1], 50 * 8);
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::torn);
  EXPECT_THAT(book.opening.note, HasSubstr("header"));
  book.expect_promises_kept();
  book.append_acknowledged();
  book.close();
  EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::clean_end);
}

TEST(Recovery, OneBadSlotOfTheWitnessIsNotedAndMended) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.drop();
  book.disk->crash_keeping_all();
  for (const std::uint64_t slot : {0u, 1u}) {
    LogBook copy(book);
    copy.disk->flip_bit(witness_file, slot * 512 * 8 + 300);
    copy.open();
    EXPECT_THAT(copy.opening.note, HasSubstr("slot " + std::to_string(slot)));
    copy.expect_promises_kept();
    copy.append_acknowledged();
    copy.close();
    EXPECT_EQ(verify_log(*copy.disk).kind, LogVerdict::Kind::clean_end);
  }
}

TEST(Recovery, ACopyMadeWhileTheLogWasWrittenOpens) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.close();
  const auto witness = book.disk->content(witness_file);  // copied first, marked clean
  book.open();
  book.append_acknowledged();
  book.drop();
  book.disk->write_durably(witness_file, witness);
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::unclean);
  EXPECT_EQ(book.read_all(), book.acknowledged);
}

TEST(Recovery, TemporariesOfADeadWriterAreRemoved) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.drop();
  book.disk->write_durably("log/recovered.tmp", {std::byte{1}});
  book.disk->write_durably("log/witness.tmp", {std::byte{1}});
  book.open();
  EXPECT_FALSE(book.disk->exists("log/recovered.tmp"));
  EXPECT_FALSE(book.disk->exists("log/witness.tmp"));
}

}  // namespace
}  // namespace daybook::test
