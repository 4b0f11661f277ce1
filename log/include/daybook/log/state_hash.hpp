// SPDX-License-Identifier: Apache-2.0
#pragma once

// The state hash: one number that stands for all entities of a book (docs/snapshot_format.md). Not thread-safe.

#include <memory>
#include <string>
#include <string_view>

#include "daybook/core/state.hpp"
#include "daybook/core/view.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {

/// The same for the same state, whatever store holds it, in whatever order, in every release. Requests that are older than the window
/// in which they are looked up do not count. Meant to show a mistake, not to withstand somebody who forges states: that is what the
/// log's chain is for. Encodes and hashes every entity.
[[nodiscard]] Hash state_hash(const View& view);

/// A state that can say its hash again and again: asking costs what was changed since it was asked before, not what there is. Needs
/// about 100 bytes for each request of the window. A moved-from one can only be destroyed.
class HashedState final : public State {
 public:
  explicit HashedState(State state = {});
  ~HashedState() override;
  HashedState(HashedState&&) noexcept;
  HashedState& operator=(HashedState&&) noexcept;
  HashedState(const HashedState&) = delete;
  HashedState& operator=(const HashedState&) = delete;

  /// That of `state_hash`. Book time must not have stepped back since it was asked before.
  [[nodiscard]] Hash hash();

  using State::put;
  void put(Job job) override;
  void put(Queue queue) override;
  void put(Group group) override;
  void put(Worker worker) override;
  void put(Name name) override;
  void put(RequestRecord request) override;
  void put(Setting setting) override;
  void put(Hold hold) override;
  void put(Recurring recurring) override;
  void erase_worker(NameId id) override;
  void erase_group(NameId queue, NameId id) override;
  void erase_hold(Sequence id) override;
  void erase_recurring(NameId id) override;
  void erase_job(Sequence id) override;
  void erase_queue(NameId id) override;
  void erase_name(NameId id) override;
  void erase_request(NameId client, std::string_view id) override;
  void erase_setting(std::string_view key) override;

 private:
  struct Sum;
  std::unique_ptr<Sum> sum_;
};

}  // namespace daybook
