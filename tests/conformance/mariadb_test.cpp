// What only a MariaDB can do wrong: statements that go on, databases of others, packets, holes, certificates.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/mariadb.hpp"

#include <functional>
#include <thread>

#include "drivers/mariadb/connection.hpp"
#include "server_suite.hpp"

namespace lab {
namespace {

constexpr const char* kName = "dedup_lab_test";

class MariadbServer : public ServerSuite {
 protected:
  MariadbServer() : ServerSuite(mariadb_system(), kName) {}

  static constexpr const char* kLabPassword = "for-the-lab-alone";

  void SetUp() override {
    find_server();
    if (config_.url.empty()) return;
    ::setenv("DEDUP_MARIADB_LAB_PASSWORD", kLabPassword, 1);
    const auto server = mariadb::server_of(config_);
    ASSERT_TRUE(server) << server.error().text();
    server_ = *server;
    auto side = mariadb::Connection::open(server_, soon(), "test");
    ASSERT_TRUE(side) << side.error().text();
    side_ = std::move(*side);
    sql("DROP DATABASE IF EXISTS dedup_lab_test");
  }
  void TearDown() override {
    close();
    if (side_ != nullptr) sql("DROP DATABASE IF EXISTS dedup_lab_test");
  }

  void sql(const std::string& statement) {
    auto use = side_->use(soon(), "test");
    ASSERT_TRUE(use) << use.error().text();
    const auto done = (*use)->execute(statement);
    EXPECT_TRUE(done) << done.error().text();
  }
  std::int64_t number(const std::string& query) {
    const auto value = (*side_->use(soon(), "test"))->number(query);
    EXPECT_TRUE(value) << value.error().text();
    return value ? *value : -1;
  }
  void open() {
    ASSERT_NO_FATAL_FAILURE(ServerSuite::open());
    const Status emptied = driver_->reset(soon());
    ASSERT_TRUE(emptied) << emptied.error().text();
  }

  mariadb::Server server_{};
  std::unique_ptr<mariadb::Connection> side_{};
};

TEST_F(MariadbServer, ADatabaseWithoutTheMarkIsRefusedAndLeftAsItIs) {
  sql("CREATE DATABASE dedup_lab_test");
  sql("CREATE TABLE dedup_lab_test.files(thesis INT)");
  sql("INSERT INTO dedup_lab_test.files VALUES(1), (2), (3)");
  const auto opened = mariadb_system().open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
  const Status removed = mariadb_system().remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused) << removed.error().text();
  bool said = false;
  for (const Finding& finding : mariadb_system().examine(config_, soon()))
    said = said || (finding.what == "namespace" && !finding.passed);
  EXPECT_TRUE(said);
  EXPECT_EQ(number("SELECT SUM(thesis) FROM dedup_lab_test.files"), 6);
  EXPECT_EQ(number("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'dedup_lab_test'"),
            1);
}

TEST_F(MariadbServer, ResetRefusesOnceTheMarkerIsGone) {
  open();
  ASSERT_TRUE(driver_->put(soon(), made(1, "kept").view()));
  sql("DROP TABLE dedup_lab_test.deduplab_marker");
  const Status emptied = driver_->reset(soon());
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kRefused) << emptied.error().text();
  EXPECT_EQ(*driver_->count(soon()), 1U);
}

TEST_F(MariadbServer, ResetRefusesOnceAnotherRunHasTakenTheLock) {
  open();
  sql("UPDATE dedup_lab_test.deduplab_marker SET run_id = 'faster'");
  const Status emptied = driver_->reset(soon());
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kInUse) << emptied.error().text();
  EXPECT_NE(emptied.error().detail.find("faster"), std::string::npos);
}

TEST_F(MariadbServer, TablesOfOthersInTheDatabaseOutliveUs) {
  open();
  sql("CREATE TABLE dedup_lab_test.theirs(x INT)");
  sql("INSERT INTO dedup_lab_test.theirs VALUES(42)");
  ASSERT_TRUE(driver_->reset(soon()));
  driver_.reset();
  session_.reset();
  const Status removed = mariadb_system().remove(config_, soon());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_EQ(number("SELECT x FROM dedup_lab_test.theirs"), 42);
  EXPECT_EQ(*mariadb_system().leftovers(config_, soon()), std::vector<std::string>{});
  EXPECT_EQ(number("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'dedup_lab_test'"),
            1);
}

