// What only a real PostgreSQL server shows: other people's schemas, a lost connection, a server that hangs.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/postgres/postgres.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "drivers/pgwire/connection.hpp"
#include "server_suite.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "test";

/// A namespace of this suite's own, and a connection beside the driver's, as somebody else would have.
class PostgresqlServer : public ServerSuite {
 protected:
  PostgresqlServer() : ServerSuite(postgresql_system(), "dedup_pg_suite") {}

  void SetUp() override {
    find_server();
    if (config_.url.empty()) return;
    const auto target = postgres::make_target(config_);
    ASSERT_TRUE(target) << target.error().text();
    auto other = pgwire::Connection::open(target->address, soon(), kOperation);
    ASSERT_TRUE(other) << other.error().text();
    other_ = std::move(*other);
    drop();  // What a run that crashed left.
  }
  void TearDown() override {
    if (other_ == nullptr) return;
    close();
    drop();
  }

  void drop() { sql("DROP SCHEMA IF EXISTS dedup_pg_suite, dedup_pg_suite_1, dedup_pg_suite_2 CASCADE"); }
  void sql(const std::string& statement) {
    const Status done = other_->execute(soon(), kOperation, statement);
    ASSERT_TRUE(done) << done.error().text();
  }
  std::string value(const std::string& query) {
    const auto rows = other_->query(soon(), kOperation, query);
    EXPECT_TRUE(rows) << rows.error().text();
    return rows && rows->count() > 0 ? std::string(rows->text(0, 0)) : std::string();
  }
  std::uint16_t port() { return postgres::make_target(config_)->address.port; }
  ErrorCode code_of_open() { return entry_.open(config_, soon()).error().code; }

  std::unique_ptr<pgwire::Connection> other_{};
};

bool said(const std::vector<Finding>& findings, const std::string& what, bool passed) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& one) { return one.what == what && one.passed == passed; });
}

}  // namespace

TEST_F(PostgresqlServer, ASchemaWithoutOurMarkerIsRefusedAndLeftAsItWas) {
  sql("CREATE SCHEMA dedup_pg_suite; CREATE TABLE dedup_pg_suite.files AS SELECT 'thesis' AS payload");
  EXPECT_EQ(code_of_open(), ErrorCode::kRefused);
  EXPECT_EQ(entry_.remove(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_TRUE(said(entry_.examine(config_, soon()), "namespace", false));
  EXPECT_EQ(entry_.leftovers(config_, soon())->size(), 0U);
  EXPECT_EQ(value("SELECT payload FROM dedup_pg_suite.files"), "thesis");
}

/// 200,000 rows with 10 keys, in indexes that VACUUM FULL has built sorted: leaves are filled to 90 % of the
/// 8152 bytes that a page has for tuples. A tuple is 8 bytes and the key of 16, and 4 of a line pointer. A
/// posting list is such a tuple with 6 bytes a row, and ends before 812 bytes (a tenth of a page, less a line
/// pointer).
TEST_F(PostgresqlServer, AnIndexOfEqualKeysIsAsLargeAsItsTuplesOrItsPostingLists) {
  constexpr double kRows = 200'000;
  constexpr double kLeaf = 0.9 * 8152;
  constexpr double kTuple = 8 + 16 + 4;
  constexpr double kPerList = 131;                        // (812 - 8 - 16) / 6, whole.
  constexpr double kList = 816 + 4;                       // Padded to 8, and its line pointer.
  const double tuples = kRows * kTuple / kLeaf;           // Pages: 763,
  const double lists = kRows / kPerList * kList / kLeaf;  // and 171.
  std::vector<Made> records;
  for (std::uint64_t number = 0; number < static_cast<std::uint64_t>(kRows); ++number)
    records.push_back(made(number, fmt::format("{},00\n", format_uuid(id_of(1'000'000 + number % 10)))));
  config_.mode = "native";
  config_.payload = "uuid_keys";
  std::map<std::string, double> pages;
  for (const char* variant : {"toast_extended+vacuum_full", "deduplicate_items_off+vacuum_full"}) {
    SCOPED_TRACE(variant);
    config_.variant = variant;
    ASSERT_NO_FATAL_FAILURE(open());
    ASSERT_TRUE(driver_->reset(soon()));
    const Status loaded = driver_->put_batch(within(120s), views(records));
    ASSERT_TRUE(loaded) << loaded.error().text();
    const auto maintained = driver_->maintain(within(120s));
    ASSERT_TRUE(maintained) << maintained.error().text();
    EXPECT_TRUE(maintained->worked) << maintained->what;
    auto observer = session_->open_observer(soon());
    ASSERT_TRUE(observer) << observer.error().text();
    const auto footprint = (*observer)->footprint(soon());
    ASSERT_TRUE(footprint) << footprint.error().text();
    pages[variant] = static_cast<double>(footprint->parts.at("index").count) / 8192;
    const auto settings = (*observer)->settings(soon());
    ASSERT_TRUE(settings) << settings.error().text();
    EXPECT_EQ(settings->contains("indexes of files"), config_.variant.starts_with("deduplicate"));
    RecordProperty(config_.variant.substr(0, 5) + "_pages", fmt::format("{}", pages[variant]));
    close();
  }
  // Each variant has the primary key's index too, whose keys are all different.
  EXPECT_NEAR(pages["deduplicate_items_off+vacuum_full"], 2 * tuples, 2 * tuples * 0.03);
  EXPECT_NEAR(pages["toast_extended+vacuum_full"], tuples + lists, (tuples + lists) * 0.03);
}

TEST_F(PostgresqlServer, PayloadsThatAreReadInSlicesComeBackWhole) {
  const std::size_t whole = 16UL << 20U;
  std::vector<Made> objects{made(1, random_bytes(1, whole)), made(2, random_bytes(2, whole + 1)),
                            made(3, random_bytes(3, 3 * whole - 5)), made(4, std::string(2 * whole, 'x')),
                            made(5, "")};
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  for (std::size_t part = 0; part < objects.size(); ++part) {
    const Status put = driver_->put_batch(soon(), views({objects[part]}));
    ASSERT_TRUE(put) << put.error().text();
  }
  expect_read_back(objects);
}

TEST_F(PostgresqlServer, ResetRefusesWhenTheMarkerIsGone) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const Made object = made(1, "kept");
  ASSERT_TRUE(driver_->put(soon(), object.view()));
  sql("DROP TABLE dedup_pg_suite.deduplab_marker");
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(value("SELECT count(*) FROM dedup_pg_suite.files"), "1");
}

TEST_F(PostgresqlServer, ResetRefusesWhenAnotherRunTookTheLock) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  sql("UPDATE dedup_pg_suite.deduplab_marker SET run_id = 'another-run'");
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kInUse);
}

