// SPDX-License-Identifier: Apache-2.0

// Every input of the corpus, and mutations of them that are always the same, through the functions that libFuzzer calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "support/manual_clock.hpp"

namespace daybook::fuzz {
namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::byte>;

struct Target {
  const char* name;
  void (*judge)(Bytes);
  int mutations;  // of each input
};

void PrintTo(const Target& target, std::ostream* out) {
  *out << target.name;
}

std::vector<std::pair<std::string, Input>> corpus_of(const std::string& target) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(DAYBOOK_CORPUS) / (target + "_fuzz")))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::pair<std::string, Input>> corpus;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto bytes = std::as_bytes(std::span(text));
    corpus.emplace_back(path.filename().string(), Input(bytes.begin(), bytes.end()));
  }
  return corpus;
}

// What a fuzzer would try first: a flipped bit, a byte of any value, a piece left out, doubled, or from another input.
void mutate(Input& input, const Input& other, test::FixedRandom& random) {
  const auto below = [&](std::size_t limit) {
    return limit == 0 ? 0 : static_cast<std::size_t>(random.next() % limit);
  };
  const std::size_t at = below(input.size() + 1);
  const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t size = std::min(input.size() - at, below(64));
  const std::uint64_t kind = random.next() % 5;
  if (kind == 0 && at < input.size()) input[at] ^= std::byte(1u << (random.next() % 8));
  if (kind == 1 && at < input.size()) input[at] = std::byte(random.next() & 0xff);
  if (kind == 2) input.erase(here, here + static_cast<std::ptrdiff_t>(size));
  if (kind == 3) {
    const Input piece(here, here + static_cast<std::ptrdiff_t>(size));
    input.insert(here, piece.begin(), piece.end());
  }
  if (kind == 4 && !other.empty()) {
    const std::size_t from = below(other.size());
    const std::size_t length = std::min(other.size() - from, 1 + below(64));
    input.insert(here, other.begin() + static_cast<std::ptrdiff_t>(from),
                 other.begin() + static_cast<std::ptrdiff_t>(from + length));
  }
}

class Corpus : public testing::TestWithParam<Target> {
 protected:
  // The input that breaks a law is kept, to be named and to stay in the corpus.
  static bool judged(const Input& input, const std::string& name) {
    try {
      GetParam().judge(input);
      return true;
    } catch (const std::exception& error) {
      const fs::path kept = fs::path(testing::TempDir()) / (std::string(GetParam().name) + "-broken");
      std::ofstream(kept, std::ios::binary)
          .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
      ADD_FAILURE() << name << ": " << error.what() << "; the input is " << kept;
      return false;
    }
  }
};

TEST_P(Corpus, IsJudged) {
  const auto corpus = corpus_of(GetParam().name);
  ASSERT_FALSE(corpus.empty());
  for (const auto& [name, input] : corpus) judged(input, name);
  judged({}, "nothing");
}

TEST_P(Corpus, MutatedIsJudged) {
  const auto corpus = corpus_of(GetParam().name);
  const char* const more = std::getenv("DAYBOOK_FUZZ_FACTOR");
  const int mutations = GetParam().mutations * (more == nullptr ? 1 : std::atoi(more));
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    test::FixedRandom random(i + 1);
    for (int mutation = 0; mutation < mutations; ++mutation) {
      Input input = corpus[i].second;
      const Input& other = corpus[random.next() % corpus.size()].second;
      for (std::uint64_t left = 1 + random.next() % 4; left > 0; --left) mutate(input, other, random);
      if (!judged(input, corpus[i].first + ", mutation " + std::to_string(mutation))) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus,
                         testing::Values(Target{"text", text, 500}, Target{"cron", cron, 2000},
                                         Target{"crontab", crontab, 1000}, Target{"filter", filter, 500},
                                         Target{"decode_batch", decode_batch, 100}, Target{"segment", segment, 150},
                                         Target{"mutated_log", mutated_log, 100},
                                         Target{"state_files", state_files, 60},
                                         Target{"engine_calls", engine_calls, 60}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace daybook::fuzz
