// What is said of another system's folder depends on whether this program has that system.
// SPDX-License-Identifier: Apache-2.0
#include "runner/home_look.hpp"

#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"

namespace lab {
namespace {

constexpr const char* kRun = "20260131T120000Z-7e57ab1e";

class HomeLook : public testing::Test {
 protected:
  std::string told(const Registry& registry) const {
    const auto found = look_at_home(home_, "files", registry);
    return found ? "found" : found.error().detail;
  }

  TemporaryFolder folder_{};
  std::filesystem::path home_ = folder_.path() / "my home";
};

TEST_F(HomeLook, AFolderOfASystemThatIsKnownNamesTheCommandThatRemovesIt) {
  ASSERT_TRUE(EmbeddedHome::open(home_, "sqlite", kRun));
  EXPECT_EQ(told({{.name = "files"}, {.name = "sqlite"}}),
            home_.string() +
                ": holds data of sqlite, not of files, and stays untouched; `deduplab clean --from "
                "sqlite --path '" +
                home_.string() + "'` removes it");
}

TEST_F(HomeLook, AFolderOfASystemThatIsNotKnownNamesNoCommand) {
  ASSERT_TRUE(EmbeddedHome::open(home_, "nonsense", kRun));
  EXPECT_EQ(told({{.name = "files"}, {.name = "sqlite"}}),
            home_.string() +
                ": holds data of nonsense, not of files, and stays untouched; this program has no "
                "embedded system 'nonsense' that could remove it");
  EXPECT_EQ(told({{.name = "nonsense", .embedded = false}}).find("deduplab clean"), std::string::npos)
      << "a server has no folder";
}

TEST_F(HomeLook, OtherErrorsStayAsTheyAre) {
  EXPECT_EQ(told({}), "found");
  ASSERT_TRUE(EmbeddedHome::open(home_, "files", kRun));
  EXPECT_EQ(told({}), "found");
  ASSERT_TRUE(write_file_atomic(home_ / ".deduplab", "x"));
  EXPECT_EQ(told({}), EmbeddedHome::look(home_, "files").error().detail);
}

}  // namespace
}  // namespace lab
