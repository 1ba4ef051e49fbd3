// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "drivers/redis/checks.hpp"
#include "drivers/redis/fake_server_test_support.hpp"
#include "drivers/redis/observer.hpp"
#include "drivers/redis/redis.hpp"
#include "drivers/redis/stream_layout.hpp"

namespace lab::redis {
namespace {

Result<Site> site_for(const std::string& url, const std::string& variant = "default") {
  return site_of(redis_system(), {.variant = variant, .url = url, .password = "s3cret"});
}

TEST(RedisSite, ReadsTheUrl) {
  const auto site = site_for("rediss://lab@cache.example:7000/3?tls_ca=%2Fetc%2Fca.pem");
  ASSERT_TRUE(site) << site.error().text();
  EXPECT_TRUE(site->address.tls);
  EXPECT_EQ(site->address.host, "cache.example");
  EXPECT_EQ(site->address.port, 7000);
  EXPECT_EQ(site->address.user, "lab");
  EXPECT_EQ(site->address.database, 3);
  EXPECT_EQ(site->address.tls_ca, "/etc/ca.pem");
  EXPECT_EQ(site->space.pattern(), "dedup:*");
  EXPECT_EQ(site_for("redis://127.0.0.1")->address.port, 6379);
}

TEST(RedisSite, RefusesAnAddressThatMeansNothing) {
  for (const char* url : {"http://h", "redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://u:p@h",
                          "redis://h?tls_ca=x", "redis://h/0?timeout=3"}) {
    const auto site = site_for(url);
    ASSERT_FALSE(site) << url;
    EXPECT_EQ(site.error().code, ErrorCode::kInvalidArgument) << url;
  }
}

TEST(RedisSite, EveryVariantHasItsOwnSetup) {
  std::set<std::tuple<bool, bool, LayoutKind>> seen;
  for (const VariantInfo& variant : variants()) {
    const auto setup = setup_of(variant.name);  // testing::Test has a Setup of its own.
    EXPECT_TRUE(seen.emplace(setup.aof, setup.compressed, setup.layout).second) << variant.name;
    const Settings settings = settings_of(setup);
    EXPECT_EQ(settings.back().first, "appendonly") << "the file is written under the other settings";
    EXPECT_EQ(settings.back().second, setup.aof ? "yes" : "no");
  }
  EXPECT_TRUE(setup_of(variants().front().name).aof);
}

TEST(RedisSite, KnowsTheFileThatAVariantWrites) {
  Site site{.setup = setup_of("aof"), .directory = "/data"};
  site.files = {{"appendfilename", "log.aof"}, {"appenddirname", "logs"}, {"dbfilename", "snap.rdb"}};
  EXPECT_EQ(site.persistent_file(), "/data/logs/log.aof.manifest");
  site.files.erase("appenddirname");
  EXPECT_EQ(site.persistent_file(), "/data/log.aof");
  site.setup = setup_of("rdb");
  EXPECT_EQ(site.persistent_file(), "/data/snap.rdb");
  site.directory.clear();
  EXPECT_EQ(site.persistent_file(), std::nullopt);
}

TEST(RedisSite, TellsThePartOfAFile) {
  Site site{.setup = setup_of("aof")};
  site.files = {{"appendfilename", "appendonly.aof"}, {"dbfilename", "snapshot"}};
  const RedisObserver observer(site, nullptr);
  for (const char* payload :
       {"appendonlydir/appendonly.aof.1.base.rdb", "appendonlydir/appendonly.aof.1.incr.aof", "snapshot",
        "temp-77.rdb", "temp-rewriteaof-77.aof", "appendonly.aof"})
    EXPECT_EQ(observer.part_of(payload), FilePart::kPayload) << payload;
  for (const char* meta : {"appendonlydir/appendonly.aof.manifest", "nodes.conf"})
    EXPECT_EQ(observer.part_of(meta), FilePart::kMeta) << meta;
}

TEST(RedisKeySpace, KnowsItsObjectsAndNothingElse) {
  const KeySpace space{"dedup"};
  ObjectId id{};
  id[0] = std::byte{':'};
  id[15] = std::byte{0xff};
  const std::string key = space.object(12, id);
  EXPECT_EQ(key.size(), std::string("dedup:12:").size() + 16);
  EXPECT_EQ(space.object_of(key), (PlacedId{12, id}));
  for (const std::string& other :
       {space.marker(), space.lock(), space.beat(), space.stream(0), std::string("dedup:0:short"),
        std::string("dedup2:0:0123456789abcdef"), key + "x", std::string("dedup::0123456789abcdef")})
    EXPECT_EQ(space.object_of(other), std::nullopt) << other;
  EXPECT_TRUE(space.holds_data(key));
  EXPECT_TRUE(space.holds_data(space.stream(3)));
  EXPECT_FALSE(space.holds_data(space.marker()));
  EXPECT_FALSE(space.holds_data("dedup2:0:0123456789abcdef"));
  EXPECT_FALSE(space.is_foreign(key));
  EXPECT_FALSE(space.is_foreign(space.beat()));
  EXPECT_FALSE(space.is_foreign("dedup2:other")) << "not below our prefix";
  for (const std::string& foreign :
       {std::string("dedup:their-app:42"), std::string("dedup:0:short"), std::string("dedup:00:stream"),
        std::string("dedup:007:0123456789abcdef"), space.stream(0) + "s", std::string("dedup:")}) {
    EXPECT_FALSE(space.holds_data(foreign)) << foreign;
    EXPECT_TRUE(space.is_foreign(foreign)) << foreign;
  }
}

TEST(RedisStream, TheNextPageBeginsAfterTheLastEntry) {
  EXPECT_EQ(*after_entry("1700000000000-7", "test"), "1700000000000-8");
  EXPECT_EQ(*after_entry("5-18446744073709551615", "test"), "6-0");
  for (const char* bad : {"", "5", "5-", "-7", "5-7x", "a-b"}) EXPECT_FALSE(after_entry(bad, "test")) << bad;
}

TEST(RedisInfo, ReadsLinesAndLists) {
  const Info info = parse_info("# Memory\r\nused_memory:123\r\nname:a:b\r\n\r\nempty:\r\n");
  EXPECT_EQ(number_of(info, "used_memory"), 123);
  EXPECT_EQ(word_of(info, "name"), "a:b");
  EXPECT_EQ(word_of(info, "missing"), "");
  EXPECT_EQ(info.size(), 3U);
  EXPECT_EQ(number_of(parse_info("calls=1,usec=250,usec_per_call=2.5", ',', '='), "usec"), 250);
}

TEST(RedisInfo, CountsTheReplicasThatAreInStep) {
  const Info info = parse_info(
      "role:master\r\nconnected_slaves:2\r\nslave0:ip=1,port=2,state=online,lag=0\r\n"
      "slave1:ip=1,port=3,state=wait_bgsave,lag=0\r\n");
  EXPECT_EQ(replicas_of(info), 1);
}

TEST(RedisInfo, ReadsVersions) {
  EXPECT_EQ(version_number("7.0.15"), 700);
  EXPECT_EQ(version_number("6.2.1"), 602);
  EXPECT_EQ(version_number("255.255.255"), std::nullopt);
  EXPECT_EQ(version_number("unstable"), std::nullopt);
}

TEST(RedisErrors, AreToldByTheirFirstWord) {
  EXPECT_EQ(error_of("OOM command not allowed", "x").code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(error_of("WRONGPASS invalid", "x").code, ErrorCode::kRefused);
  EXPECT_FALSE(error_of("NOPERM no", "x").retryable);
  EXPECT_EQ(error_of("LOADING Redis is loading", "x").code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(error_of("LOADING Redis is loading", "x").retryable);
  EXPECT_EQ(error_of("MOVED 1 h:1", "x").code, ErrorCode::kUnsupported);
  EXPECT_EQ(error_of("MISCONF Errors writing to the AOF file: Input/output error", "x").code, ErrorCode::kIo);
  const Error full = error_of("MISCONF Errors writing to the AOF file: No space left on device", "x");
  EXPECT_EQ(full.code, ErrorCode::kResourceExhausted) << "a full disk is told as in every system";
  EXPECT_FALSE(full.retryable);
}

TEST(RedisAdmin, ItsStatementsNameAVariableAndHoldNoPassword) {
  const auto site = site_for("redis://127.0.0.1");
  ASSERT_TRUE(site);
  const auto admin = make_admin(*site);
  const std::string how = admin->apply_statements().at(0);
  EXPECT_NE(how.find("envsubst '${DEDUP_REDIS_LAB_PASSWORD}' | redis-cli"), std::string::npos) << how;
  for (auto statements : {admin->apply_statements(), admin->undo_statements()}) {
    if (statements.front() == how) statements.erase(statements.begin());
    for (const std::string& statement : statements) {
      EXPECT_EQ(statement.find("s3cret"), std::string::npos) << statement;
      EXPECT_EQ(statement.find("made-this-user"), std::string::npos)
          << "what cannot refuse a user of others must not mark it as ours: " << statement;
    }
    EXPECT_TRUE(statements.front().starts_with("-- Run first: ACL GETUSER dedup_lab")) << statements.front();
  }
  EXPECT_NE(admin->apply_statements().at(2).find(">${DEDUP_REDIS_LAB_PASSWORD}"), std::string::npos);
  for (const std::string& rule : rules_of(site->space))
    EXPECT_TRUE(rule.starts_with('+') || rule == "~dedup:*") << "additive, and our keys alone: " << rule;
}

constexpr const char* kLabVariable = "DEDUP_REDIS_LAB_PASSWORD";

/// A server with no user dedup_lab, where one is logged in as `me`.
FakeServer::Script without_lab_user(std::string me) {
  return [me = std::move(me)](const FakeServer::Words& words) -> std::string {
    if (words[0] == "ACL" && words[1] == "WHOAMI") return bulk(me);
    if (words[0] == "ACL" && words[1] == "GETUSER") return "$-1\r\n";
    return "+OK\r\n";
  };
}

std::unique_ptr<Admin> admin_on(const FakeServer& server) {
  return make_admin(*site_for("redis://127.0.0.1:" + std::to_string(server.port)));
}

std::size_t changes(FakeServer& server) {
  std::size_t all = 0;
  for (const FakeServer::Words& words : server.commands())
    all += words[0] == "ACL" && (words[1] == "SETUSER" || words[1] == "DELUSER") ? 1 : 0;
  return all;
}

TEST(RedisAdmin, TheLabsUserIsMadeWithAPasswordOfItsOwnOrNotAtAll) {
  FakeServer server(without_lab_user("default"));
  const auto admin = admin_on(server);
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  ::unsetenv(kLabVariable);
  const Status missing = admin->apply(call);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().detail.find(kLabVariable), std::string::npos) << missing.error().detail;
  ::setenv(kLabVariable, "s3cret", 1);
  EXPECT_FALSE(admin->apply(call)) << "it is the password of the url's user";
  EXPECT_EQ(changes(server), 0U);

  ::setenv(kLabVariable, "the labs own", 1);
  const Status applied = admin->apply(call);
  ::unsetenv(kLabVariable);
  ASSERT_TRUE(applied) << applied.error().text();
  const FakeServer::Words made = server.commands().back();
  EXPECT_EQ(std::count(made.begin(), made.end(), ">the labs own"), 1);
  EXPECT_EQ(std::count(made.begin(), made.end(), ">s3cret"), 0);
}

TEST(RedisAdmin, SetupNeitherChangesNorDropsTheUserThatItIsLoggedInAs) {
  FakeServer server(without_lab_user("dedup_lab"));
  const CallContext call{Clock::now() + Millis{20'000}, {}};
  ::setenv(kLabVariable, "the labs own", 1);
  EXPECT_EQ(admin_on(server)->apply(call).error().code, ErrorCode::kRefused);
  EXPECT_EQ(admin_on(server)->undo(call).error().code, ErrorCode::kRefused);
  ::unsetenv(kLabVariable);
  EXPECT_EQ(changes(server), 0U);
}

}  // namespace
}  // namespace lab::redis
