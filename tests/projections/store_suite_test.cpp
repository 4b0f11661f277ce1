// SPDX-License-Identifier: Apache-2.0

// The index is held to what every store must do, with its housekeeping in three forms: projecting, going on after a
// clean close, going on after a crash.

#include "support/store_suite.hpp"

#include <map>

#include "index_fixture.hpp"
#include "support/store_suite_operators.hpp"
#include "support/store_suite_recurring.hpp"

namespace daybook {
namespace {

using test::IndexFolder;

constexpr IndexTuning tiny = {.window = 2, .chunk = 1, .cached_jobs = 0, .promotions = 2, .map_bytes = 256 * 1024};

/// Each index is alone in its folder, which lives as long as the program.
class Folders {
 public:
  std::unique_ptr<Store> make(const IndexTuning& tuning) {
    const std::string path = (root_.path() / std::to_string(++count_)).string();
    return keep(JobIndex::create(path, test::this_boot, State(), test::mark_at(Sequence(0)), tuning), path);
  }
  void reopen(std::unique_ptr<Store>& store, const IndexTuning& tuning) {
    const std::string path = paths_.at(store.get());
    paths_.erase(store.get());
    store.reset();
    IndexDistrust distrust;
    auto index = JobIndex::open(path, test::this_log, test::this_boot, distrust, tuning);
    ASSERT_NE(index, nullptr) << distrust.why;
    store = keep(std::move(index), path);
  }

 private:
  std::unique_ptr<Store> keep(std::unique_ptr<JobIndex> index, const std::string& path) {
    paths_[index.get()] = path;
    return index;
  }

  test::FastFolder root_;
  std::map<const Store*, std::string> paths_;
  int count_ = 0;
};

Folders& folders() {
  static Folders folders;
  return folders;
}

JobIndex& project(Store& store, const Moment& now) {
  auto& index = dynamic_cast<JobIndex&>(store);
  index.project(test::mark_at(index.book().head), now);
  return index;
}

StoreUnderTest projecting(std::string name, IndexTuning tuning) {
  return {std::move(name), [tuning] { return folders().make(tuning); },
          [](std::unique_ptr<Store>& store, const Moment& now) { project(*store, now); }};
}

StoreUnderTest reopening(std::string name, bool cleanly) {
  return {std::move(name), [] { return folders().make(tiny); },
          [cleanly](std::unique_ptr<Store>& store, const Moment& now) {
            JobIndex& index = project(*store, now);
            if (cleanly) index.close();
            folders().reopen(store, tiny);
            store->advance(now);
          }};
}

INSTANTIATE_TEST_SUITE_P(JobIndex, StoreSuite,
                         ::testing::Values(projecting("Projecting", {}), projecting("ProjectingTinyWindows", tiny),
                                           reopening("Closing", true), reopening("Crashing", false)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace daybook
