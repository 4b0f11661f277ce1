// SPDX-License-Identifier: Apache-2.0

// Families: which jobs have which parents, and which final jobs somebody still awaits. What changed since the last projection is in
// memory, the rest is looked up where it stands.

#include <algorithm>

#include "impl.hpp"
#include "keys.hpp"

namespace daybook {
namespace {

template <class Visit>
void each(Sequence id, const Listing& listing, const Visit& visit) {
  for (const JobId& parent : listing.spec->dependencies.parents) {
    visit(FamilyPosition{parent.sequence, kinship(listing.state, listing.awaits, parent.sequence), id});
  }
}

}  // namespace

// A job that is entered is dirty: its entries in LMDB are void.
void JobIndex::Impl::enter_family(const Job& job) {
  if (!job.spec->dependencies.parents.empty()) {
    families_.any = true;
    each(job.id.sequence, listing(job), [&](const FamilyPosition& position) { families_.dirty.insert(position); });
  }
  if (job.awaits != Sequence()) {
    const Job* parent = find_job(job.awaits);
    if (parent != nullptr && is_final(parent->state)) mark_ended(job.awaits, true);
  }
  if (families_.any && is_final(job.state) && !family(job.id.sequence, Kinship::awaits, 1).empty()) {
    mark_ended(job.id.sequence, true);
  }
}

void JobIndex::Impl::leave_family(const Job& job) {
  if (job.spec->dependencies.parents.empty()) return;
  each(job.id.sequence, listing(job), [&](const FamilyPosition& position) { families_.dirty.erase(position); });
}

void JobIndex::Impl::mark_ended(Sequence parent, bool ended) {
  const bool changed = ended ? families_.ended.insert(parent).second : families_.ended.erase(parent) != 0;
  if (changed) families_.ended_dirty.insert(parent);
}

/// Up to `limit` children of that kinship and those before it, in order.
std::vector<FamilyPosition> JobIndex::Impl::family(Sequence parent, Kinship last, std::size_t limit) const {
  std::vector<FamilyPosition> found;
  if (!families_.any) return found;
  const FamilyPosition first{parent, Kinship::awaits, Sequence()};
  for (auto next = families_.dirty.lower_bound(first);
       next != families_.dirty.end() && next->parent == parent && next->kinship <= last && found.size() < limit;
       ++next) {
    found.push_back(*next);
  }
  const std::size_t in_memory = found.size();
  lmdb::Cursor cursor = lmdb_.cursor(Table::families);
  for (bool more = cursor.seek(keys::family(first)); more && found.size() - in_memory < limit; more = cursor.next()) {
    const std::optional<FamilyPosition> position = keys::parse_family(cursor.key());
    if (!position) damaged(Table::families, "a key does not read");
    if (position->parent != parent || position->kinship > last) break;
    if (!stale_on_disk(position->child)) found.push_back(*position);
  }
  std::sort(found.begin(), found.end());
  found.resize(std::min(found.size(), limit));
  return found;
}

std::vector<Sequence> JobIndex::Impl::unsettled(std::size_t limit) {
  std::vector<Sequence> ids;
  for (auto next = families_.ended.begin(); next != families_.ended.end() && ids.size() < limit;) {
    const Sequence parent = *next++;
    const Job* job = find_job(parent);
    const bool is_over = job != nullptr && is_final(job->state);
    const auto found = is_over ? family(parent, Kinship::awaits, limit - ids.size()) : std::vector<FamilyPosition>();
    // Nobody awaits it any more, or it goes on: then its next end counts.
    if (found.empty()) mark_ended(parent, false);
    for (const FamilyPosition& position : found) {
      // An entry that rotted must not reach a decision.
      const Job* child = find_job(position.child);
      if (child == nullptr || child->awaits != parent) {
        damaged(Table::families, "job " + std::to_string(position.child.value()) + " does not await its parent");
      }
      ids.push_back(position.child);
    }
  }
  return ids;
}

std::vector<Sequence> JobIndex::Impl::children(Sequence parent, std::size_t limit) const {
  std::vector<Sequence> ids;
  for (const FamilyPosition& position : family(parent, Kinship::closed, limit)) ids.push_back(position.child);
  return ids;
}

// ---- LMDB ---------------------------------------------------------------------------------------------------------

void JobIndex::Impl::load_families() {
  families_.any = lmdb_.cursor(Table::families).first();
  lmdb::Cursor cursor = lmdb_.cursor(Table::ended);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const std::optional<Sequence> parent = keys::parse_id(cursor.key());
    if (!parent) damaged(Table::ended, "a key does not read");
    families_.ended.insert(*parent);
  }
}

void JobIndex::Impl::plan_family(Sequence id, const std::optional<Listing>& before, const std::optional<Listing>& after,
                                 Writes& writes) {
  const auto has_parents = [](const std::optional<Listing>& listing) {
    return listing && !listing->spec->dependencies.parents.empty();
  };
  if (!has_parents(before) && !has_parents(after)) return;
  std::vector<FamilyPosition> was;
  std::vector<FamilyPosition> is;
  if (before) each(id, *before, [&](const FamilyPosition& position) { was.push_back(position); });
  if (after) each(id, *after, [&](const FamilyPosition& position) { is.push_back(position); });
  std::sort(was.begin(), was.end());
  std::sort(is.begin(), is.end());
  const auto is_in = [](const std::vector<FamilyPosition>& all, const FamilyPosition& one) {
    return std::binary_search(all.begin(), all.end(), one);
  };
  for (const FamilyPosition& position : was) {
    if (!is_in(is, position)) writes[Table::families].erase(keys::family(position));
  }
  for (const FamilyPosition& position : is) {
    if (!is_in(was, position)) writes[Table::families].put(keys::family(position), {});
  }
}

void JobIndex::Impl::plan_ended(Writes& writes) const {
  for (const Sequence parent : families_.ended_dirty) {
    if (families_.ended.contains(parent)) {
      writes[Table::ended].put(keys::number(parent), {});
    } else {
      writes[Table::ended].erase(keys::number(parent));
    }
  }
}

}  // namespace daybook
