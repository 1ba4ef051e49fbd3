// How recipes find their programs, without starting any.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/recipes.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/testing/temporary_folder.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

TEST(KafkaRecipe, SaysWhichFolderItWantsAndWhereOneIs) {
  const TemporaryFolder folder;
  const fs::path archive = folder.path() / "kafka";
  fs::create_directories(archive / "libs");
  fs::create_directories(archive / "bin");
  std::ofstream(archive / "bin/kafka-server-start.sh") << "#!/bin/sh\n";
  const auto find = [](const fs::path& given) { return kafka_recipe().find({.given = {{"kafka", given}}}); };
  const auto nothing = find(archive);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(nothing.error().detail.find("kafka=DIR wants the folder with Kafka's jar files"),
            std::string::npos)
      << nothing.error().detail;
  EXPECT_EQ(nothing.error().detail.find("did you mean"), std::string::npos);
  std::ofstream(archive / "libs/kafka_2.13-4.1.1.jar") << "jar";
  for (const fs::path& given : {archive, archive / "bin", archive / "bin/kafka-server-start.sh"}) {
    const auto found = find(given);
    ASSERT_FALSE(found) << given;
    EXPECT_NE(found.error().detail.find("did you mean kafka=" + (archive / "libs").string() + "?"),
              std::string::npos)
        << found.error().detail;
  }
  const auto right = find(archive / "libs");
  if (!right) {
    EXPECT_NE(right.error().detail.find("java"), std::string::npos) << right.error().detail;
  }
}

}  // namespace
}  // namespace lab::testbed
