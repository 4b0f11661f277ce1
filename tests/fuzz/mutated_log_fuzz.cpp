// SPDX-License-Identifier: Apache-2.0

// A valid log, broken by a program of copies, splices, swaps, cuts, flips and false headers whose own checksum holds. What is
// left opens to a prefix of what was written, no shorter than what the witness vouches for, or is refused: never a hole, never
// an altered event.

#include <algorithm>
#include <cstring>
#include <vector>

#include "crc32c.hpp"
#include "format.hpp"
#include "fuzz.hpp"
#include "sample_log.hpp"

namespace daybook::fuzz {
namespace {

constexpr int steps_max = 24;

class Breaker {
 public:
  Breaker(SampleLog& sample, Program& program) : sample_(sample), program_(program) {}

  void step() {
    std::vector<std::byte> content = take_file();
    switch (program_.below(12)) {
      case 0:
        if (!content.empty()) content[program_.below(content.size())] ^= std::byte(1u << program_.below(8));
        break;
      case 1:
        content.resize(program_.below(content.size() + 1));
        break;
      case 2: {  // zeros, or what a program says
        const auto [at, size] = range(content);
        const auto fill = std::byte(program_.byte());
        std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), size, fill);
        break;
      }
      case 3:
        splice(content, content_of(any_segment()));
        break;
      case 4:
        swap_batches(content);
        break;
      case 5:
        repeat_batch(content);
        break;
      case 6:
        falsify_header(content);
        break;
      case 7:
        forge_payload(content);
        break;
      case 8:  // a whole segment under another's name
        content = content_of(any_segment());
        break;
      case 9:
        sample_.disk->remove_durably(name_);
        lost_witness_ = lost_witness_ || name_ == "log/witness";
        return;
      case 10:  // old, or of nobody
        sample_.disk->remove_durably("log/witness");
        lost_witness_ = true;
        break;
      default:
        content.insert(content.end(), program_.below(64), std::byte{0});
        break;
    }
    lost_witness_ = lost_witness_ || name_ == "log/witness";
    sample_.disk->write_durably(name_, content);
  }

  [[nodiscard]] bool lost_witness() const { return lost_witness_; }
  [[nodiscard]] bool forged() const { return forged_; }

 private:
  std::vector<std::byte> take_file() {
    const std::uint64_t choice = program_.below(sample_.segments.size() + 1);
    name_ = choice == sample_.segments.size() ? "log/witness" : sample_.segments[choice];
    return content_of(name_);
  }
  [[nodiscard]] std::vector<std::byte> content_of(const std::string& name) const {
    return sample_.disk->exists(name) ? sample_.disk->content(name) : std::vector<std::byte>();
  }
  [[nodiscard]] std::string any_segment() { return sample_.segments[program_.below(sample_.segments.size())]; }

  struct Range {
    std::size_t at;
    std::size_t size;
  };
  [[nodiscard]] Range range(const std::vector<std::byte>& content) {
    const std::size_t at = program_.below(content.size() + 1);
    return {at, program_.below(std::min<std::size_t>(content.size() - at, 4096) + 1)};
  }

