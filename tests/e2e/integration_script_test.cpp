// The script that decides whether a change is taken: it fails where a step fails. Its steps are stand-ins
// here. SPDX-License-Identifier: Apache-2.0
#include <array>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

class IntegrationScript : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    fs::create_directories(root_ / ".ci");
    fs::create_directories(root_ / "scripts");
    fs::copy(fs::path(LAB_SOURCE_ROOT) / ".ci" / "run", root_ / ".ci" / "run");
    fs::copy(fs::path(LAB_SOURCE_ROOT) / "scripts" / "lib.sh", root_ / "scripts" / "lib.sh");
  }
  /// A tree in which each step ends with its code.
  Ended with(int setup, int lint, int test) const {
    write("scripts/setup", "#!/bin/sh\nexit " + std::to_string(setup) + "\n");
    fs::permissions(root_ / "scripts" / "setup", fs::perms::owner_all);
    write("Makefile", "lint:\n\texit " + std::to_string(lint) + "\ntest:\n\ttouch tested; exit " +
                          std::to_string(test) + "\n");
    return Program({"bash", (root_ / ".ci" / "run").string()}, scratch_).wait();
  }
};

TEST_F(IntegrationScript, FailsWhereAnyStepFailsAndRunsTheTestsAllTheSame) {
  EXPECT_EQ(with(0, 0, 0).exit_code, 0);
  for (const auto& codes : {std::array{1, 0, 0}, std::array{0, 2, 0}, std::array{0, 0, 3}}) {
    fs::remove(root_ / "tested");
    const Ended ended = with(codes[0], codes[1], codes[2]);
    EXPECT_EQ(ended.exit_code, 1) << ended.out;
    EXPECT_NE(ended.out.find("FAILED"), std::string::npos) << ended.out;
    EXPECT_TRUE(fs::exists(root_ / "tested"));
  }
}

/// A source file of tests that no CMakeLists.txt names would be green for ever.
TEST(TestSources, EachIsBuilt) {
  for (const char* top : {"src", "tests", "apps", "fuzz"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(LAB_SOURCE_ROOT) / top)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with("_test.cpp")) continue;
      std::string lists;
      for (const fs::path& folder : {entry.path().parent_path(), entry.path().parent_path().parent_path()})
        for (const auto& file : fs::directory_iterator(folder))
          if (file.path().filename() == "CMakeLists.txt") lists += text_of(file.path());
      EXPECT_NE(lists.find(name), std::string::npos) << entry.path();
    }
}

}  // namespace
}  // namespace lab::e2e
