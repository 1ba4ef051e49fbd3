// SPDX-License-Identifier: Apache-2.0
#include "driver/server_namespace.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

Result<ServerNamespace> named(std::map<std::string, std::string> options) {
  return server_namespace({.options = std::move(options)}, "dedup_lab");
}

TEST(ServerNamespace, HasADefaultAndNumbersItsContainers) {
  const auto made = named({});
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->create);
  EXPECT_EQ(made->container(0), "dedup_lab");
  EXPECT_EQ(made->container(2), "dedup_lab_2");
  EXPECT_EQ(made->container(2, '-'), "dedup_lab-2");
}

TEST(ServerNamespace, TakesTheNameAndTheModeOfAPlan) {
  const auto made = named({{"namespace", "team_x"}, {"namespace_mode", "existing"}});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->name, "team_x");
  EXPECT_FALSE(made->create);
}

TEST(ServerNamespace, RefusesNamesThatWouldNeedQuoting) {
  for (const char* name : {"", "Public", "1st", "a.b", "a\"; drop schema public; --", "a b", "ä",
                           "a23456789012345678901234567890123456789012"}) {
    SCOPED_TRACE(name);
    const auto made = named({{"namespace", name}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_NE(named({{"namespace_mode", "exisiting"}}).error().detail.find("existing"), std::string::npos);
}

TEST(IsNumbered, TakesThePrefixAndDigitsAlone) {
  for (const char* name : {"undo001", "undo1", "undo1234567890123456789012345"})
    EXPECT_TRUE(is_numbered(name, "undo")) << name;
  for (const char* name : {"undo", "undo1x", "undox1", "und1", "", "1undo"})
    EXPECT_FALSE(is_numbered(name, "undo")) << name;
  EXPECT_TRUE(is_numbered("16384", ""));
  EXPECT_FALSE(is_numbered("", ""));
}

}  // namespace
}  // namespace lab
