# SPDX-License-Identifier: Apache-2.0
# A disk in memory, and the other ports by hand. The fuzzers want it without the rest of the tests.
include_guard(GLOBAL)
set(folder ${PROJECT_SOURCE_DIR}/tests/support)
add_library(daybook_test_support STATIC ${folder}/disk_content.cpp ${folder}/disk_faults.cpp ${folder}/memory_crash.cpp
                                        ${folder}/memory_disk.cpp ${folder}/memory_storage.cpp)
target_include_directories(daybook_test_support PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(daybook_test_support PUBLIC daybook_core)
daybook_warnings(daybook_test_support)
