// What only Redis can get wrong: a whole server that others use too, and settings that hold for all of it.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/redis.hpp"

#include <thread>

#include "drivers/redis/site.hpp"
#include "server_suite.hpp"

namespace lab {
namespace {

using redis::Command;
using redis::Info;
using redis::Link;

class RedisServer : public ServerSuite {
 protected:
  RedisServer() : ServerSuite(redis_system(), "dedup-test") {}

  void SetUp() override {
    find_server();
    if (config_.url.empty()) return;
    auto site = redis::site_of(entry_, config_);
    ASSERT_TRUE(site) << site.error().text();
    site_ = std::move(*site);
    auto link = Link::open(site_.address, soon(), "test");
    ASSERT_TRUE(link) << link.error().text();
    others_ = std::move(*link);
  }
  void TearDown() override {
    close();
    if (others_ == nullptr) return;
    const Status removed = entry_.remove(config_, soon());
    EXPECT_TRUE(removed) << removed.error().text();
  }

  void open(const std::string& variant = "default") {
    config_.variant = variant;
    ServerSuite::open();
  }
  /// Asks over a connection that is not ours; the text of the answer, or its number.
  std::string ask(const Command& command) {
    const auto told = others_->ask(soon(), "test", command);
    EXPECT_TRUE(told) << told.error().text();
    if (!told) return "";
    return told->text().empty() ? std::to_string(told->number()) : std::string(told->text());
  }
  Info settings() {
    std::vector<std::string> names;
    for (const auto& [name, value] : redis::settings_of(redis::setup_of("aof"))) names.push_back(name);
    auto got = redis::config_get(*others_, soon(), "test", names);
    EXPECT_TRUE(got) << got.error().text();
    return got ? *got : Info{};
  }

  redis::Site site_{};
  std::unique_ptr<Link> others_{};
};

TEST_F(RedisServer, KeysOfOthersOutliveEverything) {
  const std::vector<std::string> keys{"dedup-test", "dedup-test2:0:0123456789abcdef",
                                      "theirs:dedup-test:0:0123456789abcdef", "dedup-tes:marker"};
  for (const std::string& key : keys) ask({"SET", key, "theirs " + key});
  for (const char* variant : {"aof", "rdb+hash", "aof+stream"}) {
    SCOPED_TRACE(variant);
    open(variant);
    ASSERT_TRUE(driver_->reset(soon()));
    ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 20, 1'000))));
    EXPECT_EQ(*driver_->count(soon()), 20U);
    for (const DeleteAll how : {DeleteAll::kLogical, DeleteAll::kTruncate, DeleteAll::kDrop}) {
      const Status erased = driver_->erase_all(soon(), how);
      EXPECT_TRUE(erased || erased.error().code == ErrorCode::kUnsupported);
    }
    EXPECT_EQ(*driver_->count(soon()), 0U);
    ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 20, 1'000))));
    ASSERT_TRUE(driver_->reset(soon()));
    driver_.reset();
    session_.reset();
    ASSERT_TRUE(entry_.remove(config_, soon()));
    for (const std::string& key : keys) EXPECT_EQ(ask({"GET", key}), "theirs " + key);
  }
  for (const std::string& key : keys) ask({"DEL", key});
}

TEST_F(RedisServer, KeysWithoutOurMarkerAreRefusedAndLeft) {
  ask({"SET", "dedup-test:thesis", "years of work"});
  const auto session = entry_.open(config_, soon());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kRefused) << session.error().text();
  const Status removed = entry_.remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused) << removed.error().text();
  EXPECT_EQ(ask({"GET", "dedup-test:thesis"}), "years of work");
  EXPECT_EQ(ask({"EXISTS", "dedup-test:marker", "dedup-test:lock"}), "0");
  ask({"DEL", "dedup-test:thesis"});
}

