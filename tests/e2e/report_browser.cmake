# The report in a browser: a made-up run of each kind, opened and looked at. Included by the CMakeLists.txt of this
# folder. Without Chromium or Python the test is skipped and says so.
if(NOT LAB_TESTS)
  return()
endif()
add_executable(make_sample_report make_sample_report.cpp)
lab_target_options(make_sample_report)
set_target_properties(make_sample_report PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/test-programs")
target_link_libraries(make_sample_report PRIVATE lab::report fmt::fmt)

find_program(LAB_PYTHON python3)
foreach(kind IN ITEMS sample hostile tiny empty large)
  set(report "${CMAKE_CURRENT_BINARY_DIR}/report_${kind}.html")
  add_test(NAME report_browser.make_${kind} COMMAND make_sample_report ${kind} "${report}")
  set_tests_properties(report_browser.make_${kind} PROPERTIES
    LABELS e2e TIMEOUT 300 FIXTURES_SETUP report_${kind})
  add_test(NAME report_browser.look_at_${kind}
    COMMAND "${LAB_PYTHON}" "${CMAKE_CURRENT_LIST_DIR}/report_browser.py" "${report}")
  set_tests_properties(report_browser.look_at_${kind} PROPERTIES
    LABELS e2e TIMEOUT 300 FIXTURES_REQUIRED report_${kind} SKIP_RETURN_CODE 77)
endforeach()
