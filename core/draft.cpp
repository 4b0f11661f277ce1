// SPDX-License-Identifier: Apache-2.0
#include "draft.hpp"

#include <algorithm>
#include <string>

namespace daybook {

NameId Draft::name(NameSort sort, std::string_view text) {
  if (const auto known = view.find_name(sort, text)) return *known;
  for (const Name& name : defined_) {
    if (name.sort == sort && name.text == text) return name.id;
  }
  const NameId id(static_cast<std::uint32_t>(book().names + defined_.size() + 1));
  defined_.push_back(Name{id, sort, std::string(text)});
  add(NameDefined{defined_.back()});
  return id;
}

void Draft::record_refused(const Job& job, const Token& token, OutcomeKind outcome, RefusalCode reason) {
  std::vector<RefusedOutcome>& here = refused_[job.id.sequence];
  if (job.refused.size() + here.size() >= limits::refusals_recorded_max) return;
  const RefusedOutcome refused{token, reason};
  if (std::find(job.refused.begin(), job.refused.end(), refused) != job.refused.end()) return;
  if (std::find(here.begin(), here.end(), refused) != here.end()) return;
  here.push_back(refused);
  add(OutcomeRefused{job.id, token, outcome, reason});
}

}  // namespace daybook
