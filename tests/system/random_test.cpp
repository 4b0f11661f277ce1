// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "daybook/system/system_random.hpp"

namespace daybook {
namespace {

TEST(SystemRandom, DoesNotRepeatItselfBetweenThreads) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 1000;
  SystemRandom random;
  std::array<std::vector<std::uint64_t>, threads> drawn;
  {
    std::vector<std::jthread> drawing;
    for (auto& numbers : drawn) {
      drawing.emplace_back([&] {
        for (std::size_t count = 0; count < each; ++count) numbers.push_back(random.next());
      });
    }
  }
  std::set<std::uint64_t> all;
  for (const auto& numbers : drawn) all.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(all.size(), threads * each);
}

TEST(SystemRandom, UsesAllSixtyFourBits) {
  SystemRandom random;
  std::uint64_t seen_set = 0;
  std::uint64_t seen_clear = 0;
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t number = random.next();
    seen_set |= number;
    seen_clear |= ~number;
  }
  EXPECT_EQ(seen_set, ~0ULL);
  EXPECT_EQ(seen_clear, ~0ULL);
}

TEST(SystemRandom, AForkedChildDrawsOtherNumbers) {
  SystemRandom random;
  [[maybe_unused]] const std::uint64_t fetched = random.next();
  std::array<int, 2> channel{};
  ASSERT_EQ(::pipe(channel.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::uint64_t number = random.next();
    ::_exit(::write(channel[1], &number, sizeof(number)) == sizeof(number) ? 0 : 1);
  }
  std::uint64_t of_child = 0;
  ASSERT_EQ(::read(channel[0], &of_child, sizeof(of_child)), static_cast<ssize_t>(sizeof(of_child)));
  ::waitpid(child, nullptr, 0);
  EXPECT_NE(random.next(), of_child);
  ::close(channel[0]);
  ::close(channel[1]);
}

}  // namespace
}  // namespace daybook
