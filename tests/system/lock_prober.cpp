// SPDX-License-Identifier: Apache-2.0

// Another process that wants the lock: `lock_prober DIRECTORY` prints "locked", or "held: OWNER", or "error
// N".

#include <iostream>

#include "daybook/system/posix_storage.hpp"

int main(int, char** arguments) {
  const auto storage = daybook::PosixStorage::open(arguments[1], daybook::Access::read_write);
  const daybook::Locked locked = storage->lock("prober");
  if (locked.lock) {
    std::cout << "locked";
  } else if (locked.error != 0) {
    std::cout << "error " << locked.error;
  } else {
    std::cout << "held: " << locked.owner;
  }
}
