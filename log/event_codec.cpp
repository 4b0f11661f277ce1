// SPDX-License-Identifier: Apache-2.0
#include "event_codec.hpp"

#include <capnp/message.h>

#include <string>

#include "daybook/core/assert.hpp"
#include "event_wire.hpp"
#include "wire_read.hpp"

// Messages: the memory an event is built in, and the limits under which one is read. Fields are event_write.cpp's and
// event_read.cpp's, framing is batch.cpp's.

namespace daybook {
namespace {

constexpr std::size_t word_bytes = sizeof(capnp::word);

/// Builds in the words it was given. What does not fit goes elsewhere, is counted, and is then built again with more room.
class InPlaceBuilder final : public capnp::MessageBuilder {
 public:
  explicit InPlaceBuilder(kj::ArrayPtr<capnp::word> words) : words_(words) {}

  kj::ArrayPtr<capnp::word> allocateSegment(capnp::uint minimum_words) override {
    if (!given_ && minimum_words <= words_.size()) {
      given_ = true;
      return words_;
    }
    overflow_words_ += minimum_words;
    auto& spill = spills_.emplace_back(minimum_words, 0);
    return {reinterpret_cast<capnp::word*>(spill.data()), spill.size()};
  }

  [[nodiscard]] std::size_t overflow_words() const { return overflow_words_; }

 private:
  kj::ArrayPtr<capnp::word> words_;
  bool given_ = false;
  std::size_t overflow_words_ = 0;
  std::vector<std::vector<std::uint64_t>> spills_;
};

/// Enough for the frame of any event and its fixed fields.
constexpr std::size_t fixed_words = 40;

std::size_t words_of_text(std::string_view text) {
  return (text.size() + word_bytes - 1) / word_bytes;
}
std::size_t words_of(const Envelope& envelope) {
  if (envelope.empty()) return 0;
  const auto& contents = envelope.contents();
  return 4 + words_of_text(contents.subject) + words_of_text(contents.nonce) + words_of_text(contents.bytes);
}
constexpr std::size_t second_form_words = 36;  // what the second form of a JobScheduled adds

std::size_t words_of(const JobSpec& spec) {
  std::size_t words = second_form_words + words_of_text(spec.unique_key) + words_of(spec.payload) + 1;
  for (const Tag& tag : spec.tags) words += 2 + words_of_text(tag.key) + words_of_text(tag.value);
  if (!spec.dependencies.parents.empty()) words += 3 + 2 * spec.dependencies.parents.size();
  return words;
}

std::size_t words_of(const RecurringTerms& terms) {
  constexpr std::size_t terms_words = 48;  // with the first form of what is asked of each job
  const auto& rule = terms.recurrence.rule;
  std::size_t words = terms_words + words_of(terms.job);
  if (const auto* cron = std::get_if<CronRule>(&rule)) {
    words += limits::cron_bytes_max / word_bytes + words_of_text(cron->zone);
  }
  if (const auto* calendar = std::get_if<CalendarRule>(&rule)) words += calendar->instants.size();
  return words;
}

/// Room for the parts of an event that can be large. A guess that is too small costs a second go, nothing else.
struct VariableWords {
  std::size_t operator()(const JobScheduled& event) const { return event.spec ? words_of(*event.spec) : 0; }
  std::size_t operator()(const JobCompleted& event) const { return words_of(event.result); }
  std::size_t operator()(const JobReplaced& event) const { return event.spec ? 8 + words_of(*event.spec) : 0; }
  std::size_t operator()(const StepRecorded& event) const {
    return words_of_text(event.step.name) + words_of(event.step.result);
  }
  std::size_t operator()(const ResultsForgotten& event) const { return 1 + 2 * event.jobs.size(); }
  std::size_t operator()(const JobsPruned& event) const { return 1 + 4 * event.jobs.size(); }
  std::size_t operator()(const AttemptFailed& event) const { return words_of(event.error); }
  std::size_t operator()(const LeasesRenewed& event) const {
    std::size_t words = 1;
    for (const Renewal& renewal : event.renewals) words += 7 + (renewal.progress ? words_of(*renewal.progress) : 0);
    return words;
  }
  std::size_t operator()(const ConfigurationChanged& event) const {
    return words_of_text(event.setting.key) + words_of_text(event.setting.value) + words_of_text(event.before);
  }
  std::size_t operator()(const NameDefined& event) const { return words_of_text(event.name.text); }
  std::size_t operator()(const WorkerJoined& event) const {
    return (event.worker.queues.size() + event.worker.kinds.size()) / 2 + 2;
  }
  std::size_t operator()(const RequestRefused& event) const { return words_of_text(event.refusal.sentence); }
  std::size_t operator()(const SnapshotTaken&) const { return 8; }
  std::size_t operator()(const StateHashed&) const { return 4; }
  std::size_t operator()(const JobMarkedUncertain& event) const { return words_of_text(event.why); }
  std::size_t operator()(const GapDeclared& event) const { return words_of_text(event.reason); }
  std::size_t operator()(const EventSetAside& event) const {
    return words_of_text(event.why) + words_of_text(event.stored);
  }
  std::size_t operator()(const OperatorCommanded& event) const { return words_of_text(event.filter); }
  std::size_t operator()(const HoldPlaced& event) const { return words_of_text(event.filter); }
  std::size_t operator()(const RecurringDeclared& event) const {
    return words_of_text(event.owner) + words_of(*event.terms);
  }
  std::size_t operator()(const RecurringPaused& event) const { return words_of_text(event.problem); }
  template <class Other>
  std::size_t operator()(const Other&) const {
    return 0;
  }
};

std::size_t likely_words(const RecordedEvent& event) {
  return fixed_words + words_of_text(event.by.reason) + words_of_text(event.by.trace) +
         (event.request ? words_of_text(event.request->id) : 0) + std::visit(VariableWords{}, event.event);
}

}  // namespace

std::size_t encode_event(const RecordedEvent& event, std::vector<std::byte>& out) {
  DAYBOOK_ASSERT(out.size() % word_bytes == 0);
  const std::size_t start = out.size();
  for (std::size_t room = likely_words(event);;) {
    out.resize(start + room * word_bytes);  // zeroed, as Cap'n Proto asks
    InPlaceBuilder message({reinterpret_cast<capnp::word*>(out.data() + start), room});
    codec::write(message.initRoot<wire::RecordedEvent>(), event);
    if (message.overflow_words() == 0) {
      const std::size_t size = message.getSegmentsForOutput()[0].size() * word_bytes;
      out.resize(start + size);
      return size;
    }
    room += message.overflow_words() + fixed_words;
    out.resize(start);
  }
}

RecordedEvent decode_event(std::span<const std::byte> message, const Place& where) {
  return codec::read_message(message, "event", where, [&](capnp::MessageReader& reader) {
    return codec::read(reader.getRoot<wire::RecordedEvent>(), where);
  });
}

}  // namespace daybook
