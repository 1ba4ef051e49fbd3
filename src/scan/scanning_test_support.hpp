// Files in a folder of their own, and scans of them. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "scan/naive_count_test_support.hpp"
#include "scan/scan.hpp"
#include "scan/scan_pass.hpp"

namespace lab::scan {

/// Of a file of so many bytes; a whole number of pages.
inline std::ptrdiff_t pages_in_cache(int descriptor, std::size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  EXPECT_NE(mapped, MAP_FAILED);
  std::vector<unsigned char> pages(bytes / 4096);
  EXPECT_EQ(::mincore(mapped, bytes, pages.data()), 0);
  ::munmap(mapped, bytes);
  return std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1U) != 0; });
}

class Scanning : public testing::Test {
 protected:
  void add(const std::string& name, const std::string& text, bool sparse = false) {
    std::filesystem::create_directories((data_ / name).parent_path());
    if (sparse)
      write_sparse(data_ / name, text);
    else
      ASSERT_TRUE(write_file_atomic(data_ / name, text));
    texts_[name] = text;
  }

  ScanRequest request(std::vector<ChunkerSpec> chunkers) const {
    ScanRequest made;
    made.paths = {data_};
    made.chunkers = std::move(chunkers);
    made.temporary = folder_.path();
    return made;
  }

  static Result<ScanReport> run(const ScanRequest& request) { return scan(request, {}, {}); }

  /// Also where they share files.
  static void expect_the_same_by_several_workers(ScanRequest asked, const ScanReport& one) {
    for (const unsigned threads : {2U, 3U}) {
      asked.threads = threads;
      ASSERT_TRUE(joins_parts(asked));
      const auto many = run(asked);
      ASSERT_TRUE(many) << many.error().text();
      for (std::size_t i = 0; i < asked.chunkers.size(); ++i)
        EXPECT_EQ(many->chunkers[i].all, one.chunkers[i].all)
            << chunker_name(asked.chunkers[i]) << " " << threads;
    }
  }

  std::vector<std::string> contents(const std::string& prefix = "") const {
    std::vector<std::string> all;
    for (const auto& [name, text] : texts_)
      if (name.starts_with(prefix)) all.push_back(text);
    return all;
  }

  TemporaryFolder folder_{};
  std::filesystem::path data_ = folder_.path() / "data";
  std::map<std::string, std::string> texts_{};
};

}  // namespace lab::scan