  void splice(std::vector<std::byte>& content, const std::vector<std::byte>& other) {
    const auto [from, size] = range(other);
    const std::size_t to = program_.below(content.size() + 1);
    const std::size_t fits = std::min(size, content.size() - to);
    std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), fits,
                content.begin() + static_cast<std::ptrdiff_t>(to));
  }

  [[nodiscard]] static std::vector<Range> batches(const std::vector<std::byte>& content) {
    std::vector<Range> found;
    for (std::size_t at = format::segment_header_bytes; at < content.size();) {
      const auto header = format::parse_batch_header(std::span(content).subspan(at));
      if (!header) break;
      const std::size_t size = format::batch_header_bytes + header->payload_bytes;
      if (size > content.size() - at) break;
      found.push_back({at, size});
      at += size;
    }
    return found;
  }

  void swap_batches(std::vector<std::byte>& content) {
    const auto all = batches(content);
    if (all.size() < 2) return;
    const std::size_t which = program_.below(all.size() - 1);
    const auto begin = content.begin() + static_cast<std::ptrdiff_t>(all[which].at);
    std::rotate(begin, begin + static_cast<std::ptrdiff_t>(all[which].size),
                begin + static_cast<std::ptrdiff_t>(all[which].size + all[which + 1].size));
  }

  void repeat_batch(std::vector<std::byte>& content) {
    const auto all = batches(content);
    if (all.empty()) return;
    const Range one = all[program_.below(all.size())];
    const std::vector<std::byte> copy(content.begin() + static_cast<std::ptrdiff_t>(one.at),
                                      content.begin() + static_cast<std::ptrdiff_t>(one.at + one.size));
    content.insert(content.begin() + static_cast<std::ptrdiff_t>(one.at + one.size), copy.begin(), copy.end());
  }

  // One field or another, and the header's checksum made right again.
  void falsify_header(std::vector<std::byte>& content) {
    const auto all = batches(content);
    if (all.empty()) return;
    const Range one = all[program_.below(all.size())];
    auto header = *format::parse_batch_header(std::span(content).subspan(one.at));
    const std::uint64_t value = program_.take(2);
    switch (program_.below(8)) {
      case 0:
        header.payload_bytes = static_cast<std::uint32_t>(value) & ~7u;
        break;
      case 1:
        header.first = Sequence(value);
        break;
      case 2:
        header.count = header.seal ? 0 : static_cast<std::uint32_t>(value);
        break;
      case 3:
        header.salt ^= value;
        break;
      case 4:
        header.offset = value;
        break;
      case 5:
        header.epoch = Epoch(value);
        break;
      case 6:
        header.batch_id ^= value;
        break;
      default:
        header.previous[program_.below(32)] ^= static_cast<std::uint8_t>(value);
        break;
    }
    const auto bytes = format::to_bytes(header);
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(one.at));
  }

  // Both checksums made right: only the chain can tell.
  void forge_payload(std::vector<std::byte>& content) {
    const auto all = batches(content);
    if (all.empty()) return;
    const Range one = all[program_.below(all.size())];
    const auto payload =
        std::span(content).subspan(one.at + format::batch_header_bytes, one.size - format::batch_header_bytes);
    if (payload.empty()) return;
    payload[program_.below(payload.size())] ^= std::byte(1u << program_.below(8));
    auto header = *format::parse_batch_header(std::span(content).subspan(one.at));
    header.payload_crc32c = crc32c(payload);
    const auto bytes = format::to_bytes(header);
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(one.at));
    forged_ = true;
  }

  SampleLog& sample_;
  Program& program_;
  std::string name_;
  bool lost_witness_ = false;
  bool forged_ = false;
};

}  // namespace

void mutated_log(Bytes bytes) {
  Program program(bytes);
  SampleLog sample = sample_log(static_cast<Ending>(program.below(3)));
  Breaker breaker(sample, program);
  for (int step = 0; step < steps_max && !program.ended(); ++step) breaker.step();

  const auto before = picture(*sample.disk);
  if (std::none_of(before.begin(), before.end(), [](const auto& file) { return file.first.ends_with(".seg"); }) &&
      breaker.lost_witness()) {
    return;  // nothing is left that could say that there was a log
  }
  const Reopened result = reopen(*sample.disk);
  require(result.opened || picture(*sample.disk) == before, "a refusal changes nothing");
  // A batch forged with both checksums is found out by what comes behind it: the next batch, the seal, the witness. So reading
  // does not get past it; but nothing vouches for the last one that the witness does not know.
  if (breaker.forged() && (result.refused || breaker.lost_witness())) return;
  const std::size_t vouched_for = breaker.forged() ? sample.acknowledged : sample.events.size();
  const std::size_t comparable = std::min(result.events.size(), vouched_for);
  require(result.events.size() <= sample.events.size() &&
              std::equal(result.events.begin(), result.events.begin() + static_cast<std::ptrdiff_t>(comparable),
                         sample.events.begin()),
          "what is handed out is a prefix of what was written");
  if (result.refused || breaker.lost_witness()) return;
  require(result.events.size() >= sample.acknowledged, "what the witness vouches for is there");
}

}  // namespace daybook::fuzz