TEST_F(MariadbServer, ADatabaseOfOthersIsEmptiedOfOursAndNeverDropped) {
  sql("CREATE DATABASE dedup_lab_test");
  config_.options["namespace_mode"] = "existing";
  open();
  ASSERT_TRUE(driver_->put(soon(), made(1, "ours").view()));
  driver_.reset();
  session_.reset();
  EXPECT_FALSE(mariadb_system().leftovers(config_, soon())->empty());
  const Status removed = mariadb_system().remove(config_, soon());
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_TRUE(mariadb_system().leftovers(config_, soon())->empty());
  EXPECT_EQ(number("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'dedup_lab_test'"),
            1);
  EXPECT_EQ(number("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'dedup_lab_test'"),
            0);
}

TEST_F(MariadbServer, AnObjectThatFitsNoPacketIsRefusedAndTheConnectionLives) {
  open();
  const std::int64_t limit = driver_->info().object_size_max;
  ASSERT_GT(limit, 0);
  if (limit > 70LL << 20) GTEST_SKIP() << "max_allowed_packet is too large to be tried";
  const Made fits = made(1, random_bytes(1, static_cast<std::size_t>(limit)));
  const Status put = driver_->put(soon(), fits.view());
  ASSERT_TRUE(put) << put.error().text();
  const std::vector<Made> too_large{made(2, "small"),
                                    made(3, std::string(static_cast<std::size_t>(limit) + 1, 'x'))};
  const Status batch = driver_->put_batch(soon(), views(too_large));
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kInvalidArgument) << batch.error().text();
  EXPECT_NE(batch.error().detail.find("max_allowed_packet"), std::string::npos);
  EXPECT_TRUE(*driver_->get(soon(), fits.key()) == fits.payload);
  EXPECT_EQ(*driver_->count(soon()), 1U);
}

TEST_F(MariadbServer, ABatchThatFailsLeavesNothing) {
  open();
  auto objects = made_many(0, 200, 50'000);
  std::vector<Object> batch = views(objects);
  const std::string long_mime(300, 'm');  // More than the column takes.
  batch[150].mime = long_mime;
  const Status put = driver_->put_batch(soon(), batch);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kInvalidArgument) << put.error().text();
  EXPECT_EQ(*driver_->count(soon()), 0U);
  EXPECT_EQ(number("SELECT COUNT(*) FROM dedup_lab_test.files"), 0);
}

TEST_F(MariadbServer, AStatementThatIsStoppedEndsOnTheServerToo) {
  auto use = side_->use(soon(), "test");
  ASSERT_TRUE(use);
  const auto before = (*use)->number("SELECT CONNECTION_ID()");
  const auto began = Clock::now();
  auto late = side_->use(within(200ms), "test");
  ASSERT_TRUE(late);
  const auto slept = (*late)->number("SELECT SLEEP(60)");
  EXPECT_LT(Clock::now() - began, kStopBound);
  ASSERT_FALSE(slept);
  EXPECT_EQ(slept.error().code, ErrorCode::kTimeout) << slept.error().text();
  EXPECT_EQ(number("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(60)%'"),
            0);
  EXPECT_EQ(number("SELECT CONNECTION_ID()"), *before) << "the connection need not be made anew";
}

TEST_F(MariadbServer, AWarningIsAnErrorWhereDataIsWritten) {
  auto use = side_->use(soon(), "test");
  ASSERT_TRUE(use);
  EXPECT_TRUE((*use)->execute("DO CAST('12 monkeys' AS INT)"));
  const auto strict = (*use)->execute_strictly("DO CAST('12 monkeys' AS INT)");
  ASSERT_FALSE(strict);
  EXPECT_NE(strict.error().detail.find("12 monkeys"), std::string::npos) << strict.error().text();
}

