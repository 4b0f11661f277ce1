// SPDX-License-Identifier: Apache-2.0

// Writes the seeds that are not made by hand: make_corpus FOLDER, where FOLDER is tests/fuzz/corpus. The same bytes each time; to
// be run again when a format or a target's reading of its bytes changes. Inputs that a fuzzer found stay as they are.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "daybook/log/journal.hpp"
#include "fuzz.hpp"
#include "log/event_samples.hpp"
#include "record.hpp"
#include "sample_log.hpp"
#include "trust.hpp"

namespace daybook::fuzz {
namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::byte>;

class Corpus {
 public:
  explicit Corpus(fs::path folder) : folder_(std::move(folder)) {}
  void write(const std::string& target, const std::string& name, const Input& input) const {
    fs::create_directories(folder_ / (target + "_fuzz"));
    std::ofstream(folder_ / (target + "_fuzz") / name, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  }

 private:
  fs::path folder_;
};

Input with_mode(std::uint8_t mode, const Input& bytes) {
  Input input{std::byte(mode)};
  input.insert(input.end(), bytes.begin(), bytes.end());
  return input;
}

// Up to the last byte that is not zero, and a few more: the rest of a segment says nothing.
Input trimmed(Input bytes) {
  while (!bytes.empty() && bytes.back() == std::byte{0}) bytes.pop_back();
  bytes.resize(bytes.size() + 16);
  return bytes;
}

Input random_program(std::uint64_t seed, std::size_t size) {
  test::FixedRandom random(seed);
  Input program(size);
  std::generate(program.begin(), program.end(), [&] { return std::byte(random.next() & 0xff); });
  return program;
}

void segments(const Corpus& corpus) {
  const SampleLog closed = sample_log(Ending::closed);
  const SampleLog in_flight = sample_log(Ending::in_flight);
  corpus.write("segment", "last-in-flight", with_mode(0, trimmed(in_flight.disk->content(in_flight.segments.back()))));
  corpus.write("segment", "last-closed", with_mode(1, trimmed(closed.disk->content(closed.segments.back()))));
  corpus.write("segment", "first-sealed", with_mode(3, closed.disk->content(closed.segments.front())));
  corpus.write("segment", "alone-without-witness", with_mode(14, in_flight.disk->content(in_flight.segments.front())));
  Input cut = in_flight.disk->content(in_flight.segments.back());
  cut.resize(trimmed(cut).size() - 100);
  corpus.write("segment", "last-torn", with_mode(0, cut));
  corpus.write("segment", "header-alone", with_mode(4, Input(4096)));
}

template <class Entity>
Input record_of(const Entity& entity) {
  std::string text;
  record::encode(entity, text);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Input index_state() {
  const fs::path folder = fs::temp_directory_path() / "daybook-make-corpus";
  const auto index = trust::Folder::make(folder.string());
  trust::StateFile said;
  said.status = trust::Status::clean;
  said.bytes = 4096;
  said.mark.applied = Sequence(7);
  index.write_state(said);
  std::ifstream file(folder / "state", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto bytes = std::as_bytes(std::span(text));
  Input state(bytes.begin(), bytes.end());
  fs::remove_all(folder);
  return state;
}

Recurring recurring() {
  RecurringTerms terms;
  terms.recurrence.rule = CronRule{.expression = *parse_cron("30 2 * * 1-5"), .zone = "Europe/Prague"};
  Recurring made;
  made.owner = "service";
  made.terms = std::make_shared<const RecurringTerms>(std::move(terms));
  made.next = Occurrence{Instant(Duration(7)), Instant(Duration(8))};
  made.buffer = {Instant(Duration(5))};
  made.live = {Sequence(3)};
  made.unmade = {{Instant(Duration(1)), Instant(Duration(2))}};
  return made;
}

void state_files_of(const Corpus& corpus) {
  for (std::uint8_t ending = 0; ending < 3; ++ending) {
    const SampleLog sample = sample_log(static_cast<Ending>(ending));
    const Input witness = sample.disk->content("log/witness");
    corpus.write("state_files", "witness-" + std::to_string(ending), with_mode(ending, witness));
    corpus.write("state_files", "witness-checked-" + std::to_string(ending), with_mode(ending + 3, witness));
  }
  JobSpec spec;
  spec.payload = "p";
  spec.tags = {{"a", "b"}};
  Name name;
  name.text = "mail";
  corpus.write("state_files", "index-state", with_mode(6, index_state()));
  corpus.write("state_files", "job", with_mode(7, record_of(Job{})));
  corpus.write("state_files", "spec", with_mode(8, record_of(spec)));
  corpus.write("state_files", "queue", with_mode(9, record_of(Queue{})));
  corpus.write("state_files", "worker", with_mode(10, record_of(Worker{})));
  corpus.write("state_files", "name", with_mode(11, record_of(name)));
  corpus.write("state_files", "request", with_mode(12, record_of(RequestRecord{})));
  corpus.write("state_files", "book", with_mode(13, record_of(Book{})));
  corpus.write("state_files", "mark", with_mode(14, record_of(IndexMark{})));
  corpus.write("state_files", "frontiers", with_mode(15, record_of(Frontiers{})));
  corpus.write("state_files", "group", with_mode(17, record_of(Group{})));
  corpus.write("state_files", "holds", with_mode(18, record_of(std::vector<Hold>(1))));
  corpus.write("state_files", "recurring", with_mode(19, record_of(recurring())));
  corpus.write("state_files", "settings", with_mode(16, record_of(std::vector<Setting>{{"payload_bytes", "1024"}})));
}

/// One event each, behind the count.
void events(const Corpus& corpus) {
  std::size_t number = 0;
  std::vector<RecordedEvent> samples = sample_events();
  for (RecordedEvent& event : samples) {
    event.sequence = Sequence(1);
    BatchEncoder encoder;
    encoder.add(event);
    const EncodedBatch batch = encoder.batch();
    Input input(sizeof batch.count);
    std::memcpy(input.data(), &batch.count, sizeof batch.count);
    input.insert(input.end(), batch.bytes.begin(), batch.bytes.end());
    const std::string digits = std::to_string(number++);
    corpus.write(
        "decode_batch",
        "event-" + std::string(digits.size() < 2 ? "0" : "") + digits + "-" + std::string(type_name(event.event)),
        input);
  }
}

void write_all(const Corpus& corpus) {
  segments(corpus);
  state_files_of(corpus);
  events(corpus);
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    corpus.write("mutated_log", "random-" + std::to_string(seed), random_program(seed, 6 * seed));
    corpus.write("engine_calls", "random-" + std::to_string(seed), random_program(100 + seed, 40 * seed));
  }
}

}  // namespace
}  // namespace daybook::fuzz

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "usage: make_corpus FOLDER\n";
    return 2;
  }
  daybook::fuzz::write_all(daybook::fuzz::Corpus(words[1]));
}