TEST_F(PostgresqlServer, AContainerOfOthersIsRefusedBeforeAnythingIsDropped) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  driver_.reset();
  session_.reset();
  sql("CREATE SCHEMA dedup_pg_suite_1; CREATE TABLE dedup_pg_suite_1.theirs (a int)");
  config_.containers = 2;
  open();
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(
      value("SELECT count(*) FROM pg_tables WHERE schemaname = 'dedup_pg_suite' AND tablename = 'files'"),
      "1");
  driver_.reset();
  session_.reset();
  ASSERT_TRUE(entry_.remove(config_, soon()));
  EXPECT_EQ(value("SELECT count(*) FROM pg_tables WHERE schemaname = 'dedup_pg_suite_1'"), "1");
}

TEST_F(PostgresqlServer, WhatOthersPutIntoOurSchemaIsNotDropped) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  driver_.reset();
  session_.reset();
  sql("CREATE TABLE dedup_pg_suite.theirs AS SELECT 'years of work' AS text");
  const Status removed = entry_.remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused) << removed.error().text();
  EXPECT_EQ(value("SELECT text FROM dedup_pg_suite.theirs"), "years of work");
  EXPECT_EQ(value("SELECT count(*) FROM dedup_pg_suite.deduplab_marker"), "1") << "all or nothing";
}

TEST_F(PostgresqlServer, ContainersOfAnEarlierRunAreTakenAwayByTheNextReset) {
  config_.containers = 3;
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  driver_.reset();
  session_.reset();
  EXPECT_EQ(entry_.leftovers(config_, soon())->size(), 3U);
  config_.containers = 1;
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(entry_.leftovers(config_, soon())->size(), 1U);
}

TEST_F(PostgresqlServer, ASchemaThatOthersManageIsFilledAndEmptiedButNeverDropped) {
  config_.options["namespace_mode"] = "existing";
  EXPECT_EQ(code_of_open(), ErrorCode::kRefused) << "it is not there, and we make none";
  sql("CREATE SCHEMA dedup_pg_suite");
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const Made object = made(1, "x");
  ASSERT_TRUE(driver_->put(soon(), object.view()));
  driver_.reset();
  session_.reset();
  ASSERT_TRUE(entry_.remove(config_, soon()));
  EXPECT_EQ(value("SELECT count(*) FROM pg_namespace WHERE nspname = 'dedup_pg_suite'"), "1");
  EXPECT_EQ(value("SELECT count(*) FROM pg_tables WHERE schemaname = 'dedup_pg_suite'"), "0");
}