TEST_F(MariadbServer, AServerThatHangsHoldsNoCall) {
  testbed::Proxy& proxy = proxy_before(server_.port);
  go_by(proxy);
  open();
  const auto objects = made_many(0, 20, 100'000);
  ASSERT_TRUE(driver_->put_batch(soon(), views(objects)));
  const ObjectKey key[] = {objects[0].key()};
  struct Case {
    const char* what;
    std::function<Status(Driver&, const CallContext&)> run;
  };
  const auto status_of = [](const auto& result) -> Status {
    if (!result) return result.error();
    return ok();
  };
  const Case cases[] = {
      {"prove", [](Driver& driver, const CallContext& call) { return driver.prove(call); }},
      {"reset", [](Driver& driver, const CallContext& call) { return driver.reset(call); }},
      {"put", [&](Driver& driver, const CallContext& call) { return driver.put(call, objects[1].view()); }},
      {"put_batch",
       [&](Driver& driver, const CallContext& call) { return driver.put_batch(call, views(objects)); }},
      {"read_all",
       [](Driver& driver, const CallContext& call) {
         return driver.read_all(call, [](auto&&...) { return ok(); });
       }},
      {"count", [&](Driver& driver, const CallContext& call) { return status_of(driver.count(call)); }},
      {"flush", [](Driver& driver, const CallContext& call) { return driver.flush(call); }},
      {"get", [&](Driver& driver, const CallContext& call) { return status_of(driver.get(call, key[0])); }},
      {"erase", [&](Driver& driver, const CallContext& call) { return driver.erase(call, key); }},
      {"truncate",
       [](Driver& driver, const CallContext& call) { return driver.erase_all(call, DeleteAll::kTruncate); }},
      {"maintain", [&](Driver& driver, const CallContext& call) { return status_of(driver.maintain(call)); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    auto driver = session_->open_driver(soon());
    ASSERT_TRUE(driver) << driver.error().text();
    proxy.stall();
    std::stop_source stop;
    Clock::time_point requested{};
    std::jthread stopper([&] {
      std::this_thread::sleep_for(100ms);
      requested = Clock::now();
      stop.request_stop();
    });
    const Status done = c.run(**driver, {Clock::now() + 60s, stop.get_token()});
    const auto now = Clock::now();
    stopper.join();
    EXPECT_LT(now - requested, kStopBound);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kCancelled) << done.error().text();
    driver->reset();
    proxy.go_on();
  }
}

TEST_F(MariadbServer, AHangingHandshakeHoldsNoOpening) {
  testbed::Proxy& proxy = proxy_before(server_.port);
  proxy.stall();
  go_by(proxy);
  for (const char* tls : {"", "/?tls=on"}) {
    SystemConfig config = config_;
    if (config.url.ends_with('/')) config.url.pop_back();
    config.url += tls;
    const auto opened = mariadb_system().open(config, within(300ms));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kTimeout) << opened.error().text();
  }
}

TEST_F(MariadbServer, ALostConnectionStaysLost) {
  testbed::Proxy& proxy = proxy_before(server_.port);
  go_by(proxy);
  open();
  ASSERT_TRUE(driver_->prove(soon()));
  proxy.cut();
  const auto counted = driver_->count(soon());
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().code, ErrorCode::kConnectionLost) << counted.error().text();
  EXPECT_TRUE(counted.error().retryable);
  for (int round = 0; round < 2; ++round)
    EXPECT_EQ(driver_->prove(soon()).error().code, ErrorCode::kConnectionLost) << "it must not heal";
  const auto fresh = session_->open_driver(soon());
  ASSERT_TRUE(fresh) << fresh.error().text();
  EXPECT_TRUE((*fresh)->prove(soon()));
}

TEST_F(MariadbServer, AWrongPasswordIsRefusedAndNotRepeated) {
  config_.password = "certainly-wrong";
  const auto opened = mariadb_system().open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
  EXPECT_FALSE(opened.error().retryable);
  EXPECT_EQ(opened.error().text().find("certainly-wrong"), std::string::npos);
}

TEST_F(MariadbServer, ACertificateThatNobodyTrustsIsRefused) {
  TemporaryFolder folder;
  // No certificate at all: no server can be verified by it.
  ASSERT_TRUE(write_file_atomic(folder.path() / "ca.pem", ""));
  SystemConfig config = config_;
  if (!config.url.ends_with('/')) config.url += '/';
  config.url += "?tls_ca=" + (folder.path() / "ca.pem").string();
  const auto opened = mariadb_system().open(config, soon());
  ASSERT_FALSE(opened) << "neither in plain text nor unverified";
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
}

TEST_F(MariadbServer, AnotherServersDirectoryIsRefused) {
  TemporaryFolder folder;
  ASSERT_TRUE(make_directories(folder.path() / kName));
  ASSERT_TRUE(write_file_atomic(folder.path() / kName / "deduplab_marker.frm", "of another server"));
  config_.directory = folder.path();
  const auto opened = mariadb_system().open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
}

