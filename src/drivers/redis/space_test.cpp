// Our keys on a server, and those of others beside them.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/space.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "drivers/redis/fake_server_test_support.hpp"
#include "drivers/redis/layout.hpp"

namespace lab::redis {
namespace {

CallContext soon() { return {Clock::now() + Millis{20'000}, {}}; }

/// A server that holds these keys, all of them in one page of SCAN.
std::string page_of(const std::vector<std::string>& keys) {
  std::string answer = "*2\r\n" + bulk("0") + "*" + std::to_string(keys.size()) + "\r\n";
  for (const std::string& key : keys) answer += bulk(key);
  return answer;
}

class RedisSpace : public testing::Test {
 protected:
  FakeServer::Script holding(std::vector<std::string> keys, const char* program) {
    return [keys = std::move(keys), program](const FakeServer::Words& words) -> std::string {
      if (words[0] == "SCAN") return page_of(keys);
      if (words[0] == "HGET") return program == nullptr ? "$-1\r\n" : bulk(program);
      return ":1\r\n";
    };
  }
  static std::vector<std::string> deleted(FakeServer& server) {
    std::vector<std::string> keys;
    for (const FakeServer::Words& words : server.commands())
      if (words[0] == "UNLINK" || words[0] == "DEL") keys.insert(keys.end(), words.begin() + 1, words.end());
    return keys;
  }
  static std::unique_ptr<Link> linked(const FakeServer& server) {
    auto link = Link::open({.host = "127.0.0.1", .port = server.port}, soon(), "test");
    EXPECT_TRUE(link) << link.error().text();
    return std::move(*link);
  }

  const KeySpace space_{"dedup"};
  const std::string object_ = space_.object(7, ObjectId{});
};

TEST_F(RedisSpace, WipingDeletesObjectsAndStreamsAndKeepsMarkerAndLock) {
  FakeServer server(
      holding({space_.marker(), object_, space_.lock(), space_.stream(2), space_.beat()}, "deduplab"));
  const auto link = linked(server);
  const Status wiped = wipe(*link, soon(), "test", space_);
  ASSERT_TRUE(wiped) << wiped.error().text();
  EXPECT_EQ(deleted(server), (std::vector<std::string>{object_, space_.stream(2)}));
}

TEST_F(RedisSpace, AKeyOfOthersBelowOurPrefixIsNamedAndNothingIsDeletedOrClaimed) {
  FakeServer server(holding({space_.marker(), object_, "dedup:their-app:42"}, "deduplab"));
  const auto link = linked(server);
  for (const Status& refused : {wipe(*link, soon(), "test", space_), claim(*link, soon(), "test", space_)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_NE(refused.error().detail.find("'dedup:their-app:42'"), std::string::npos)
        << refused.error().detail;
  }
  EXPECT_TRUE(deleted(server).empty());
}

TEST_F(RedisSpace, ObjectsWithoutAMarkerStayAndTheRefusalSaysHowToRemoveThem) {
  FakeServer server(holding({object_}, nullptr));
  const auto link = linked(server);
  const Status refused = claim(*link, soon(), "test", space_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  for (const char* words : {"dedup:marker", "dedup:0:stream", "dedup:0:????????????????", "UNLINK"})
    EXPECT_NE(refused.error().detail.find(words), std::string::npos) << refused.error().detail;
  const auto seen = server.commands();
  EXPECT_TRUE(std::none_of(seen.begin(), seen.end(), [](const auto& words) { return words[0] == "HSET"; }));
}

}  // namespace
}  // namespace lab::redis
