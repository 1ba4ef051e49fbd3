# Compiler settings for everything, and the three functions that make our targets.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Programs lie at the top of the build directory (build/release/deduplab); lab_test moves tests away from there.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
set(LAB_GENERATED_DIR "${CMAKE_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${LAB_GENERATED_DIR}")

find_program(LAB_CCACHE ccache)
if(LAB_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${LAB_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LAB_CCACHE}")
endif()

# Equal figures on each machine: no fused multiply-add that one processor has and another has not.
add_compile_options(-ffp-contract=off)

if(LAB_SANITIZE)
  add_compile_options(-fsanitize=${LAB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LAB_SANITIZE})
endif()

if(LAB_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR LAB_TESTS)
    message(FATAL_ERROR "LAB_FUZZ needs clang and LAB_TESTS=OFF; the preset `fuzz` has both")
  endif()
  # The coverage that steers it, in all of our code.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# lab_target_options(<target>): include root and warnings of our own targets (never of third-party ones).
function(lab_target_options target)
  target_include_directories(${target} PUBLIC
    "${PROJECT_SOURCE_DIR}/src" "${CMAKE_BINARY_DIR}" "${LAB_GENERATED_DIR}")
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(NOT LAB_FUZZ)  # clang warns of more than the compiler that decides, also inside of its library's headers.
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlapping copies in "text" + std::string that are not there (GCC bug 105329).
    target_compile_options(${target} PRIVATE -Wno-restrict)
    if(LAB_SANITIZE)
      # Sanitizer code hides initializations from the optimizer; the release build keeps the warning.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
  endif()
  if(TARGET lab_build_version)
    add_dependencies(${target} lab_build_version)
  endif()
endfunction()

# lab_library(NAME <name> SOURCES <file>... [DEPS <target>...] [PRIVATE_DEPS <target>...])
# Static library lab_<name>, alias lab::<name>. DEPS are PUBLIC. Without a .cpp it is header-only.
function(lab_library)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;DEPS;PRIVATE_DEPS")
  lab_require_arguments("lab_library" "${arg_UNPARSED_ARGUMENTS}" "${arg_NAME}")
  set(target lab_${arg_NAME})
  set(compiled ${arg_SOURCES})
  list(FILTER compiled INCLUDE REGEX "\\.(cpp|c)$")
  if(compiled)
    add_library(${target} STATIC ${arg_SOURCES})
    lab_target_options(${target})
    target_link_libraries(${target} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  else()
    add_library(${target} INTERFACE ${arg_SOURCES})
    target_include_directories(${target} INTERFACE
      "${PROJECT_SOURCE_DIR}/src" "${CMAKE_BINARY_DIR}" "${LAB_GENERATED_DIR}")
    target_link_libraries(${target} INTERFACE ${arg_DEPS} ${arg_PRIVATE_DEPS})
  endif()
  add_library(lab::${arg_NAME} ALIAS ${target})
endfunction()

# lab_program(NAME <name> SOURCES <file>... [DEPS <target>...])
# Program <name> at the top of the build directory.
function(lab_program)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;DEPS")
  lab_require_arguments("lab_program" "${arg_UNPARSED_ARGUMENTS}" "${arg_NAME}")
  add_executable(${arg_NAME} ${arg_SOURCES})
  lab_target_options(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_DEPS})
endfunction()

# lab_test(NAME <name> LABEL unit|conformance|crash|e2e SOURCES <file>... [DEPS <target>...] [TIMEOUT <seconds>]
#          [FILTER <gtest filter>])
# GoogleTest program (with its main) test_<name>; each of its tests is a ctest test with that label. The
# timeout is one test's. Tests labelled crash or e2e wait for the program and get two macros:
# LAB_PROGRAM_PATH (the built deduplab) and LAB_SOURCE_ROOT (this repository), both string literals.
# FILTER leaves out some of the program's tests, which lab_more_tests then adds with other properties.
# Does nothing when LAB_TESTS is off.
function(lab_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;LABEL;TIMEOUT;FILTER" "SOURCES;DEPS")
  lab_require_arguments("lab_test" "${arg_UNPARSED_ARGUMENTS}" "${arg_NAME}")
  if(NOT arg_LABEL MATCHES "^(unit|conformance|crash|e2e)$")
    message(FATAL_ERROR "lab_test ${arg_NAME}: LABEL is unit, conformance, crash or e2e, not '${arg_LABEL}'")
  endif()
  if(NOT LAB_TESTS)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    # Sanitizers on a shared two-core machine are slow; a hang must still end the run soon.
    set(arg_TIMEOUT 120)
    if(arg_LABEL MATCHES "^(crash|e2e)$")
      set(arg_TIMEOUT 300)
    endif()
  endif()
  set(target test_${arg_NAME})
  add_executable(${target} ${arg_SOURCES})
  lab_target_options(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/test-programs")
  target_link_libraries(${target} PRIVATE ${arg_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  if(arg_LABEL MATCHES "^(crash|e2e)$")
    target_compile_definitions(${target} PRIVATE
      LAB_PROGRAM_PATH="${CMAKE_BINARY_DIR}/deduplab" LAB_SOURCE_ROOT="${PROJECT_SOURCE_DIR}")
    if(TARGET deduplab)
      add_dependencies(${target} deduplab)
    endif()
  endif()
  lab_more_tests(NAME ${arg_NAME} LABEL ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} FILTER "${arg_FILTER}"
    LIST ${arg_NAME}_tests)
endfunction()

# lab_more_tests(NAME <name> LABEL <label> TIMEOUT <seconds> FILTER <gtest filter> LIST <variable>
#                [PROPERTIES <property> <value>...])
# Tests of the program of lab_test <name> that its own FILTER has left out. LIST is the variable in which the
# files of TEST_INCLUDE_FILES, which ctest reads, find their names.
function(lab_more_tests)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;LABEL;TIMEOUT;FILTER;LIST" "PROPERTIES")
  lab_require_arguments("lab_more_tests" "${arg_UNPARSED_ARGUMENTS}" "${arg_NAME}")
  set(filter)
  if(arg_FILTER)
    set(filter TEST_FILTER "${arg_FILTER}")
  endif()
  gtest_discover_tests(test_${arg_NAME}
    ${filter}
    TEST_LIST ${arg_LIST}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} ${arg_PROPERTIES})
endfunction()

# A misspelled keyword must not be taken for one more source file in silence.
function(lab_require_arguments function_name unparsed name)
  if(unparsed)
    message(FATAL_ERROR "${function_name} ${name}: unknown arguments: ${unparsed}")
  endif()
  if(NOT name)
    message(FATAL_ERROR "${function_name}: NAME is missing")
  endif()
endfunction()
