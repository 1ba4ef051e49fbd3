// Each input that fuzzing has kept runs through its target, in the usual build with its sanitizers.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "targets.hpp"

namespace lab::fuzz {

// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for.
void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

namespace fs = std::filesystem;

class FuzzCorpus : public testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, RunsThroughWithoutAFault) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(LAB_FUZZ_CORPUS) / GetParam().name))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 3U) << "a corpus of nothing tests nothing";
  for (const fs::path& path : files) {
    SCOPED_TRACE(path);
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    GetParam().run(text.str());
  }
}

TEST(FuzzTargets, EachFolderOfTheCorpusIsOfOne) {
  for (const auto& entry : fs::directory_iterator(LAB_FUZZ_CORPUS))
    EXPECT_NE(find_target(entry.path().filename().string()), nullptr) << entry.path();
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, testing::ValuesIn(targets()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace lab::fuzz
