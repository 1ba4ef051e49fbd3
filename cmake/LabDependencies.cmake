# Third-party libraries, all from the distribution (scripts/setup installs them). Imported targets are system
# headers to the compiler, so our warnings do not reach into them. Targets to link:
#   OpenSSL::Crypto SQLite::SQLite3 ZLIB::ZLIB CLI11::CLI11 spdlog::spdlog fmt::fmt Threads::Threads
#   nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus
#   CURL::libcurl PostgreSQL::PostgreSQL PkgConfig::mariadb PkgConfig::hiredis PkgConfig::rdkafka
#   PkgConfig::xxhash PkgConfig::lmdb PkgConfig::rocksdb PkgConfig::zstd PkgConfig::lz4 PkgConfig::pugixml
#   PkgConfig::archive, and lab::blake3 of cmake/LabBlake3.cmake
#   with LAB_TESTS also GTest::gtest GTest::gmock rapidcheck PkgConfig::httplib

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)

find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(lmdb REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(rocksdb REQUIRED IMPORTED_TARGET rocksdb)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(mariadb REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)
if(LAB_SANITIZE STREQUAL "thread")
  add_library(lab_c11_threads OBJECT cmake/thread-sanitizer/c11_threads.cpp)
  target_link_libraries(PkgConfig::rdkafka INTERFACE $<TARGET_OBJECTS:lab_c11_threads>)
endif()
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(pugixml REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(archive REQUIRED IMPORTED_TARGET libarchive)

if(LAB_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
  include(GoogleTest)
endif()
