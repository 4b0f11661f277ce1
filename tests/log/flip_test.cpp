// SPDX-License-Identifier: Apache-2.0

// Every bit of every used byte of a closed log is flipped, one at a time. What it touched (a segment's header, a batch, a seal, a
// slot of the witness) is judged at once by the reader that everybody uses, and must be refused; a sample of the flips is also met
// by verify and by opening and reading the whole log. DAYBOOK_FLIP_BYTES sets how long the log is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "daybook/log/log_reader.hpp"
#include "log_fixture.hpp"
#include "segment_reader.hpp"
#include "witness.hpp"

namespace daybook::test {
namespace {

constexpr std::uint64_t full_checks = 1000;  // about as many, however long the log is

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

// What one checksum covers, and where a reader stands just before it.
struct Structure {
  enum class Kind : std::uint8_t { header, batch, seal, slot };
  Kind kind{};
  std::string file;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // padding included
  Sequence next;
  Hash chain{};
};

class FlippedLog {
 public:
  FlippedLog(std::uint32_t alignment, std::uint64_t bytes, std::uint64_t seed)
      : book_(options_of(alignment)), random_(seed) {
    book_.create();
    for (std::uint64_t written = 0; written < bytes; written = used_bytes()) {
      const auto events = static_cast<std::uint32_t>(1 + random_() % 4);
      book_.append_acknowledged(events, random_() % 600);
    }
    book_.close();
    book_.disk->crash();
    for (const std::string& name : book_.segments()) list_structures(name);
    for (std::uint64_t slot = 0; slot < 2; ++slot) {
      const std::uint64_t begin = slot * format::witness_slot_bytes;
      structures_.push_back(
          {Structure::Kind::slot, witness_file, begin, begin + format::witness_slot_bytes, Sequence(0), {}});
    }
  }

  [[nodiscard]] const std::vector<Structure>& structures() const { return structures_; }
  [[nodiscard]] std::size_t segments() const { return book_.segments().size(); }
  void flip(const Structure& structure, std::uint64_t bit) { book_.disk->flip_bit(structure.file, bit); }

  // As it stands on the disk now.
  [[nodiscard]] bool refused(const Structure& structure) const {
    switch (structure.kind) {
      case Structure::Kind::header: {
        SegmentFile file = open(structure.file);
        return !SegmentReader::read_header(file);
      }
      case Structure::Kind::slot:
        return read_witness(*book_.disk).problems.at(structure.begin / format::witness_slot_bytes).has_value();
      case Structure::Kind::batch: {
        SegmentReader reader(open(structure.file), headers_.at(structure.file));
        reader.move_to(structure.begin, structure.next, structure.chain);
        return reader.next().kind != Step::Kind::batch;
      }
      case Structure::Kind::seal: {  // it counts what lies before it, so that is read too
        SegmentReader reader(open(structure.file), headers_.at(structure.file));
        while (reader.cursor().offset < structure.begin) {
          if (reader.next().kind != Step::Kind::batch) return false;
        }
        return reader.next().kind != Step::Kind::seal;
      }
    }
    return false;
  }

  // How verify, opening and reading the whole log, with this structure damaged, went wrong; empty: they did not.
  [[nodiscard]] std::string wrong_with(const Structure& structure) const {
    const LogVerdict verdict = verify_log(*book_.disk);
    if (verdict.kind != LogVerdict::Kind::damaged) return "verify says: " + verdict.message;
    if (verdict.place.path != structure.file) return "verify blames " + verdict.place.path + ": " + verdict.message;
    LogBook copy(book_);
    std::vector<RecordedEvent> events;
    try {
      copy.open();
      copy.log->read(Sequence(1), [&](const RecordedEvent& event) {
        events.push_back(event);
        return true;
      });
      const bool other_slot_says_the_same = structure.kind == Structure::Kind::slot && events == book_.acknowledged;
      return other_slot_says_the_same ? "" : "it opens, and reads to its end";
    } catch (const CorruptionError&) {
      const bool prefix = events.size() < book_.acknowledged.size() &&
                          std::equal(events.begin(), events.end(), book_.acknowledged.begin());
      return prefix ? "" : "other events were read before it was refused";
    }
  }

 private:
  static LogOptions options_of(std::uint32_t alignment) {
    LogOptions options;
    options.segment_bytes_min = 10 * 1024;
    options.segment_bytes_max = 64 * 1024;  // a reader reads on to the end of the file: for each of millions of flips
    options.commit_alignment = alignment;
    return options;
  }

  [[nodiscard]] SegmentFile open(const std::string& name) const {
    return LogFile::open(*book_.disk, name, OpenMode::read);
  }

