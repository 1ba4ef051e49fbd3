# Tests on real servers: which systems have one, and how a test gets it.

# Every system that is a server; a new one is one more name here.
set(LAB_SERVER_SYSTEMS postgresql cockroachdb mariadb clickhouse redis kafka minio)

# Their tests fail without a server; those of the others are skipped. `scripts/setup servers` brings these.
set(LAB_REQUIRED_SERVERS "postgresql,mariadb,clickhouse,redis,kafka,minio" CACHE STRING
  "Systems whose missing server is a failure of the tests and not a skip, joined by commas; may be empty")

set(LAB_SERVERS_FILE "${CMAKE_BINARY_DIR}/servers/servers.toml")

# lab_tests_of_server(<system> <variable>): the gtest filter of a server's tests: the suite's instances of it, and the
# fixtures <System>Server... ("RedisServer") of what only this server can get wrong.
function(lab_tests_of_server system variable)
  string(SUBSTRING "${system}" 0 1 first)
  string(SUBSTRING "${system}" 1 -1 rest)
  string(TOUPPER "${first}" first)
  set(${variable} "*/${system}_*:${first}${rest}Server*.*" PARENT_SCOPE)
endfunction()

# lab_server_filter(<variable>): the gtest filter that leaves out all tests of servers.
function(lab_server_filter variable)
  set(patterns)
  foreach(system IN LISTS LAB_SERVER_SYSTEMS)
    lab_tests_of_server(${system} pattern)
    list(APPEND patterns "${pattern}")
  endforeach()
  list(JOIN patterns ":" patterns)
  set(${variable} "-${patterns}" PARENT_SCOPE)
endfunction()

# lab_server_tests(NAME <name> LABEL <label> TIMEOUT <seconds>)
# The tests of lab_test <name> that need a server. They get the running servers of the fixture, and of each
# server one test at a time. Instances of variants that are not the first one, and others that are called "_also_", have
# the label `deep`: they take a quarter of an hour, and what is their own is also run by a cell of every stage in
# tests/e2e.
function(lab_server_tests)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;LABEL;TIMEOUT" "")
  lab_require_arguments("lab_server_tests" "${arg_UNPARSED_ARGUMENTS}" "${arg_NAME}")
  if(NOT LAB_TESTS)
    return()
  endif()
  set(script "# Made by CMake; read by ctest.\n")
  foreach(system IN LISTS LAB_SERVER_SYSTEMS)
    lab_tests_of_server(${system} filter)
    foreach(depth IN ITEMS usual deep)
      if(depth STREQUAL "deep")
        set(wanted "*/${system}_also_*")
        set(label deep)
      else()
        set(wanted "${filter}-*/${system}_also_*")
        set(label ${arg_LABEL})
      endif()
      set(list ${arg_NAME}_${system}_${depth}_tests)
      lab_more_tests(NAME ${arg_NAME} LABEL ${label} TIMEOUT ${arg_TIMEOUT} FILTER "${wanted}" LIST ${list}
        PROPERTIES FIXTURES_REQUIRED servers RESOURCE_LOCK ${system})
      # Two variables: a list, which gtest_discover_tests would take apart.
      string(APPEND script
        "if(${list})\n"
        "  set_tests_properties(\${${list}} PROPERTIES ENVIRONMENT\n"
        "    \"LAB_SERVERS=${LAB_SERVERS_FILE};LAB_REQUIRE=${LAB_REQUIRED_SERVERS}\")\n"
        "endif()\n")
    endforeach()
  endforeach()
  set(file "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}_servers.cmake")
  file(GENERATE OUTPUT "${file}" CONTENT "${script}")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${file}")
endfunction()

# lab_server_fixture(): the tests that start the servers before, and end them after, whatever happened between.
function(lab_server_fixture)
  set(script "${PROJECT_SOURCE_DIR}/tests/conformance/servers.sh")
  foreach(step up down)
    add_test(NAME "Servers.${step}"
      COMMAND "${script}" ${step} "${CMAKE_BINARY_DIR}/deduplab" "${LAB_SERVERS_FILE}" "${LAB_REQUIRED_SERVERS}")
    set_tests_properties("Servers.${step}" PROPERTIES LABELS conformance TIMEOUT 400)
  endforeach()
  set_tests_properties("Servers.up" PROPERTIES FIXTURES_SETUP servers)
  set_tests_properties("Servers.down" PROPERTIES FIXTURES_CLEANUP servers)
endfunction()
