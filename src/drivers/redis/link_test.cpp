// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/link.hpp"

#include <gtest/gtest.h>

#include "drivers/redis/fake_server_test_support.hpp"
#include "drivers/redis/layout.hpp"
#include "drivers/redis/server.hpp"

namespace lab::redis {
namespace {

CallContext within(Millis limit) { return {Clock::now() + limit, {}}; }
CallContext soon() { return within(Millis{20'000}); }
Address address_of(const FakeServer& server, std::string password = "") {
  return {.host = "127.0.0.1", .port = server.port, .password = std::move(password)};
}
std::string answer_ok(const FakeServer::Words&) { return "+OK\r\n"; }

TEST(RedisLink, SendsAnyBytesAndReadsAnyBytes) {
  FakeServer server([](const FakeServer::Words& words) { return bulk(words[2]); });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link) << link.error().text();
  std::string payload("a\0\r\n\xff", 5);
  payload += std::string(3'000'000, 'x');
  const auto told = (*link)->ask(soon(), "test", {"SET", "key", Word("head", payload)});
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_TRUE(told->text() == "head" + payload);
}

TEST(RedisLink, AnErrorAnswerIsAnErrorAndTheNextAnswerStillComes) {
  FakeServer server([](const FakeServer::Words& words) {
    return words[0] == "SET" ? "-OOM command not allowed when used memory > 'maxmemory'.\r\n" : "+PONG\r\n";
  });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  ASSERT_TRUE((*link)->send(soon(), "test", {"SET", "a", "b"}));
  ASSERT_TRUE((*link)->send(soon(), "test", {"PING"}));
  const auto refused = (*link)->receive(soon(), "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE((*link)->whole());
  const auto pong = (*link)->receive(soon(), "test");
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->text(), "PONG");
}

TEST(RedisLink, ADatabaseThatIsNotThereIsNamedAndIsNoRefusalOfTheLogin) {
  FakeServer server([](const FakeServer::Words& words) -> std::string {
    if (words[0] != "SELECT") return "+OK\r\n";
    if (words[1] == "99") return "-ERR DB index is out of range\r\n";
    return "-NOPERM this user has no permissions to run the 'select' command\r\n";
  });
  Address address = address_of(server);
  address.database = 99;
  const auto missing = Link::open(address, soon(), "test");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().detail.find("database 99"), std::string::npos) << missing.error().detail;
  EXPECT_NE(missing.error().detail.find("'databases'"), std::string::npos) << missing.error().detail;
  address.database = 1;
  EXPECT_EQ(Link::open(address, soon(), "test").error().code, ErrorCode::kRefused);
}

TEST(RedisLink, AConnectionThatWasLostStaysLost) {
  FakeServer server(
      [](const FakeServer::Words& words) { return words[0] == "GET" ? FakeServer::kHangUp : "+PONG\r\n"; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  const auto lost = (*link)->ask(soon(), "test", {"GET", "a"});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(lost.error().retryable);
  for (int again = 0; again < 2; ++again) {
    const Status begun = (*link)->begin(soon(), "test");
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code, ErrorCode::kConnectionLost);
  }
}

TEST(RedisLink, ASilentServerIsLeftAtTheDeadlineAndAtAStop) {
  FakeServer server([](const FakeServer::Words&) { return ""; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  const auto late = (*link)->ask(within(Millis{30}), "test", {"GET", "a"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  ASSERT_TRUE((*link)->begin(soon(), "test"));
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto stopped = (*link)->ask({Clock::time_point::max(), stop.get_token()}, "test", {"GET", "a"});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(RedisLink, WhatACallLeftInTheMiddleIsKilledBeforeTheNextBegins) {
  FakeServer server([](const FakeServer::Words& words) { return words[0] == "GET" ? "" : "+PONG\r\n"; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  ASSERT_FALSE((*link)->ask(within(Millis{30}), "test", {"GET", "a"}));
  ASSERT_TRUE((*link)->begin(soon(), "test"));
  ASSERT_TRUE((*link)->ask(soon(), "test", {"PING"}));
  const std::vector<FakeServer::Words> want{{"GET", "a"}, {"CLIENT", "KILL", "ID", "1"}, {"PING"}};
  EXPECT_EQ(server.commands(), want);
}

TEST(RedisLink, AQuestionAfterOneThatWasLeftIsAskedOnANewConnection) {
  FakeServer server([](const FakeServer::Words& words) { return words[0] == "GET" ? "" : "+PONG\r\n"; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  ASSERT_FALSE((*link)->ask(within(Millis{30}), "test", {"GET", "a"}));
  const auto pong = (*link)->ask(soon(), "test", {"PING"});
  ASSERT_TRUE(pong) << pong.error().text();
  EXPECT_EQ(pong->text(), "PONG");
}

TEST(RedisLink, AServerThatWasRestartedMeanwhileIsALostConnection) {
  FakeServer server([](const FakeServer::Words&) { return ""; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  ASSERT_FALSE((*link)->ask(within(Millis{30}), "test", {"GET", "a"}));
  server.run = 2;
  const Status begun = (*link)->begin(soon(), "test");
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, ErrorCode::kConnectionLost);
  server.run = 1;
  EXPECT_FALSE((*link)->begin(soon(), "test")) << "it must not heal";
}

TEST(RedisLink, AServerThatIsSilentToATlsHandshakeIsLeftWithTheReasonBeforeTheDeadline) {
  FakeServer server([](const FakeServer::Words&) { return std::string(); });
  Address address = address_of(server);
  address.tls = true;
  const auto link = Link::open(address, {Clock::now() + Millis{30'000}, {}}, "test");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, ErrorCode::kConnectionLost);
  EXPECT_NE(link.error().detail.find("may not speak TLS on this port"), std::string::npos)
      << link.error().text();
}

TEST(RedisLink, NoErrorHoldsThePassword) {
  FakeServer server([](const FakeServer::Words& words) {
    return "-ERR unknown command '" + words[0] + "', with args beginning with: '" + words[1] + "'\r\n";
  });
  const auto link = Link::open(address_of(server, "s3cret"), soon(), "test");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, ErrorCode::kRefused);
  EXPECT_EQ(link.error().detail.find("s3cret"), std::string::npos) << link.error().detail;
}

TEST(RedisLink, WhatIsNotTheProtocolIsALostConnection) {
  FakeServer server([](const FakeServer::Words&) { return "HTTP/1.1 400 Bad Request\r\n"; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  const auto told = (*link)->ask(soon(), "test", {"PING"});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, ErrorCode::kConnectionLost);
}

TEST(RedisLink, OneRefusedSettingLeavesTheConnectionInStep) {
  FakeServer server([](const FakeServer::Words& words) {
    if (words[0] == "PING") return std::string("+PONG\r\n");
    return words[2] == "b" ? "-NOPERM no\r\n" : "*2\r\n" + bulk(words[2]) + bulk("yes");
  });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  const auto got = config_get(**link, soon(), "test", {"a", "b", "c"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kRefused);
  const auto pong = (*link)->ask(soon(), "test", {"PING"});
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->text(), "PONG");
}

TEST(RedisSettings, AreOnTheirWayBackToAServerThatIsSlowToAnswer) {
  FakeServer server([](const FakeServer::Words&) { return ""; });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  const Settings before{{"save", "3600 1"}, {"appendfsync", "everysec"}, {"appendonly", "yes"}};
  const Status back = send_back(**link, within(Millis{200}), "test", {"dedup"}, before);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kTimeout);
  link->reset();
  const auto limit = Clock::now() + Millis{20'000};
  while (server.commands().size() < before.size() && Clock::now() < limit) std::this_thread::yield();
  std::vector<FakeServer::Words> want;
  for (const auto& [name, value] : before) want.push_back({"CONFIG", "SET", name, value});
  EXPECT_EQ(server.commands(), want) << "and the marker has not forgotten them";
}

class RedisBatch : public testing::Test {
 protected:
  /// Puts three objects of this many bytes in one batch and gives the outcome.
  Status put(FakeServer& server, std::size_t size = 0) {
    auto link = Link::open(address_of(server), soon(), "test");
    if (!link) return link.error();
    const auto layout = make_layout(LayoutKind::kString, {"dedup"}, 1);
    const std::vector<std::byte> payload(size);
    std::vector<Object> objects(3);
    for (Object& object : objects) object.payload = payload;
    const Status status = layout->put_batch(**link, soon(), objects);
    EXPECT_EQ((*link)->awaited(), 0U);
    return status;
  }
};

TEST_F(RedisBatch, IsOneTransactionWhoseAnswersAreCounted) {
  FakeServer server([](const FakeServer::Words& words) {
    return words[0] == "EXEC" ? "*3\r\n+OK\r\n+OK\r\n+OK\r\n" : answer_ok(words);
  });
  const Status status = put(server);
  EXPECT_TRUE(status) << status.error().text();
  const auto commands = server.commands();
  ASSERT_EQ(commands.size(), 5U);
  EXPECT_EQ(commands.front()[0], "MULTI");
  EXPECT_EQ(commands.back()[0], "EXEC");
}

TEST_F(RedisBatch, OfManyBytesIsSeveralTransactions) {
  FakeServer server(
      [](const FakeServer::Words& words) { return words[0] == "EXEC" ? "*1\r\n+OK\r\n" : answer_ok(words); });
  const Status status = put(server, 3U << 20U);
  EXPECT_TRUE(status) << status.error().text();
  EXPECT_EQ(server.commands().size(), 9U) << "MULTI, SET and EXEC of each";
}

/// The server discards a transaction of which it has refused a command, and says so only at its end.
TEST_F(RedisBatch, IsAnErrorWithTheFirstRefusal) {
  int sets = 0;
  FakeServer server([&sets](const FakeServer::Words& words) {
    if (words[0] == "SET" && ++sets == 2) return std::string("-OOM no memory\r\n");
    return words[0] == "EXEC" ? "-EXECABORT discarded\r\n" : answer_ok(words);
  });
  const Status status = put(server);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted) << status.error().text();
  EXPECT_EQ(server.commands().back()[0], "EXEC");
}

TEST_F(RedisBatch, AnErrorOrAGapInsideItsAnswerIsAnError) {
  for (const char* answer : {"*3\r\n+OK\r\n-ERR no\r\n+OK\r\n", "*2\r\n+OK\r\n+OK\r\n", "*-1\r\n"}) {
    SCOPED_TRACE(answer);
    FakeServer server([answer](const FakeServer::Words& words) {
      return words[0] == "EXEC" ? std::string(answer) : answer_ok(words);
    });
    EXPECT_FALSE(put(server));
  }
}

/// Three objects of which SCAN gives one on two pages.
TEST(RedisLayout, CountsAKeyOnceThatAScanGivesTwice) {
  const KeySpace space{"dedup"};
  ObjectId ids[3]{};
  for (std::size_t number = 0; number < 3; ++number) ids[number].fill(std::byte(number + 1));
  FakeServer server([&](const FakeServer::Words& words) {
    const bool first = words[1] == "0";
    const auto key = [&](int number) { return bulk(space.object(0, ids[number])); };
    if (first) return "*2\r\n" + bulk("7") + "*3\r\n" + key(0) + key(1) + bulk(space.marker());
    return "*2\r\n" + bulk("0") + "*2\r\n" + key(1) + key(2);
  });
  auto link = Link::open(address_of(server), soon(), "test");
  ASSERT_TRUE(link);
  const auto counted = make_layout(LayoutKind::kString, space, 1)->count(**link, soon());
  ASSERT_TRUE(counted) << counted.error().text();
  EXPECT_EQ(*counted, 3U);
}

}  // namespace
}  // namespace lab::redis
