// SPDX-License-Identifier: Apache-2.0

// Any bytes as one of the small files that say what the others are worth: the witness of a log (with its checksums made right or
// not), the state of an index, a record of an index. A log opens to all it has or is refused, an index is distrusted with a
// reason, a record that reads is written again as itself.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "crc32c.hpp"
#include "format.hpp"
#include "fuzz.hpp"
#include "record.hpp"
#include "sample_log.hpp"
#include "trust.hpp"

namespace daybook::fuzz {
namespace {

void witness(Bytes bytes, Ending ending, bool with_checksums) {
  SampleLog sample = sample_log(ending);
  std::vector<std::byte> content(bytes.begin(), bytes.end());
  for (std::size_t slot = 0; with_checksums && (slot + 1) * format::witness_slot_bytes <= content.size(); ++slot) {
    const auto one = std::span(content).subspan(slot * format::witness_slot_bytes, format::witness_slot_bytes);
    const std::uint32_t checksum = crc32c(one.first(format::witness_slot_bytes - 4));
    for (std::size_t i = 0; i < 4; ++i)
      one[format::witness_slot_bytes - 4 + i] = std::byte((checksum >> (8 * i)) & 0xff);
  }
  sample.disk->write_durably("log/witness", content);
  const auto before = picture(*sample.disk);
  const Reopened result = reopen(*sample.disk);
  require(result.opened || picture(*sample.disk) == before, "a refusal changes nothing");
  if (!result.refused) require(result.events == sample.events, "every whole batch is there, whatever the witness says");
}

// One folder for as long as the process lives.
const std::string& index_folder() {
  static const struct Temporary {
    Temporary() {
      path = (std::filesystem::temp_directory_path() / "daybook-fuzz-XXXXXX").string();
      require(::mkdtemp(path.data()) != nullptr, "there is a temporary folder");
    }
    ~Temporary() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::string path;
  } temporary;
  return temporary.path;
}

void index_state(Bytes bytes) {
  std::ofstream(index_folder() + "/state", std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  std::string why;
  const auto state = trust::Folder::find(index_folder())->read_state(why);
  require(state.has_value() == why.empty(), "a state file is read, or a reason is given");
}

template <class Entity>
void one_record(std::string_view bytes) {
  Entity entity{};
  if (!record::decode(bytes, entity)) return;
  std::string written;
  record::encode(entity, written);
  Entity again{};
  require(record::decode(written, again), "a record that was written reads");
  std::string twice;
  record::encode(again, twice);
  require(written == twice, "a record reads again as itself");
}

}  // namespace

void state_files(Bytes bytes) {
  Program program(bytes);
  const std::uint64_t kind = program.below(20);
  const std::string_view text(reinterpret_cast<const char*>(program.rest().data()), program.rest().size());
  if (kind < 6) return witness(program.rest(), static_cast<Ending>(kind % 3), kind >= 3);
  if (kind == 6) return index_state(program.rest());
  if (kind == 7) return one_record<Job>(text);
  if (kind == 8) return one_record<JobSpec>(text);
  if (kind == 9) return one_record<Queue>(text);
  if (kind == 10) return one_record<Worker>(text);
  if (kind == 11) return one_record<Name>(text);
  if (kind == 12) return one_record<RequestRecord>(text);
  if (kind == 13) return one_record<Book>(text);
  if (kind == 14) return one_record<IndexMark>(text);
  if (kind == 15) return one_record<Frontiers>(text);
  if (kind == 17) return one_record<Group>(text);
  if (kind == 18) return one_record<std::vector<Hold>>(text);
  if (kind == 19) return one_record<Recurring>(text);
  one_record<std::vector<Setting>>(text);
}

}  // namespace daybook::fuzz
