// SPDX-License-Identifier: Apache-2.0
#include "runner/password.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <cstdlib>

#include "core/testing/temporary_folder.hpp"

namespace lab {
namespace {

const SystemEntry& entry() {
  static const SystemEntry kEntry{.name = "redis", .password_env = "DEDUP_TEST_PASSWORD"};
  return kEntry;
}

class Password : public testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("DEDUP_TEST_PASSWORD");
    ::unsetenv("DEDUP_TEST_OTHER");
  }
  std::string file(const std::string& text, unsigned mode) {
    const auto path = folder_.path() / "secret";
    EXPECT_TRUE(write_file_atomic(path, text));
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path.string();
  }
  SystemPlan plan_{.name = "redis"};
  TemporaryFolder folder_{};
};

TEST_F(Password, ComesFromTheSystemsVariableUnlessThePlanSaysOtherwise) {
  EXPECT_EQ(*resolve_password(plan_, entry()), "");
  ::setenv("DEDUP_TEST_PASSWORD", "one", 1);
  EXPECT_EQ(*resolve_password(plan_, entry()), "one");
  ::setenv("DEDUP_TEST_OTHER", "two", 1);
  plan_.password_env = "DEDUP_TEST_OTHER";
  EXPECT_EQ(*resolve_password(plan_, entry()), "two");
}

TEST_F(Password, AVariableThatThePlanNamesMustBeSet) {
  plan_.password_env = "DEDUP_TEST_OTHER";
  const auto password = resolve_password(plan_, entry());
  ASSERT_FALSE(password);
  EXPECT_EQ(password.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(password.error().detail.find("DEDUP_TEST_OTHER"), std::string::npos);
}

TEST_F(Password, AFileGivesItsTextWithoutTheLastLineEnd) {
  plan_.password_file = file("hunter2 \n", 0600);
  EXPECT_EQ(*resolve_password(plan_, entry()), "hunter2 ");
  plan_.password_file = file("hunter2", 0400);
  EXPECT_EQ(*resolve_password(plan_, entry()), "hunter2");
}

TEST_F(Password, OfPrometheusComesFromWhereThePlanSaysAndFromNowhereElse) {
  PrometheusPlan prometheus{.url = "http://h"};
  EXPECT_EQ(*resolve_password(prometheus), "");
  prometheus.password_env = "DEDUP_TEST_OTHER";
  const auto unset = resolve_password(prometheus);
  ASSERT_FALSE(unset);
  EXPECT_EQ(unset.error().detail,
            "prometheus: the variable DEDUP_TEST_OTHER that password_env names is not set");
  ::setenv("DEDUP_TEST_OTHER", "token", 1);
  EXPECT_EQ(*resolve_password(prometheus), "token");
  for (const char* odd : {"", "hunter2\r\nX-Evil: 1"}) {
    ::setenv("DEDUP_TEST_OTHER", odd, 1);
    const auto refused = resolve_password(prometheus);
    ASSERT_FALSE(refused) << odd;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().text().find("hunter2"), std::string::npos);
  }
  prometheus.password_env.reset();
  prometheus.password_file = file("hunter2\n", 0600);
  EXPECT_EQ(*resolve_password(prometheus), "hunter2");
  prometheus.password_file = file("hunter2\n", 0640);
  const auto open = resolve_password(prometheus);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::kRefused);
  EXPECT_EQ(open.error().text().find("hunter2"), std::string::npos);
}

TEST_F(Password, OfProbesIsFoundForEachOfThem) {
  Plan plan;
  plan.prometheus.url = "http://h";
  plan.prometheus.password_env = "DEDUP_TEST_PASSWORD";
  plan_.volume = "minio:http://h";
  plan_.volume_token_env = "DEDUP_TEST_OTHER";
  plan_.metrics = {{.name = "a", .token_file = file("of a\n", 0600)}, {.name = "b"}};
  ::setenv("DEDUP_TEST_PASSWORD", "of prometheus", 1);
  const auto unset = resolve_probe_secrets(plan, plan_);
  ASSERT_FALSE(unset);
  EXPECT_EQ(
      unset.error().detail,
      "the volume of system 'redis': the variable DEDUP_TEST_OTHER that volume_token_env names is not set");
  ::setenv("DEDUP_TEST_OTHER", "of the volume", 1);
  const auto secrets = resolve_probe_secrets(plan, plan_);
  ASSERT_TRUE(secrets) << secrets.error().text();
  EXPECT_EQ(secrets->prometheus, "of prometheus");
  EXPECT_EQ(secrets->volume, "of the volume");
  EXPECT_EQ(secrets->metrics, (std::map<std::string, std::string>{{"a", "of a"}, {"b", ""}}));
  plan_.metrics[0].token_file = file("hunter2\n", 0644);
  const auto open = resolve_probe_secrets(plan, plan_);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::kRefused);
  EXPECT_EQ(open.error().text().find("hunter2"), std::string::npos);
  plan_.metrics = {{.name = "c", .token_env = "DEDUP_TEST_OTHER"}};
  ::setenv("DEDUP_TEST_OTHER", "hunter2\r\nX-Evil: 1", 1);
  EXPECT_EQ(resolve_probe_secrets(plan, plan_).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Password, AFileThatOthersMayReadIsRefusedWithoutItsText) {
  for (const unsigned mode : {0640U, 0604U, 0620U}) {
    plan_.password_file = file("hunter2", mode);
    const auto password = resolve_password(plan_, entry());
    ASSERT_FALSE(password);
    EXPECT_EQ(password.error().code, ErrorCode::kRefused);
    EXPECT_NE(password.error().detail.find("chmod 600"), std::string::npos);
    EXPECT_EQ(password.error().text().find("hunter2"), std::string::npos);
  }
  plan_.password_file = folder_.path().string();
  EXPECT_FALSE(resolve_password(plan_, entry()));
  plan_.password_file = (folder_.path() / "pipe").string();
  ASSERT_EQ(::mkfifo(plan_.password_file->c_str(), 0600), 0);
  EXPECT_EQ(resolve_password(plan_, entry()).error().code, ErrorCode::kRefused);
  plan_.password_file = (folder_.path() / "none").string();
  EXPECT_EQ(resolve_password(plan_, entry()).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace lab
