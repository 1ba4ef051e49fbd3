// Users of an S3 server who may do less than a run needs, on a SeaweedFS of this test that knows several.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "conformance.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "drivers/minio/bucket.hpp"
#include "drivers/minio/minio.hpp"
#include "servers.hpp"
#include "testbed/recipes.hpp"
#include "testbed/testbed.hpp"

namespace lab {
namespace {

struct User {
  const char* key;
  const char* actions;              // As SeaweedFS calls them.
  std::vector<std::string> told{};  // By doctor, a line each.
};

const std::vector<User>& users() {
  static const std::vector<User> kUsers{
      {"labaccess", R"("Admin","Read","Write","List","Tagging")"},
      {"reader",
       R"("Read","List")",
       {"the right s3:PutObject is missing", "the right s3:DeleteObject is missing",
        "the right s3:AbortMultipartUpload is missing"}},
      {"writer",
       R"("Write","List")",
       {"HTTP 403 for dedup-lab-0", "the right s3:ListBucketMultipartUploads is missing",
        "the right s3:GetBucketVersioning is missing", "the right s3:GetObject is missing"}},
      {"only-writer",
       R"("Write")",
       {"HTTP 403 for dedup-lab-0", "the right s3:ListBucket is missing",
        "the right s3:ListBucketMultipartUploads is missing", "the right s3:GetBucketVersioning is missing",
        "the right s3:GetObject is missing", "the right s3:ListBucketVersions is missing"}},
  };
  return kUsers;
}

/// The testbed's server with all of these users, who have one secret key.
Status prepare(const testbed::Place& place, testbed::Preparation& preparation, const CallContext& call) {
  LAB_TRY(testbed::minio_recipe().prepare(place, preparation, call));
  std::string identities;
  for (const User& user : users())
    identities += fmt::format(
        R"({}{{"name":"{}","credentials":[{{"accessKey":"{}","secretKey":"{}"}}],"actions":[{}]}})",
        identities.empty() ? "" : ",", user.key, user.key, place.password, user.actions);
  return preparation.write("s3.json", fmt::format(R"({{"identities":[{}]}})", identities));
}

testbed::Recipe recipe() {
  testbed::Recipe recipe = testbed::minio_recipe();
  recipe.prepare = prepare;
  recipe.stop_limit = Millis{1'000};  // Its data goes with it.
  return recipe;
}

class MinioServerRights : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = recipe().find(search());
    if (!found && !server_required("minio")) GTEST_SKIP() << found.error().detail;
    ASSERT_TRUE(found) << found.error().text();
    if (!found->files.contains("weed")) GTEST_SKIP() << "not SeaweedFS, whose users these are";
    const auto up = bed().up(recipe(), within(120s));
    ASSERT_TRUE(up) << up.error().text();
    const auto status = bed().status(recipe(), within(20s));
    ASSERT_TRUE(status) << status.error().text();
    config_.url = status->url;
    const auto password = read_file(status->password_file.value_or(""));
    ASSERT_TRUE(password) << password.error().text();
    config_.password = std::string(trim(*password));
    config_.run_id = "rights";
  }
  void TearDown() override {
    const auto down = bed().down(recipe(), within(60s));
    EXPECT_TRUE(down) << down.error().text();
  }

  testbed::ProgramSearch search() const { return {.given = {}, .folders = testbed::server_folders()}; }
  testbed::Testbed bed() const {
    return testbed::Testbed({.state = folder_.path() / "state", .directory = {}, .search = search()});
  }

  SystemConfig as(const User& user) const {
    SystemConfig config = config_;
    config.url.replace(config.url.find("labaccess"), std::string_view("labaccess").size(), user.key);
    return config;
  }

  /// Each user's missing rights are named by doctor, and the others are not.
  void expect_named() const {
    for (const User& user : users()) {
      SCOPED_TRACE(user.key);
      std::string said;
      for (const Finding& finding : minio_system().examine(as(user), within(20s)))
        if (!finding.passed) said += finding.what + ": " + finding.detail + "\n";
      for (const std::string& words : user.told) EXPECT_NE(said.find(words), std::string::npos) << said;
      EXPECT_EQ(static_cast<std::size_t>(std::count(said.begin(), said.end(), '\n')), user.told.size())
          << said;
    }
  }

  TemporaryFolder folder_{};
  SystemConfig config_{};
};

/// All that lies in the first bucket, delete markers and unfinished uploads included.
std::string content(const SystemConfig& config) {
  const auto setup = minio::setup_of(config, config.variant);
  if (!setup) return setup.error().text();
  minio::Traffic traffic;
  minio::Client client(setup->endpoint, traffic, minio::Client::Loss::kHeals);
  const CallContext call = within(20s);
  const minio::Bucket bucket(client, setup->bucket(0), call, "test");
  const auto exists = bucket.exists();
  if (!exists || !*exists) return exists ? "no bucket" : exists.error().text();
  std::string text;
  const Status listed = bucket.each_version_page([&](std::span<const minio::ListedVersion> page) {
    for (const minio::ListedVersion& one : page)
      text += fmt::format("{} {}{}\n", one.key, one.id, one.marker ? " delete marker" : "");
    return ok();
  });
  EXPECT_TRUE(listed) << listed.error().text();
  const auto uploads = bucket.uploads();
  EXPECT_TRUE(uploads) << uploads.error().text();
  return text + fmt::format("{} uploads\n", uploads ? uploads->size() : 0);
}

TEST_F(MinioServerRights, ThatAreMissingAreFoundBeforeARunAndTheSearchWritesNothing) {
  const SystemEntry entry = minio_system();
  config_.variant = "default";
  expect_named();
  EXPECT_EQ(content(config_), "no bucket");
  for (const char* variant : {"default", "versioned"}) {
    SCOPED_TRACE(variant);
    config_.variant = variant;
    {
      auto session = entry.open(config_, within(60s));
      ASSERT_TRUE(session) << session.error().text();
      auto driver = (*session)->open_driver(within(20s));
      ASSERT_TRUE(driver) << driver.error().text();
      ASSERT_TRUE((*driver)->reset(within(60s)));
      ASSERT_TRUE((*driver)->put_batch(within(60s), views(made_many(0, 10, 1'000))));
    }
    const std::string before = content(config_);
    EXPECT_GE(std::count(before.begin(), before.end(), '\n'), 12) << before;
    if (variant == std::string_view("default")) expect_named();
    for (const Finding& finding : entry.examine(config_, within(20s)))
      EXPECT_TRUE(finding.passed) << finding.what << ": " << finding.detail;
    EXPECT_EQ(content(config_), before);
    const Status removed = entry.remove(config_, within(60s));
    ASSERT_TRUE(removed) << removed.error().text();
  }
}

}  // namespace
}  // namespace lab