TEST_F(RedisServer, AKeyOfOthersBesideOurMarkerIsNamedAndNothingIsDeleted) {
  open();
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 5, 1'000))));
  ask({"SET", "dedup-test:their-app:42", "precious"});
  const auto named = [](const Status& refused) {
    return !refused && refused.error().code == ErrorCode::kRefused &&
           refused.error().detail.find("dedup-test:their-app:42") != std::string::npos;
  };
  EXPECT_TRUE(named(driver_->reset(soon())));
  EXPECT_EQ(*driver_->count(soon()), 5U);
  driver_.reset();
  session_.reset();
  EXPECT_TRUE(named(entry_.remove(config_, soon())));
  const auto findings = entry_.examine(config_, soon());
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return !finding.passed && finding.detail.find("dedup-test:their-app:42") != std::string::npos;
  }));
  EXPECT_EQ(ask({"GET", "dedup-test:their-app:42"}), "precious");
  ask({"DEL", "dedup-test:their-app:42"});
  EXPECT_TRUE(entry_.remove(config_, soon()));
}

TEST_F(RedisServer, AMarkerOfAnotherTypeIsNotOurs) {
  ask({"SET", "dedup-test:marker", "theirs"});
  EXPECT_EQ(entry_.open(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(entry_.remove(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(ask({"GET", "dedup-test:marker"}), "theirs");
  ask({"DEL", "dedup-test:marker"});
}

TEST_F(RedisServer, ResetRefusesWhenTheMarkerIsGoneOrTheLockIsAnothers) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 3, 1'000))));
  ask({"SET", "dedup-test:lock", "another-run"});
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kInUse);
  ask({"SET", "dedup-test:lock", config_.run_id});
  ask({"RENAME", "dedup-test:marker", "dedup-test:away"});
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(*driver_->count(soon()), 3U);
  ask({"RENAME", "dedup-test:away", "dedup-test:marker"});
}

TEST_F(RedisServer, HasItsSettingsBackAfterEachSession) {
  const Info before = settings();
  for (const VariantInfo& variant : entry_.variants) {
    SCOPED_TRACE(variant.name);
    open(variant.name);
    EXPECT_EQ(settings().at("appendonly"), variant.name.starts_with("aof") ? "yes" : "no");
    driver_.reset();
    session_.reset();
    // A session's end waits 3 s for the answers; a loaded server sets them when it comes to it.
    const auto limit = Clock::now() + 60s;
    while (settings() != before && Clock::now() < limit) std::this_thread::yield();
    EXPECT_EQ(settings(), before);
  }
}

TEST_F(RedisServer, HasItsSettingsBackByARemovalAfterASessionThatNeverEnded) {
  open();
  driver_.reset();
  session_.reset();
  const Info before = settings();
  ask({"HSET", "dedup-test:marker", "server_run", others_->server_run(), "saved:appendfsync",
       before.at("appendfsync"), "saved:appendonly", before.at("appendonly")});
  ask({"CONFIG", "SET", "appendfsync", "always"});
  ask({"CONFIG", "SET", "appendonly", "yes"});
  ASSERT_TRUE(entry_.remove(config_, soon()));
  EXPECT_EQ(settings(), before);
}

TEST_F(RedisServer, ASettingThatWasChangedUnderASessionIsToldAtTheFlush) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  ask({"CONFIG", "SET", "appendfsync", "everysec"});
  const Status flushed = driver_->flush(soon());
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, ErrorCode::kRefused);
  EXPECT_NE(flushed.error().detail.find("appendfsync"), std::string::npos);
}

TEST_F(RedisServer, AConnectionThatTheServerEndedStaysLostUntilANewOneIsOpened) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const auto objects = made_many(0, 2, 100);
  ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  for (int again = 0; again < 3; ++again) {
    const Status put = driver_->put(soon(), objects[0].view());
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, ErrorCode::kConnectionLost);
    EXPECT_TRUE(put.error().retryable);
  }
  auto fresh = session_->open_driver(soon());
  ASSERT_TRUE(fresh) << fresh.error().text();
  EXPECT_TRUE((*fresh)->put(soon(), objects[0].view()));
}