TEST_F(PostgresqlServer, AConnectionThatWasLostStaysLostUntilANewOneIsOpened) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_EQ(*driver_->count(soon()), 0U);  // Its last statement tells its session from everybody else's.
  ASSERT_EQ(value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                  "WHERE query LIKE 'SELECT count(*) FROM \"dedup_pg_suite\".files%'"),
            "1");
  for (int call = 0; call < 3; ++call) {
    const Status proved = driver_->prove(soon());
    ASSERT_FALSE(proved);
    EXPECT_EQ(proved.error().code, ErrorCode::kConnectionLost) << proved.error().text();
    EXPECT_TRUE(proved.error().retryable);
  }
  const Made object = made(1, "x");
  EXPECT_EQ(driver_->put(soon(), object.view()).error().code, ErrorCode::kConnectionLost);
  auto again = session_->open_driver(soon());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE((*again)->put(soon(), object.view()));
}

TEST_F(PostgresqlServer, AStatementThatWaitsForALockIsGivenUpAndTheConnectionIsStillGood) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  sql("BEGIN; LOCK TABLE dedup_pg_suite.files IN ACCESS EXCLUSIVE MODE");
  const auto counted = driver_->count(within(100ms));
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().code, ErrorCode::kTimeout) << counted.error().text();
  const Made object = made(1, "x");
  const Object batch[] = {object.view()};
  EXPECT_EQ(driver_->put_batch(within(100ms), batch).error().code, ErrorCode::kTimeout);
  sql("COMMIT");
  EXPECT_TRUE(driver_->prove(soon()));
  EXPECT_EQ(*driver_->count(soon()), 0U);
  EXPECT_TRUE(driver_->put_batch(soon(), batch));
}

TEST_F(PostgresqlServer, ABatchWithAnIdThatIsThereReplacesItOrChangesNothing) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const Made first = made(1, "first");
  const Made second = made(1, "second");
  const Made third = made(1, "third");
  ASSERT_TRUE(driver_->put(soon(), first.view()));
  const Object twice[] = {second.view(), third.view()};
  const Status replaced = driver_->put_batch(soon(), twice);
  ASSERT_TRUE(replaced) << replaced.error().text();
  EXPECT_EQ(*driver_->get(soon(), first.key()), "third") << "the last one counts";
  EXPECT_EQ(*driver_->count(soon()), 1U);
}

TEST_F(PostgresqlServer, AServerThatHangsHoldsNoCall) {
  testbed::Proxy& proxy = proxy_before(port());
  go_by(proxy);
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const auto objects = made_many(0, 20, 500'000);
  ASSERT_TRUE(driver_->put_batch(soon(), views(objects)));
  const auto& one = objects[0];
  const ObjectKey key[] = {one.key()};
  struct Case {
    const char* what;
    std::function<Status(Driver&, const CallContext&)> run;
  };
  const Case cases[] = {
      {"prove", [](Driver& driver, const CallContext& call) { return driver.prove(call); }},
      {"reset", [](Driver& driver, const CallContext& call) { return driver.reset(call); }},
      {"put", [&](Driver& driver, const CallContext& call) { return driver.put(call, one.view()); }},
      {"put_batch",
       [&](Driver& driver, const CallContext& call) { return driver.put_batch(call, views(objects)); }},
      {"read_all",
       [](Driver& driver, const CallContext& call) {
         return driver.read_all(call, [](auto&&...) { return ok(); });
       }},
      {"erase", [&](Driver& driver, const CallContext& call) { return driver.erase(call, key); }},
      {"flush", [](Driver& driver, const CallContext& call) { return driver.flush(call); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    proxy.go_on();
    auto driver = session_->open_driver(soon());
    ASSERT_TRUE(driver) << driver.error().text();
    proxy.stall();
    const CallContext call = within(200ms);  // It is over while the call waits.
    const Status ended = c.run(**driver, call);
    EXPECT_LT(Clock::now() - call.deadline, kStopBound);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::kTimeout) << ended.error().text();
    proxy.go_on();
    EXPECT_EQ((*driver)->prove(soon()).error().code, ErrorCode::kConnectionLost) << "given up, and stays so";
  }
  proxy.go_on();
  auto again = session_->open_driver(soon());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE((*again)->reset(soon()));
}

TEST_F(PostgresqlServer, AConnectionThatIsCutInALoadLosesTheWholeBatchAndStaysLost) {
  testbed::Proxy& proxy = proxy_before(port());
  go_by(proxy);
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const Made first = made(1, "before");
  ASSERT_TRUE(driver_->put(soon(), first.view()));
  proxy.stall();  // So that the batch is under way when the connection ends.
  const auto objects = made_many(10, 40, 500'000);
  std::jthread cutter([&] { proxy.cut(); });
  const Status put = driver_->put_batch(soon(), views(objects));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kConnectionLost) << put.error().text();
  EXPECT_TRUE(put.error().retryable);
  cutter.join();
  proxy.go_on();
  EXPECT_EQ(driver_->prove(soon()).error().code, ErrorCode::kConnectionLost);
  auto again = session_->open_driver(soon());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*(*again)->count(soon()), 1U);
}

TEST_F(PostgresqlServer, AWrongPasswordIsRefusedAndNeverRepeated) {
  if (config_.password.empty()) GTEST_SKIP() << "this server wants no password";
  config_.password = "not-the-password";
  const auto session = entry_.open(config_, soon());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kRefused) << session.error().text();
  EXPECT_FALSE(session.error().retryable);
  EXPECT_EQ(session.error().text().find("not-the-password"), std::string::npos);
  EXPECT_TRUE(said(entry_.examine(config_, soon()), "connection", false));
}

