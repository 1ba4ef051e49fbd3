// `generate --into` a real server: what is read back is the manifest, what is there is refused, `clean` takes
// it. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "../conformance/servers.hpp"
#include "cli/commands.hpp"
#include "core/hash.hpp"
#include "model/uuid.hpp"
#include "program_test_support.hpp"
#include "server_table.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr Millis kCallLimit{60'000};

class ServerLoad : public ProgramTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    const std::string system = GetParam();
    const auto config = server_config(system);
    if (!config && !required(system)) GTEST_SKIP() << "no server of " << system;
    ASSERT_TRUE(config) << config.error().text();
    config_ = *config;
    config_.directory.clear();  // A tool that reads the data has no use for the server's files.
    config_.options["namespace"] = "generated";
    config_.run_id = "the-reader";
    config_.containers = 3;
    entry_ = find_system(cli::built_in_systems(), system);
    ASSERT_NE(entry_, nullptr);
    ASSERT_TRUE(entry_->remove(config_, call()));
  }
  void TearDown() override {
    if (entry_ != nullptr) {
      const Status removed = entry_->remove(config_, call());
      EXPECT_TRUE(removed) << removed.error().text();
    }
    ProgramTest::TearDown();
  }

  static CallContext call() { return within({}, kCallLimit); }

  std::vector<std::string> with_server(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--url", config_.url});
    for (const auto& [key, value] : config_.options)
      arguments.insert(arguments.end(), {"--option", key + "=" + value});
    return arguments;
  }
  Ended run_with_password(const std::vector<std::string>& arguments) const {
    return deduplab(arguments, scratch_, {{entry_->password_env, config_.password}});
  }
  Ended load(const std::string& manifest, const std::vector<std::string>& more = {}) const {
    auto all = with_server({"generate", "--payload", "structured_json", "--grade", "U60", "--objects", "90",
                            "--object-size", "uniform:500:20000", "--placement", "across", "--containers",
                            "3", "--into", GetParam(), "--manifest", manifest, "--no-progress"});
    all.insert(all.end(), more.begin(), more.end());
    return run_with_password(all);
  }

  /// "<id> <hash>" of all objects, by a session of our own.
  std::multiset<std::string> held() const {
    std::multiset<std::string> all;
    auto session = entry_->open(config_, call());
    EXPECT_TRUE(session) << session.error().text();
    if (!session) return all;
    auto driver = (*session)->open_driver(call());
    EXPECT_TRUE(driver) << driver.error().text();
    if (!driver) return all;
    const Status read = (*driver)->read_all(
        call(), [&](const ObjectId& id, std::uint32_t, std::span<const std::byte> payload) {
          all.insert(format_uuid(id) + " " + to_hex(sha256(payload)));
          return ok();
        });
    EXPECT_TRUE(read) << read.error().text();
    return all;
  }

  const SystemEntry* entry_ = nullptr;
  SystemConfig config_{};
};

std::multiset<std::string> manifest_of(const fs::path& file) {
  std::multiset<std::string> all;
  std::istringstream lines(text_of(file));
  for (std::string line; std::getline(lines, line);) {
    const Json object = Json::parse(line, nullptr, false);
    all.insert(object.at("id").get<std::string>() + " " + object.at("sha256").get<std::string>());
  }
  return all;
}

TEST_P(ServerLoad, IsReadBackAsTheManifestSaysAndRefusedAndCleaned) {
  const std::string manifest = (root_ / "manifest.jsonl").string();
  const Ended ended = load(manifest);
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.err.find("90 objects, 36 distinct"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find(fmt::format("in {}: ", GetParam())), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("generated"), std::string::npos) << "the namespace is named\n" << ended.err;
  if (!config_.password.empty()) {
    EXPECT_EQ(ended.err.find(config_.password), std::string::npos);
  }
  const auto asked = manifest_of(manifest);
  ASSERT_EQ(asked.size(), 90U);
  EXPECT_EQ(held(), asked);

  const std::string other = (root_ / "other.jsonl").string();
  const Ended refused = load(other);
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_NE(refused.err.find("nothing was written"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("clean --from"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(other));
  EXPECT_EQ(held(), asked) << "as it was";

  const Ended cleaned = run_with_password(with_server({"clean", "--from", GetParam()}));
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.out << cleaned.err;
  EXPECT_NE(cleaned.out.find("nothing is left"), std::string::npos) << cleaned.out;
  EXPECT_TRUE(entry_->leftovers(config_, call())->empty());
}

TEST_P(ServerLoad, WhereARunHoldsTheNamespaceNothingIsWritten) {
  auto session = entry_->open(config_, call());
  ASSERT_TRUE(session) << session.error().text();
  const std::string manifest = (root_ / "manifest.jsonl").string();
  const Ended refused = load(manifest);
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_NE(refused.err.find("the-reader"), std::string::npos) << "the holder is named\n" << refused.err;
  EXPECT_FALSE(fs::exists(manifest));
}

TEST_P(ServerLoad, AWrongPasswordIsARefusal) {
  if (config_.password.empty()) GTEST_SKIP() << "this server asks for none";
  const auto arguments = with_server(
      {"generate", "--payload", "random_binary", "--objects", "3", "--into", GetParam(), "--no-progress"});
  const Ended ended = deduplab(arguments, scratch_, {{entry_->password_env, "wrong-and-marked"}});
  EXPECT_EQ(ended.exit_code, 3) << ended.err;
  EXPECT_EQ(ended.err.find("wrong-and-marked"), std::string::npos) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(Loads, ServerLoad,
                         testing::Values("postgresql", "cockroachdb", "mariadb", "clickhouse", "redis",
                                         "kafka", "minio"),
                         [](const auto& parameter) { return std::string(parameter.param) + "_loaded"; });

}  // namespace
}  // namespace lab::e2e
