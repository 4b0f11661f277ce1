// SPDX-License-Identifier: Apache-2.0
#pragma once

// Savepoint: a Store that passes everything on to another one and keeps what was there before, so that the
// changes of a refused batch can be taken back.

#include <cstddef>
#include <functional>
#include <vector>

#include "daybook/core/view.hpp"

namespace daybook {

class Savepoint final : public Store {
 public:
  explicit Savepoint(Store& below) : below_(below) {}

  [[nodiscard]] std::size_t mark() const { return undo_.size(); }
  /// Takes back, last first, everything changed since `mark`.
  void roll_back(std::size_t mark);
  /// Hands on what waited.
  void commit();

  [[nodiscard]] const Book& book() const override { return book_ ? *book_ : below_.book(); }
  [[nodiscard]] const Job* job(Sequence id) const override { return below_.job(id); }
  [[nodiscard]] const Queue* queue(NameId id) const override { return below_.queue(id); }
  [[nodiscard]] const Group* group(NameId queue, NameId id) const override { return below_.group(queue, id); }
  [[nodiscard]] const Worker* worker(NameId id) const override { return below_.worker(id); }
  [[nodiscard]] const Name* name(NameId id) const override { return below_.name(id); }
  [[nodiscard]] std::optional<NameId> find_name(NameSort sort, std::string_view text) const override {
    return below_.find_name(sort, text);
  }
  [[nodiscard]] const Setting* setting(std::string_view key) const override { return below_.setting(key); }
  [[nodiscard]] const Hold* hold(Sequence id) const override { return below_.hold(id); }
  [[nodiscard]] const Recurring* recurring(NameId id) const override { return below_.recurring(id); }
  [[nodiscard]] std::optional<Sequence> key_holder(NameId queue, std::string_view key) const override {
    return below_.key_holder(queue, key);
  }
  [[nodiscard]] const RequestRecord* request(NameId client, std::string_view id) const override;
  [[nodiscard]] std::vector<Sequence> ready(const ReadyQuery& query) const override { return below_.ready(query); }
  [[nodiscard]] std::optional<NameId> next_group(const GroupQuery& query, NameId from) const override {
    return below_.next_group(query, from);
  }
  [[nodiscard]] std::uint64_t running_in(NameId queue) const override { return below_.running_in(queue); }
  [[nodiscard]] std::uint64_t running_in(NameId queue, NameId group) const override {
    return below_.running_in(queue, group);
  }
  [[nodiscard]] std::vector<Sequence> expired(BookTime now, std::size_t limit) const override {
    return below_.expired(now, limit);
  }
  [[nodiscard]] std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const override {
    return below_.aged(shelf, behind, until, limit);
  }
  [[nodiscard]] std::vector<Sequence> overdue(const Moment& now, std::size_t limit) const override {
    return below_.overdue(now, limit);
  }
  [[nodiscard]] std::vector<Sequence> unsettled(std::size_t limit) const override { return below_.unsettled(limit); }
  [[nodiscard]] bool has_open_children(Sequence parent) const override { return below_.has_open_children(parent); }
  [[nodiscard]] std::vector<Sequence> children(Sequence parent, std::size_t limit) const override {
    return below_.children(parent, limit);
  }
  [[nodiscard]] std::vector<NameId> due_recurring(Instant now, std::size_t limit) const override {
    return below_.due_recurring(now, limit);
  }
  [[nodiscard]] std::vector<Sequence> running() const override { return below_.running(); }
  [[nodiscard]] std::vector<NameId> workers() const override { return below_.workers(); }
  [[nodiscard]] Timers timers() const override { return below_.timers(); }
  [[nodiscard]] Counts counts() const override { return below_.counts(); }
  void each_job(const std::function<void(const Job&)>& visit) const override { below_.each_job(visit); }
  void each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const override {
    below_.each_job_after(after, visit);
  }
  void each_queue(const std::function<void(const Queue&)>& visit) const override { below_.each_queue(visit); }
  void each_group(const std::function<void(const Group&)>& visit) const override { below_.each_group(visit); }
  void each_name(const std::function<void(const Name&)>& visit) const override { below_.each_name(visit); }
  void each_request(const std::function<void(const RequestRecord&)>& visit) const override {
    below_.each_request(visit);
  }
  void each_setting(const std::function<void(const Setting&)>& visit) const override { below_.each_setting(visit); }

  void each_hold(const std::function<void(const Hold&)>& visit) const override { below_.each_hold(visit); }
  void each_recurring(const std::function<void(const Recurring&)>& visit) const override {
    below_.each_recurring(visit);
  }

  void advance(const Moment& now) override { below_.advance(now); }
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
  /// Remembers to put `before` back, or, when there was nothing, to erase what comes.
  template <class Entity, class Erase>
  void keep(const Entity* before, Erase erase);

  Store& below_;
  std::optional<Book> book_;
  std::vector<RequestRecord> requests_;  // a submission has one
  std::vector<std::function<void(Store&)>> undo_;
};

}  // namespace daybook
