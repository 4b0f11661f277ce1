# SPDX-License-Identifier: Apache-2.0

# daybook_warnings(TARGET): what every target of ours is compiled with.
function(daybook_warnings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Werror)
  # g++ 12 sees overlaps in std::string that cannot be (GCC bug 105651).
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
endfunction()

# daybook_layer(NAME SOURCES … LINKS …): a static library of one folder, whose public headers are in its include/.
function(daybook_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_library(daybook_${name} STATIC ${arg_SOURCES})
  target_include_directories(daybook_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
  target_link_libraries(daybook_${name} ${arg_LINKS})
  target_compile_definitions(daybook_${name} PRIVATE $<$<BOOL:${DAYBOOK_MUTANTS}>:DAYBOOK_MUTANTS>)
  daybook_warnings(daybook_${name})
endfunction()
