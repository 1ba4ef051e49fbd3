// What only a real ClickHouse server shows: databases and tables of others, logins, TLS that it does not
// speak. SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/clickhouse.hpp"

#include <algorithm>

#include "drivers/clickhouse/connection.hpp"
#include "server_suite.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "test";
constexpr const char* kOurs = "dedup_ch_suite";

/// A namespace of this suite's own, and a connection beside the driver's, as somebody else would have.
class ClickhouseServer : public ServerSuite {
 protected:
  ClickhouseServer() : ServerSuite(clickhouse_system(), kOurs) {}

  void SetUp() override {
    find_server();
    if (config_.url.empty()) return;
    const auto target = clickhouse::target_of(config_);
    ASSERT_TRUE(target) << target.error().text();
    other_ = std::make_unique<clickhouse::Connection>(*target, std::make_shared<clickhouse::Lifetime>());
    drop();  // What a run that crashed left.
  }
  void TearDown() override {
    if (other_ == nullptr) return;
    close();
    drop();
  }

  void drop() {
    sql(std::string("DROP DATABASE IF EXISTS ") + kOurs);
    sql("DROP DATABASE IF EXISTS dedup_ch_theirs");
  }
  void sql(const std::string& statement) {
    const Status done = other_->execute(statement, soon(), kOperation);
    ASSERT_TRUE(done) << done.error().text();
  }
  std::string value(const std::string& query) {
    const auto text = other_->text(query, soon(), kOperation);
    EXPECT_TRUE(text) << text.error().text();
    return text ? *text : std::string();
  }
  /// A table as others have one; gives what its content is told by.
  std::string foreign_table(const std::string& table) {
    sql("CREATE TABLE " + table + " (number UInt64, text String) ENGINE = MergeTree() ORDER BY number");
    sql("INSERT INTO " + table + " SELECT number, concat('theirs-', toString(number)) FROM numbers(1000)");
    return content_of(table);
  }
  std::string content_of(const std::string& table) {
    return value("SELECT concat(toString(count()), ' ', toString(sum(cityHash64(number, text)))) FROM " +
                 table);
  }

  std::unique_ptr<clickhouse::Connection> other_{};
};

bool did_not_pass(const std::vector<Finding>& findings, std::string_view with) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
    return !one.passed && one.detail.find(with) != std::string::npos;
  });
}

TEST_F(ClickhouseServer, ADatabaseWithoutOurMarkerIsRefusedAndLeftAsItWas) {
  sql(std::string("CREATE DATABASE ") + kOurs);
  const std::string before = foreign_table(std::string(kOurs) + ".theirs");
  EXPECT_EQ(entry_.open(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(entry_.remove(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(content_of(std::string(kOurs) + ".theirs"), before);
}

TEST_F(ClickhouseServer, TheServersOwnDatabasesAreRefused) {
  for (const char* name : {"default", "system"}) {
    SCOPED_TRACE(name);
    config_.options["namespace"] = name;
    const std::string tables =
        "SELECT count() FROM system.tables WHERE database = '" + std::string(name) + "'";
    const std::string before = value(tables);
    EXPECT_EQ(entry_.open(config_, soon()).error().code, ErrorCode::kRefused);
    EXPECT_EQ(entry_.remove(config_, soon()).error().code, ErrorCode::kRefused);
    EXPECT_EQ(value(tables), before);
  }
}

TEST_F(ClickhouseServer, TablesOfOthersBesideOursOutliveUs) {
  sql("CREATE DATABASE dedup_ch_theirs");
  const std::string beside = foreign_table("dedup_ch_theirs.theirs");
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string inside = foreign_table(std::string(kOurs) + ".theirs");
  for (int round = 0; round < 2; ++round) {
    const Status emptied = driver_->reset(soon());
    ASSERT_TRUE(emptied) << emptied.error().text();
    ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 10, 1'000))));
    ASSERT_TRUE(driver_->erase_all(soon(), DeleteAll::kDrop));
  }
  close();
  const Status removed = entry_.remove(config_, soon());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_EQ(content_of(std::string(kOurs) + ".theirs"), inside);
  EXPECT_EQ(content_of("dedup_ch_theirs.theirs"), beside);
  EXPECT_EQ(value("SELECT count() FROM system.tables WHERE database = '" + std::string(kOurs) + "'"), "1");
}

TEST_F(ClickhouseServer, ResetRefusesOnceTheMarkerIsGone) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 10, 1'000))));
  sql(std::string("DROP TABLE ") + kOurs + ".deduplab");
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(value(std::string("SELECT count() FROM ") + kOurs + ".files"), "10");
}

TEST_F(ClickhouseServer, AWrongPasswordIsRefusedAndNeverRepeated) {
  config_.password = "not-the-password-of-this-server";
  const auto opened = entry_.open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
  EXPECT_EQ(opened.error().text().find(config_.password), std::string::npos);
  EXPECT_TRUE(did_not_pass(entry_.examine(config_, soon()), ""));
}

TEST_F(ClickhouseServer, TlsToAPortThatSpeaksNoneIsAnErrorAndNeverPlainText) {
  ASSERT_TRUE(config_.url.starts_with("clickhouse://"));
  config_.url.replace(0, std::string_view("clickhouse").size(), "clickhouses");
  const auto opened = entry_.open(config_, within(20s));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConnectionLost) << opened.error().text();
  EXPECT_TRUE(did_not_pass(entry_.examine(config_, within(20s)), "SSL"));
}

TEST_F(ClickhouseServer, SetupOfAServerWithoutSqlUsersSaysWhatToDoByHand) {
  const auto admin = entry_.admin(config_);
  ASSERT_TRUE(admin) << admin.error().text();
  const std::string version = value("SELECT version()");
  if (!version.starts_with("18.") && !version.starts_with("19.")) GTEST_SKIP() << "this server has SQL users";
  const char* const variable = "DEDUP_CLICKHOUSE_LAB_PASSWORD";
  ASSERT_EQ(::setenv(variable, "for-the-lab-alone", 1), 0);
  const Status applied = (*admin)->apply(soon());
  ::unsetenv(variable);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::kUnsupported) << applied.error().text();
  EXPECT_NE(applied.error().detail.find("users.xml"), std::string::npos);
}

}  // namespace
}  // namespace lab