TEST_F(RedisServer, AHeartbeatIsNoGrowth) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  const auto observer = session_->open_observer(soon());
  ASSERT_TRUE(observer) << observer.error().text();
  const auto before = (*observer)->footprint(soon());
  const std::string beat = ask({"GET", "dedup-test:beat"});
  const auto store = redis::make_lock_store(site_.address, site_.space);
  const auto limit = Clock::now() + 20s;
  do {  // The times that it writes are in milliseconds.
    const auto written = store->write(soon(), config_.run_id, config_.run_id);
    ASSERT_TRUE(written && *written);
  } while (ask({"GET", "dedup-test:beat"}) == beat && Clock::now() < limit);
  EXPECT_NE(ask({"GET", "dedup-test:beat"}), beat);
  const auto after = (*observer)->footprint(soon());
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->total, before->total);
  EXPECT_FALSE(*store->write(soon(), "another-run", "another-run")) << "it is not theirs";
}

TEST_F(RedisServer, AFullServerRefusesABatchAsAWhole) {
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_TRUE(driver_->put(soon(), made(900, "before").view()));
  ask({"CONFIG", "SET", "maxmemory", "1"});
  const Status put = driver_->put_batch(soon(), views(made_many(0, 20, 1'000)));
  ask({"CONFIG", "SET", "maxmemory", "0"});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kResourceExhausted) << put.error().text();
  EXPECT_EQ(*driver_->count(soon()), 1U);
  EXPECT_TRUE(driver_->put_batch(soon(), views(made_many(0, 20, 1'000))));
}

TEST_F(RedisServer, LargeValuesAreReadBackInSlicesAndComeBackWhole) {
  const auto times_asked = [&](const std::string& command) {
    const auto told = others_->ask(soon(), "test", {"INFO", "commandstats"});
    EXPECT_TRUE(told) << told.error().text();
    return told && told->text().find("cmdstat_" + command + ":") != std::string_view::npos;
  };
  const std::size_t whole = 16UL << 20U;
  const std::vector<Made> objects{made(1, random_bytes(1, whole + 1)),
                                  made(2, random_bytes(2, 2 * whole - 5)),
                                  made(3, std::string(whole + (whole / 2), 'x'))};
  open();
  ASSERT_TRUE(driver_->reset(soon()));
  for (const Made& object : objects) ASSERT_TRUE(driver_->put(soon(), object.view()));
  ask({"CONFIG", "RESETSTAT"});
  expect_read_back(objects);
  EXPECT_TRUE(times_asked("getrange"));
  EXPECT_FALSE(times_asked("get")) << "a whole answer takes the memory twice";
}

TEST_F(RedisServer, IsNotFitWhileItWouldEvict) {
  ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  ask({"CONFIG", "SET", "maxmemory", "1gb"});
  const auto findings = entry_.examine(config_, soon());
  const auto session = entry_.open(config_, soon());
  ask({"CONFIG", "SET", "maxmemory", "0"});
  ask({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return !finding.passed && finding.detail.find("noeviction") != std::string::npos;
  }));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kRefused);
}

TEST_F(RedisServer, AWrongPasswordAndAMissingRightAreTold) {
  SystemConfig wrong = config_;
  wrong.password = "not-the-pa55word";
  const auto refused = entry_.open(wrong, soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << refused.error().text();
  EXPECT_EQ(refused.error().text().find("pa55word"), std::string::npos);

  ask({"ACL", "SETUSER", "dedup_poor", "on", ">poor-pa55word", "~dedup-test:*", "+@all", "-config",
       "-bgsave"});
  SystemConfig poor = config_;
  poor.password = "poor-pa55word";
  poor.url.insert(poor.url.find("://") + 3, "dedup_poor@");
  const auto findings = entry_.examine(poor, soon());
  EXPECT_TRUE(
      std::any_of(findings.begin(), findings.end(), [](const Finding& finding) { return !finding.passed; }));
  EXPECT_EQ(entry_.open(poor, soon()).error().code, ErrorCode::kRefused);
  ask({"ACL", "DELUSER", "dedup_poor"});
}

constexpr const char* kLabVariable = "DEDUP_REDIS_LAB_PASSWORD";
constexpr const char* kLabPassword = "for-the-lab-alone";

TEST_F(RedisServer, SetupNeitherChangesNorDropsAUserOfOthers) {
  ::setenv(kLabVariable, kLabPassword, 1);
  ask({"ACL", "SETUSER", "dedup_lab", "on", ">not-ours", "~other:*", "+get"});
  const auto listed = [&] {
    std::string all;
    const auto told = others_->ask(soon(), "test", {"ACL", "LIST"});
    for (std::size_t one = 0; told && one < told->size(); ++one)
      if ((*told)[one].text().starts_with("user dedup_lab ")) all += (*told)[one].text();
    return all;
  };
  const std::string before = listed();
  EXPECT_NE(before, "");
  const auto admin = entry_.admin(config_);
  ASSERT_TRUE(admin);
  EXPECT_EQ((*admin)->apply(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ((*admin)->undo(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(listed(), before);
  ask({"ACL", "DELUSER", "dedup_lab"});
}

TEST_F(RedisServer, TheLabsUserHasTheRightsThatARunNeedsAndNoOthers) {
  const auto admin = entry_.admin(config_);
  ASSERT_TRUE(admin);
  ::setenv(kLabVariable, kLabPassword, 1);
  for (int twice = 0; twice < 2; ++twice) {
    const Status applied = (*admin)->apply(soon());
    ASSERT_TRUE(applied) << applied.error().text();
  }
  SystemConfig lab = config_;
  lab.url.insert(lab.url.find("://") + 3, "dedup_lab@");
  lab.password = kLabPassword;
  for (const Finding& finding : entry_.examine(lab, soon()))
    EXPECT_TRUE(finding.passed) << finding.what << ": " << finding.detail;
  for (const VariantInfo& variant : entry_.variants) {
    SCOPED_TRACE(variant.name);
    lab.variant = variant.name;
    auto session = entry_.open(lab, soon());
    ASSERT_TRUE(session) << session.error().text();
    auto driver = (*session)->open_driver(soon());
    auto observer = (*session)->open_observer(soon());
    ASSERT_TRUE(driver && observer);
    EXPECT_TRUE((*driver)->reset(soon()));
    const auto objects = made_many(0, 5, 1'000);
    EXPECT_TRUE((*driver)->put_batch(soon(), views(objects)));
    EXPECT_TRUE((*driver)->put(soon(), made(9, "one").view()));
    EXPECT_TRUE((*driver)->get(soon(), objects[0].key()));
    EXPECT_TRUE((*driver)->erase(soon(), keys({objects[0]})));
    EXPECT_EQ(*(*driver)->count(soon()), 5U);
    EXPECT_TRUE((*driver)->read_all(soon(), [](auto&&...) { return ok(); }));
    EXPECT_TRUE((*driver)->flush(soon()));
    EXPECT_TRUE((*driver)->maintain(soon()));
    EXPECT_TRUE((*observer)->identity(soon()));
    EXPECT_TRUE((*observer)->settings(soon()));
    EXPECT_TRUE((*observer)->footprint(soon()));
    EXPECT_TRUE((*observer)->statement_seconds(soon()));
  }
  const Status removed = entry_.remove(lab, soon());
  EXPECT_TRUE(removed) << removed.error().text();
  auto as_lab = redis::site_of(entry_, lab);
  auto link = Link::open(as_lab->address, soon(), "test");
  ASSERT_TRUE(link) << link.error().text();
  for (const Command& command :
       {Command{"FLUSHALL"}, Command{"GET", "theirs"}, Command{"SET", "theirs", "x"}, Command{"SHUTDOWN"}}) {
    const auto told = (*link)->ask(soon(), "test", command);
    ASSERT_FALSE(told);
    EXPECT_TRUE(told.error().detail.starts_with("NOPERM")) << told.error().detail;
  }
  EXPECT_TRUE((*admin)->undo(soon()));
}

}  // namespace
}  // namespace lab
