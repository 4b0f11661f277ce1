// SPDX-License-Identifier: Apache-2.0
#pragma once

// Records: entities as the values of tables. Compact, little-endian, without field names; the layout version says how
// to read them. Each ends in a check over its table, key and bytes, because LMDB 0.9 has none of its own: what rotted or
// came from another place does not read.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/recurring.hpp"
#include "daybook/projections/job_index.hpp"
#include "positions.hpp"
#include "tables.hpp"

namespace daybook::record {

// Each `encode` replaces what is in `out`, keeping its memory, and leaves off what the key says.

void encode(const Job& job, std::string& out);       // table jobs: without the spec
void encode(const JobSpec& spec, std::string& out);  // table specs
void encode(const Queue& queue, std::string& out);
void encode(const Group& group, std::string& out);
void encode(const Worker& worker, std::string& out);
void encode(const Name& name, std::string& out);
void encode(const RequestRecord& request, std::string& out);  // the whole of it
void encode(const Book& book, std::string& out);
void encode(const IndexMark& mark, std::string& out);
void encode(const Frontiers& frontiers, std::string& out);
void encode(const std::vector<Setting>& settings, std::string& out);
void encode(const std::vector<Hold>& holds, std::string& out);
void encode(const Recurring& recurring, std::string& out);

// Each `decode` says whether the bytes are such a record, whole; if not, what it filled in means nothing.

[[nodiscard]] bool decode(std::string_view bytes, Job& job);  // but for the spec and the id's sequence
[[nodiscard]] bool decode(std::string_view bytes, JobSpec& spec);
[[nodiscard]] bool decode(std::string_view bytes, Queue& queue);    // but for the id
[[nodiscard]] bool decode(std::string_view bytes, Group& group);    // but for the queue and the id
[[nodiscard]] bool decode(std::string_view bytes, Worker& worker);  // but for the id
[[nodiscard]] bool decode(std::string_view bytes, Name& name);      // but for the id
[[nodiscard]] bool decode(std::string_view bytes, RequestRecord& request);
[[nodiscard]] bool decode(std::string_view bytes, Book& book);
[[nodiscard]] bool decode(std::string_view bytes, IndexMark& mark);
[[nodiscard]] bool decode(std::string_view bytes, Frontiers& frontiers);
[[nodiscard]] bool decode(std::string_view bytes, std::vector<Setting>& settings);
[[nodiscard]] bool decode(std::string_view bytes, std::vector<Hold>& holds);
[[nodiscard]] bool decode(std::string_view bytes, Recurring& recurring);  // but for the id

/// 32 bits that any change of a few bytes changes, with a chance of 2⁻³² to miss more. Not against forgery.
[[nodiscard]] std::uint32_t check(std::uint64_t seed, std::string_view bytes);

/// Appends the check to a record that stands under `key` of `table`.
void seal(Table table, std::string_view key, std::string& record);
/// Takes it off. False: the record is not what was sealed there.
[[nodiscard]] bool unseal(Table table, std::string_view key, std::string_view& record);

}  // namespace daybook::record
