// SPDX-License-Identifier: Apache-2.0
#pragma once

// State: the whole book in memory. The reference implementation of Store: for time travel, rebuilding, tests, and books
// that need no disk. About 400 bytes a job beside its payload.

#include <memory>

#include "daybook/core/view.hpp"

namespace daybook {

class State : public Store {
 public:
  State();
  ~State() override;
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] const Book& book() const override;
  [[nodiscard]] const Job* job(Sequence id) const override;
  [[nodiscard]] const Queue* queue(NameId id) const override;
  [[nodiscard]] const Group* group(NameId queue, NameId id) const override;
  [[nodiscard]] const Worker* worker(NameId id) const override;
  [[nodiscard]] const Name* name(NameId id) const override;
  [[nodiscard]] std::optional<NameId> find_name(NameSort sort, std::string_view text) const override;
  [[nodiscard]] const Setting* setting(std::string_view key) const override;
  [[nodiscard]] const Hold* hold(Sequence id) const override;
  [[nodiscard]] const Recurring* recurring(NameId id) const override;
  [[nodiscard]] std::optional<Sequence> key_holder(NameId queue, std::string_view key) const override;
  [[nodiscard]] const RequestRecord* request(NameId client, std::string_view id) const override;
  [[nodiscard]] std::vector<Sequence> ready(const ReadyQuery& query) const override;
  [[nodiscard]] std::optional<NameId> next_group(const GroupQuery& query, NameId from) const override;
  [[nodiscard]] std::uint64_t running_in(NameId queue) const override;
  [[nodiscard]] std::uint64_t running_in(NameId queue, NameId group) const override;
  [[nodiscard]] std::vector<Sequence> expired(BookTime now, std::size_t limit) const override;
  [[nodiscard]] std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const override;
  [[nodiscard]] std::vector<Sequence> overdue(const Moment& now, std::size_t limit) const override;
  [[nodiscard]] std::vector<Sequence> unsettled(std::size_t limit) const override;
  [[nodiscard]] bool has_open_children(Sequence parent) const override;
  [[nodiscard]] std::vector<Sequence> children(Sequence parent, std::size_t limit) const override;
  [[nodiscard]] std::vector<NameId> due_recurring(Instant now, std::size_t limit) const override;
  [[nodiscard]] std::vector<Sequence> running() const override;
  [[nodiscard]] std::vector<NameId> workers() const override;
  [[nodiscard]] Timers timers() const override;
  [[nodiscard]] Counts counts() const override;
  void each_job(const std::function<void(const Job&)>& visit) const override;
  void each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const override;
  void each_queue(const std::function<void(const Queue&)>& visit) const override;
  void each_group(const std::function<void(const Group&)>& visit) const override;
  void each_name(const std::function<void(const Name&)>& visit) const override;
  void each_request(const std::function<void(const RequestRecord&)>& visit) const override;
  void each_setting(const std::function<void(const Setting&)>& visit) const override;
  void each_hold(const std::function<void(const Hold&)>& visit) const override;
  void each_recurring(const std::function<void(const Recurring&)>& visit) const override;

  void advance(const Moment& now) override;
  void put(const Book& book) override;
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
  void erase_job(Sequence id) override;
  void erase_queue(NameId id) override;
  void erase_name(NameId id) override;
  void erase_request(NameId client, std::string_view id) override;
  void erase_setting(std::string_view key) override;
  void erase_recurring(NameId id) override;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace daybook
