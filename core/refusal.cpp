// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/refusal.hpp"

namespace daybook {

std::string_view to_string(RefusalCode code) {
  switch (code) {
    case RefusalCode::invalid_argument:
      return "invalid_argument";
    case RefusalCode::no_such_job:
      return "no_such_job";
    case RefusalCode::another_history:
      return "another_history";
    case RefusalCode::lease_lost:
      return "lease_lost";
    case RefusalCode::already_completed:
      return "already_completed";
    case RefusalCode::already_final:
      return "already_final";
    case RefusalCode::not_running:
      return "not_running";
    case RefusalCode::is_running:
      return "is_running";
    case RefusalCode::not_dead:
      return "not_dead";
    case RefusalCode::duplicate_key:
      return "duplicate_key";
    case RefusalCode::payload_too_large:
      return "payload_too_large";
    case RefusalCode::due_out_of_range:
      return "due_out_of_range";
    case RefusalCode::lease_out_of_range:
      return "lease_out_of_range";
    case RefusalCode::attempts_out_of_range:
      return "attempts_out_of_range";
    case RefusalCode::batch_too_large:
      return "batch_too_large";
    case RefusalCode::too_many_tags:
      return "too_many_tags";
    case RefusalCode::queue_unknown:
      return "queue_unknown";
    case RefusalCode::worker_unknown:
      return "worker_unknown";
    case RefusalCode::book_held:
      return "book_held";
    case RefusalCode::not_held:
      return "not_held";
    case RefusalCode::storage_full:
      return "storage_full";
    case RefusalCode::closed:
      return "closed";
    case RefusalCode::read_only:
      return "read_only";
    case RefusalCode::too_old:
      return "too_old";
    case RefusalCode::clock_doubted:
      return "clock_doubted";
    case RefusalCode::needs_upgrade:
      return "needs_upgrade";
    case RefusalCode::is_uncertain:
      return "is_uncertain";
    case RefusalCode::pruned:
      return "pruned";
    case RefusalCode::not_matching:
      return "not_matching";
    case RefusalCode::no_such_recurring:
      return "no_such_recurring";
  }
  return "unknown";
}

}  // namespace daybook
