// What the preflight says of servers, without a server.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "runner/testing/preflight_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

std::vector<Finding> scripted_findings;

TEST_F(PreflightTest, AServerThatCannotBeReachedIsOneLineOfWhereWhatAndWhatToDo) {
  SystemEntry entry = files_system();
  entry.name = "postgresql";
  entry.embedded = false;
  entry.password_env = "LAB_TEST_PASSWORD";
  entry.examine = [](const SystemConfig&, const CallContext&) { return scripted_findings; };
  const Registry registry{entry, cas_system()};
  Plan plan = small_plan();
  plan.systems[0] = {
      .name = "postgresql", .directory = root_.string(), .url = "postgresql://lab@db.example:5432/lab"};
  struct Case {
    Finding found{};
    const char* words = "";
  };
  const Case cases[] = {
      {not_connected({ErrorCode::kConnectionLost, "open", "Connection refused"}), "is the server running"},
      {not_connected({ErrorCode::kTimeout, "open", "no answer"}), "did not answer in time"},
      {not_connected({ErrorCode::kRefused, "open", "wrong"}), "environment variable LAB_TEST_PASSWORD"},
      {not_connected({ErrorCode::kRefused, "open", "certificate has expired"}),
       "to be encrypted and the server verified, since the url says so or does not say otherwise"},
      {not_connected({ErrorCode::kConnectionLost, "open", "server does not support SSL"}),
       "to be encrypted and the server verified, since the url says so or does not say otherwise"},
      {not_connected({ErrorCode::kNotFound, "open", "database \"lab\" does not exist"}),
       "name of the database"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.words);
    scripted_findings = {one.found};
    const auto checks = preflight(plan, registry, root_ / "run");
    const Check* const check = find(checks, "postgresql connection");
    ASSERT_NE(check, nullptr);
    EXPECT_FALSE(check->passed);
    EXPECT_TRUE(check->detail.starts_with("postgresql://lab@db.example:5432/lab: ")) << check->detail;
    EXPECT_NE(check->detail.find(one.found.detail), std::string::npos) << check->detail;
    EXPECT_NE(check->detail.find(one.words), std::string::npos) << check->detail;
    EXPECT_EQ(check->detail.find('\n'), std::string::npos);
  }
  const std::string secret = (root_ / "password").string();
  std::ofstream(secret) << "words";
  fs::permissions(secret, fs::perms::owner_read);
  plan.systems[0].password_file = secret;
  scripted_findings = {cases[2].found, {"files", false, "no PG_VERSION"}};
  const auto checks = preflight(plan, registry, root_ / "run");
  ASSERT_NE(find(checks, "postgresql connection"), nullptr);
  ASSERT_NE(find(checks, "postgresql files"), nullptr);
  EXPECT_NE(find(checks, "postgresql connection")->detail.find("the password in " + secret),
            std::string::npos);
  EXPECT_NE(find(checks, "postgresql files")->detail.find("the server's own data directory"),
            std::string::npos);
}

std::mutex at_the_door{};
std::condition_variable somebody_came{};
std::size_t being_asked = 0;
std::size_t most_at_once = 0;
std::size_t wanted_at_once = 0;
bool nobody_comes = false;

/// Answers when as many servers are being asked as are wanted, or somebody has waited for them in vain.
std::vector<Finding> examine_among_others(const SystemConfig& config, const CallContext&) {
  std::unique_lock lock(at_the_door);
  most_at_once = std::max(most_at_once, ++being_asked);
  somebody_came.notify_all();
  const bool over = somebody_came.wait_for(lock, std::chrono::seconds(20),
                                           [] { return most_at_once >= wanted_at_once || nobody_comes; });
  nobody_comes = nobody_comes || !over;
  --being_asked;
  return {{"connection", !nobody_comes, "asked at " + config.url}};
}

TEST_F(PreflightTest, ServersAreAskedSideBySideInBoundedNumberAndToldInThePlansOrder) {
  constexpr std::size_t kServers = 12;
  Registry registry{files_system(), cas_system()};
  Plan plan = small_plan();
  plan.systems.clear();
  for (std::size_t number = 0; number < kServers; ++number) {
    SystemEntry entry = files_system();
    entry.name = fmt::format("server{}", number);
    entry.embedded = false;
    entry.examine = examine_among_others;
    registry.push_back(entry);
    plan.systems.push_back(
        {.name = entry.name, .directory = root_.string(), .url = fmt::format("x://{}", number)});
  }
  being_asked = most_at_once = 0;
  wanted_at_once = 8;
  std::vector<std::string> told;
  for (const Check& check : preflight(plan, registry, root_ / "run"))
    if (check.name.ends_with(" connection")) {
      EXPECT_TRUE(check.passed) << check.name;
      told.push_back(check.name + " " + check.detail);
    }
  EXPECT_EQ(most_at_once, 8U);
  ASSERT_EQ(told.size(), kServers);
  for (std::size_t number = 0; number < kServers; ++number)
    EXPECT_EQ(told[number], fmt::format("server{0} connection asked at x://{0}", number));
}

TEST_F(PreflightTest, AServerThatIsNotReachedIsAskedNothingElse) {
  SystemEntry entry = files_system();
  entry.embedded = false;
  entry.reach = [](const SystemConfig&, const CallContext&) {
    return Status(Error{ErrorCode::kTimeout, "reach", "the deadline has passed"});
  };
  entry.examine = [](const SystemConfig&, const CallContext&) {
    ADD_FAILURE() << "it was asked";
    return std::vector<Finding>{};
  };
  Plan plan = small_plan();
  plan.systems[0] = {.name = "files", .directory = root_.string(), .url = "x://y"};
  const auto checks = preflight(plan, {entry, cas_system()}, root_ / "run");
  const Check* const check = find(checks, "files connection");
  ASSERT_NE(check, nullptr);
  EXPECT_FALSE(check->passed);
  EXPECT_TRUE(check->detail.starts_with("x://y: reach: the deadline has passed (TIMEOUT); it did not answer"))
      << check->detail;
}

int times_asked = 0;

TEST_F(PreflightTest, AServerThatDoesNotAnswerKeepsNobodyWaitingForEachOfItsVariants) {
  SystemEntry entry = files_system();
  entry.embedded = false;
  entry.variants = {{"a", ""}, {"b", ""}, {"c", ""}};
  entry.examine = [](const SystemConfig&, const CallContext&) {
    ++times_asked;
    return scripted_findings;
  };
  Plan plan = small_plan();
  plan.systems[0] = {
      .name = "files", .variants = {"a", "b", "c"}, .directory = root_.string(), .url = "x://y"};
  const auto asked = [&](std::vector<Finding> findings) {
    times_asked = 0;
    scripted_findings = std::move(findings);
    preflight(plan, {entry, cas_system()}, root_ / "run");
    return times_asked;
  };
  EXPECT_EQ(asked({not_connected({ErrorCode::kTimeout, "open", "no answer"})}), 1);
  EXPECT_EQ(asked({{"version", false, "too old for a"}}), 3);
}

}  // namespace
}  // namespace lab