TEST_F(MariadbServer, SetupGivesAUserAllThatARunNeedsAndUndoTakesItAway) {
  config_.options["lab_user"] = "dedup_lab_tester";
  config_.containers = 2;
  const auto admin = mariadb_system().admin(config_);
  ASSERT_TRUE(admin) << admin.error().text();
  const Status applied = (*admin)->apply(soon());
  if (!applied && applied.error().code == ErrorCode::kRefused)
    GTEST_SKIP() << "needs an administrator: " << applied.error().text();
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_TRUE((*admin)->apply(soon())) << "a second time changes nothing";
  config_.url.replace(0, config_.url.find('@'), "mariadb://dedup_lab_tester");
  config_.password = kLabPassword;
  for (const Finding& finding : mariadb_system().examine(config_, soon()))
    EXPECT_TRUE(finding.passed) << finding.what << ": " << finding.detail;
  open();
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 5, 10'000))));
  const Status flushed = driver_->flush(soon());
  EXPECT_TRUE(flushed) << flushed.error().text();
  EXPECT_TRUE(driver_->maintain(soon()));
  const auto observer = session_->open_observer(soon());
  ASSERT_TRUE(observer);
  EXPECT_TRUE((*observer)->footprint(soon()));
  const auto seconds = (*observer)->statement_seconds(soon());
  EXPECT_TRUE(seconds) << seconds.error().text();
  driver_.reset();
  session_.reset();
  const Status removed = mariadb_system().remove(config_, soon());
  EXPECT_TRUE(removed) << removed.error().text();
  const Status undone = (*admin)->undo(soon());
  ASSERT_TRUE(undone) << undone.error().text();
  EXPECT_EQ(number("SELECT COUNT(*) FROM mysql.user WHERE User = 'dedup_lab_tester'"), 0);
  EXPECT_TRUE((*admin)->undo(soon())) << "nothing to undo is fine";
}

TEST_F(MariadbServer, UndoingTheSetupSparesAUserWithOtherRights) {
  config_.options["lab_user"] = "dedup_lab_tester";
  const auto admin = mariadb_system().admin(config_);
  ASSERT_TRUE(admin);
  const Status applied = (*admin)->apply(soon());
  if (!applied && applied.error().code == ErrorCode::kRefused)
    GTEST_SKIP() << "needs an administrator: " << applied.error().text();
  sql("GRANT SELECT ON dedup_other.* TO 'dedup_lab_tester'@'%'");
  const Status undone = (*admin)->undo(soon());
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().code, ErrorCode::kRefused) << undone.error().text();
  sql("DROP USER 'dedup_lab_tester'@'%'");
}

TEST_F(MariadbServer, SetupNeitherChangesNorDropsAUserOfOthers) {
  sql("CREATE USER 'dedup_lab_theirs'@'%' IDENTIFIED BY 'not-ours'");
  const std::string rights =
      "SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE LIKE '%dedup_lab_theirs%'";
  config_.options["lab_user"] = "dedup_lab_theirs";
  const auto admin = mariadb_system().admin(config_);
  ASSERT_TRUE(admin);
  EXPECT_EQ((*admin)->apply(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ((*admin)->undo(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(number(rights), 0);
  EXPECT_EQ(number("SELECT COUNT(*) FROM mysql.user WHERE User = 'dedup_lab_theirs'"), 1);
  sql("DROP USER 'dedup_lab_theirs'@'%'");
}

TEST_F(MariadbServer, AMissingRightIsAFindingThatNamesIt) {
  config_.options["lab_user"] = "dedup_lab_tester";
  const auto admin = mariadb_system().admin(config_);
  ASSERT_TRUE(admin);
  const Status applied = (*admin)->apply(soon());
  if (!applied && applied.error().code == ErrorCode::kRefused)
    GTEST_SKIP() << "needs an administrator: " << applied.error().text();
  sql("REVOKE RELOAD ON *.* FROM 'dedup_lab_tester'@'%'");
  config_.url.replace(0, config_.url.find('@'), "mariadb://dedup_lab_tester");
  config_.password = kLabPassword;
  bool said = false;
  for (const Finding& finding : mariadb_system().examine(config_, soon()))
    said = said || (!finding.passed && finding.what == "rights" &&
                    finding.detail.find("RELOAD") != std::string::npos);
  EXPECT_TRUE(said);
  sql("DROP USER 'dedup_lab_tester'@'%'");
}

TEST_F(MariadbServer, AFlushMakesAllocatedSizesExact) {
  config_.variant = "page_compressed";
  open();
  if (driver_ == nullptr) return;
  const auto observer = session_->open_observer(soon());
  ASSERT_TRUE(observer) << observer.error().text();
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 100, 131'072))));
  ASSERT_TRUE(driver_->flush(soon()));
  const std::int64_t once = (*observer)->footprint(soon())->parts.at("payload").count;
  ASSERT_TRUE(driver_->flush(soon()));
  EXPECT_EQ((*observer)->footprint(soon())->parts.at("payload").count, once);
  EXPECT_GT(once, 100 * 131'072);
  EXPECT_LT(once, 100 * 131'072 * 105 / 100)
      << "pages that are not written yet are counted whole, or not at all";
  ASSERT_TRUE(driver_->erase_all(soon(), DeleteAll::kLogical));
  ASSERT_TRUE(driver_->flush(soon()));
  EXPECT_LT((*observer)->footprint(soon())->parts.at("payload").count, once / 10)
      << "a flush waits until deleted rows are purged";
}

}  // namespace
}  // namespace lab
