# SPDX-License-Identifier: Apache-2.0

# What others get: libdaybook (one archive of all layers, as daybook::daybook), its headers, a CMake package and a pkg-config file
# (the tool installs itself). Layers and what they link are read off the targets, so a new layer only has to be named below. A library
# that is linked for the first time needs a line in each of the two tables.

set(daybook_layers core log projections replay system scheduler)

# Third-party target → how a consumer's CMake finds it (the body of one line of daybookConfig.cmake) …
set(daybook_find_tl::expected "find_dependency(tl-expected)")
set(daybook_find_CapnProto::capnp "find_dependency(CapnProto)")
set(daybook_find_CapnProto::kj "find_dependency(CapnProto)")
set(daybook_find_OpenSSL::Crypto "find_dependency(OpenSSL COMPONENTS Crypto)")
set(daybook_find_Threads::Threads "find_dependency(Threads)")
set(daybook_find_date::date-tz "find_dependency(date)")
set(daybook_find_spdlog::spdlog "find_dependency(spdlog)")
set(daybook_find_PkgConfig::LMDB [[
find_dependency(PkgConfig)
pkg_check_modules(LMDB QUIET IMPORTED_TARGET lmdb)
if(NOT TARGET PkgConfig::LMDB)
  set(daybook_FOUND FALSE)
  set(daybook_NOT_FOUND_MESSAGE "daybook needs LMDB, which pkg-config does not know as lmdb")
  return()
endif()]])
set(daybook_find_PkgConfig::ZSTD [[
find_dependency(PkgConfig)
pkg_check_modules(ZSTD QUIET IMPORTED_TARGET libzstd)
if(NOT TARGET PkgConfig::ZSTD)
  set(daybook_FOUND FALSE)
  set(daybook_NOT_FOUND_MESSAGE "daybook needs Zstandard, which pkg-config does not know as libzstd")
  return()
endif()]])
# … and what pkg-config calls it (tl::expected is only headers, which lie where the compiler looks).
set(daybook_pc_tl::expected "")
set(daybook_pc_CapnProto::capnp capnp)
set(daybook_pc_CapnProto::kj kj)
set(daybook_pc_OpenSSL::Crypto libcrypto)
set(daybook_pc_Threads::Threads "")
set(daybook_pc_spdlog::spdlog spdlog)
set(daybook_pc_date::date-tz "")
set(daybook_pc_PkgConfig::LMDB lmdb)
set(daybook_pc_PkgConfig::ZSTD libzstd)

set(daybook_objects "")
set(daybook_include_dirs "")
set(daybook_links "")
foreach(layer IN LISTS daybook_layers)
  if(NOT TARGET daybook_${layer})
    continue()
  endif()
  list(APPEND daybook_objects $<TARGET_OBJECTS:daybook_${layer}>)
  get_target_property(sources daybook_${layer} SOURCES)  # generated code is compiled as a target of its own
  list(FILTER sources INCLUDE REGEX "TARGET_OBJECTS")
  list(APPEND daybook_objects ${sources})
  get_target_property(folder daybook_${layer} SOURCE_DIR)
  if(IS_DIRECTORY ${folder}/include)
    list(APPEND daybook_include_dirs ${folder}/include)
  endif()
  get_target_property(links daybook_${layer} LINK_LIBRARIES)
  list(APPEND daybook_links ${links})
endforeach()
list(REMOVE_DUPLICATES daybook_links)
list(FILTER daybook_links EXCLUDE REGEX "^(daybook_|links-NOTFOUND|::@)")

# Named libdaybook in this tree, because the tool takes the name of the file "daybook".
add_library(libdaybook STATIC ${daybook_objects})
add_library(daybook::daybook ALIAS libdaybook)
set_target_properties(libdaybook PROPERTIES OUTPUT_NAME daybook EXPORT_NAME daybook LINKER_LANGUAGE CXX)
target_compile_features(libdaybook PUBLIC cxx_std_20)
target_include_directories(libdaybook PUBLIC "$<BUILD_INTERFACE:${daybook_include_dirs}>"
                                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
foreach(link IN LISTS daybook_links)
  if(NOT DEFINED daybook_find_${link} OR NOT DEFINED daybook_pc_${link})
    message(FATAL_ERROR "A layer links ${link}, and cmake/DaybookInstall.cmake does not say how consumers find it.")
  endif()
  if(link STREQUAL tl::expected)
    target_link_libraries(libdaybook PUBLIC ${link})
  else()
    target_link_libraries(libdaybook PRIVATE ${link})
  endif()
endforeach()

# Beside it, for the tests of others and in no service: daybook::testing.
add_library(libdaybook_testing STATIC $<TARGET_OBJECTS:daybook_testing>)
add_library(daybook::testing ALIAS libdaybook_testing)
set_target_properties(libdaybook_testing PROPERTIES OUTPUT_NAME daybook-testing EXPORT_NAME testing LINKER_LANGUAGE CXX)
target_include_directories(libdaybook_testing PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/testing/include>")
target_link_libraries(libdaybook_testing PUBLIC libdaybook)

if(NOT DAYBOOK_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
set(daybook_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/daybook)

install(TARGETS libdaybook libdaybook_testing EXPORT daybookTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT daybookTargets NAMESPACE daybook:: DESTINATION ${daybook_package_dir})
foreach(folder IN LISTS daybook_include_dirs ITEMS ${PROJECT_SOURCE_DIR}/testing/include)
  install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.hpp" PATTERN "mutant.hpp" EXCLUDE)
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/LICENSE)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

set(DAYBOOK_FIND_DEPENDENCIES "")
set(DAYBOOK_PC_REQUIRES "")
foreach(link IN LISTS daybook_links)
  string(APPEND DAYBOOK_FIND_DEPENDENCIES "${daybook_find_${link}}\n")
  string(APPEND DAYBOOK_PC_REQUIRES "${daybook_pc_${link}} ")
endforeach()
string(STRIP "${DAYBOOK_PC_REQUIRES}" DAYBOOK_PC_REQUIRES)
# Relative to itself, so that an install can be moved.
file(RELATIVE_PATH DAYBOOK_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" DAYBOOK_PC_PREFIX ${DAYBOOK_PC_PREFIX})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/daybookConfig.cmake.in ${PROJECT_BINARY_DIR}/daybookConfig.cmake
                              INSTALL_DESTINATION ${daybook_package_dir})
# Before 1.0 a minor release may break what was linked against the one before it.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/daybookConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/daybookConfig.cmake ${PROJECT_BINARY_DIR}/daybookConfigVersion.cmake
        DESTINATION ${daybook_package_dir})
configure_file(${CMAKE_CURRENT_LIST_DIR}/daybook.pc.in ${PROJECT_BINARY_DIR}/daybook.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/daybook.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
