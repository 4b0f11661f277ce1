// SPDX-License-Identifier: Apache-2.0
#include "daybook/system/system_clock.hpp"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "daybook/core/assert.hpp"
#include "daybook/system/system_random.hpp"
#include "descriptor.hpp"

namespace daybook {
namespace {

Duration read_clock(clockid_t which) {
  timespec now{};
  const int result = ::clock_gettime(which, &now);
  DAYBOOK_ASSERT(result == 0);
  return std::chrono::floor<Duration>(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

Uuid random_uuid() {
  SystemRandom random;
  const std::array<std::uint64_t, 2> words{random.next(), random.next()};
  Uuid uuid;
  static_assert(sizeof(words) == sizeof(uuid.bytes));
  std::memcpy(uuid.bytes.data(), words.data(), sizeof(words));
  return uuid;
}

Uuid read_boot_id() {
  const Descriptor file(uninterrupted([] { return ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC); }));
  if (!file.valid()) return random_uuid();
  std::array<char, 36> text{};
  const ssize_t bytes = uninterrupted([&] { return ::read(file.get(), text.data(), text.size()); });
  if (bytes != static_cast<ssize_t>(text.size())) return random_uuid();
  return parse_uuid(std::string_view(text.data(), text.size())).value_or(random_uuid());
}

}  // namespace

SystemClock::SystemClock() : boot_id_(read_boot_id()) {}

Instant SystemClock::wall() {
  return Instant(read_clock(CLOCK_REALTIME));
}

BootTime SystemClock::boot() {
  return BootTime(read_clock(CLOCK_BOOTTIME));
}

}  // namespace daybook