TEST_F(PostgresqlServer, AnUnknownDatabaseIsNamed) {
  config_.url.replace(config_.url.rfind('/') + 1, std::string::npos, "no_such_database");
  const auto session = entry_.open(config_, soon());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kNotFound) << session.error().text();
  EXPECT_NE(session.error().detail.find("no_such_database"), std::string::npos);
}

TEST_F(PostgresqlServer, ADirectoryOfAnotherServerIsNotBelieved) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "PG_VERSION", "9\n"));
  config_.directory = folder.path();
  open();
  EXPECT_TRUE(said(entry_.examine(config_, soon()), "files", false));
  const auto observer = *session_->open_observer(soon());
  EXPECT_EQ(observer->directories(soon()).error().code, ErrorCode::kRefused);
}

TEST_F(PostgresqlServer, SetupMakesARoleThatSufficesAndUndoTakesItAway) {
  if (value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") != "t")
    GTEST_SKIP() << "only a superuser makes roles";
  ::setenv("DEDUP_PG_LAB_PASSWORD", "for-the-lab-alone", 1);
  config_.options["role"] = "dedup_pg_suite_role";
  const auto admin = *entry_.admin(config_);
  for (int time = 0; time < 2; ++time) {
    const Status applied = admin->apply(soon());
    ASSERT_TRUE(applied) << applied.error().text();
  }
  for (const std::string& statement : admin->apply_statements())
    EXPECT_EQ(statement.find("REVOKE"), std::string::npos) << statement;
  sql("SET SESSION AUTHORIZATION dedup_pg_suite_role; CREATE SCHEMA dedup_pg_suite_2; DROP SCHEMA "
      "dedup_pg_suite_2; "
      "RESET SESSION AUTHORIZATION");
  if (other_->version() >= postgres::kVersionCheckpointRole)
    sql("SET SESSION AUTHORIZATION dedup_pg_suite_role; CHECKPOINT; RESET SESSION AUTHORIZATION");
  const Status undone = admin->undo(soon());
  ASSERT_TRUE(undone) << undone.error().text();
  EXPECT_EQ(value("SELECT count(*) FROM pg_roles WHERE rolname = 'dedup_pg_suite_role'"), "0");
  EXPECT_TRUE(admin->undo(soon())) << "nothing to undo is fine";
}

TEST_F(PostgresqlServer, SetupNeitherChangesNorDropsARoleOfOthers) {
  if (value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") != "t")
    GTEST_SKIP() << "only a superuser makes roles";
  ::setenv("DEDUP_PG_LAB_PASSWORD", "for-the-lab-alone", 1);
  sql("CREATE ROLE dedup_pg_suite_role");
  config_.options["role"] = "dedup_pg_suite_role";
  EXPECT_FALSE((*entry_.admin(config_))->apply(soon()));
  EXPECT_EQ(value("SELECT pg_has_role('dedup_pg_suite_role', 'pg_monitor', 'member')"), "f");
  EXPECT_FALSE((*entry_.admin(config_))->undo(soon()));
  EXPECT_EQ(value("SELECT count(*) FROM pg_roles WHERE rolname = 'dedup_pg_suite_role'"), "1");
  sql("DROP ROLE dedup_pg_suite_role");
}

}  // namespace lab