  [[nodiscard]] std::uint64_t used_bytes() const {
    std::uint64_t bytes = 0;
    for (const std::string& name : book_.segments()) bytes += book_.used_bytes(name);
    return bytes;
  }

  void list_structures(const std::string& name) {
    SegmentFile file = open(name);
    const format::SegmentHeader header = SegmentReader::read_header(file).value();
    headers_.emplace(name, header);
    structures_.push_back({Structure::Kind::header, name, 0, format::segment_header_bytes, header.first, header.chain});
    SegmentReader reader(std::move(file), header);
    while (true) {
      const Cursor before = reader.cursor();
      const Step::Kind kind = reader.next().kind;
      if (kind != Step::Kind::batch && kind != Step::Kind::seal) return;
      structures_.push_back({kind == Step::Kind::seal ? Structure::Kind::seal : Structure::Kind::batch, name,
                             before.offset, reader.cursor().offset, before.next, before.chain.value()});
    }
  }

  LogBook book_;
  std::mt19937_64 random_;
  std::map<std::string, format::SegmentHeader> headers_;
  std::vector<Structure> structures_;
};

struct Figures {
  std::uint64_t bytes = 0;
  std::uint64_t flips = 0;
  std::uint64_t refused = 0;
  std::uint64_t full = 0;  // met by the whole log
  std::uint64_t missed = 0;
  [[nodiscard]] std::uint64_t silent() const { return flips - refused + missed; }
};

void tell(const Figures& figures, const FlippedLog& log, std::uint32_t alignment, std::uint64_t seed) {
  std::cout << "alignment " << alignment << ", " << log.segments() << " segments, " << log.structures().size()
            << " structures, " << figures.bytes << " bytes: " << figures.flips << " flips, " << figures.refused
            << " refused, " << figures.silent() << " silent; " << figures.full << " met by the whole log\n";
  const char* file = std::getenv("DAYBOOK_FIGURES");
  if (file == nullptr) return;
  std::ofstream(file, std::ios::app) << R"({"what":"flips","seed":)" << seed << R"(,"alignment":)" << alignment
                                     << R"(,"segments":)" << log.segments() << R"(,"structures":)"
                                     << log.structures().size() << R"(,"bytes":)" << figures.bytes << R"(,"flips":)"
                                     << figures.flips << R"(,"refused":)" << figures.refused << R"(,"silent":)"
                                     << figures.silent() << R"(,"full":)" << figures.full << "}\n";
}

class Flips : public testing::TestWithParam<std::uint32_t> {};  // by commit alignment: with padding and without

TEST_P(Flips, EveryFlippedBitOfAClosedLogIsRefused) {
  const std::uint64_t seed = number_in("DAYBOOK_SEED", std::random_device{}());
  std::cout << "seed " << seed << " (repeat with DAYBOOK_SEED=" << seed << ")\n";
  const std::uint64_t bytes = number_in("DAYBOOK_FLIP_BYTES", 16 * 1024) / 2;  // half for each alignment
  FlippedLog log(GetParam(), std::max<std::uint64_t>(bytes, 12 * 1024), seed);
  ASSERT_GE(log.segments(), 2u) << "nothing sealed: the log is too small";
  std::mt19937_64 random(seed);
  const std::uint64_t sampled = std::max<std::uint64_t>(1, bytes * 8 / full_checks);
  Figures figures;
  for (const Structure& structure : log.structures()) {
    ASSERT_FALSE(log.refused(structure)) << structure.file << " offset " << structure.begin << ", undamaged";
    figures.bytes += structure.end - structure.begin;
    for (std::uint64_t bit = structure.begin * 8; bit < structure.end * 8; ++bit) {
      log.flip(structure, bit);
      ++figures.flips;
      const bool refused = log.refused(structure);
      if (refused) ++figures.refused;
      EXPECT_TRUE(refused) << structure.file << " bit " << bit << " was not noticed";
      if (random() % sampled == 0) {
        ++figures.full;
        const std::string said = log.wrong_with(structure);
        if (!said.empty()) ++figures.missed;
        EXPECT_EQ(said, "") << structure.file << " bit " << bit;
      }
      log.flip(structure, bit);
      ASSERT_LT(figures.silent(), 20u) << "and so on";
    }
    ASSERT_FALSE(log.refused(structure)) << structure.file << " offset " << structure.begin << ", flipped back";
  }
  tell(figures, log, GetParam(), seed);
  EXPECT_EQ(figures.silent(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Alignment, Flips, testing::Values(8u, 512u));

}  // namespace
}  // namespace daybook::test
