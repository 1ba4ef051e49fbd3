// SPDX-License-Identifier: Apache-2.0
#include "driver/what_answers.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

#include "core/files.hpp"
#include "driver/system.hpp"

namespace lab {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

/// Takes connections one after another and says to each what `answer` makes of the first bytes.
class TalkingServer {
 public:
  using Answer = std::function<std::string(std::string_view)>;

  explicit TalkingServer(Answer answer)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 8) == 0 &&
                         ::getsockname(listener_.get(), any, &size) == 0;
    EXPECT_TRUE(listens);
    port_ = ntohs(address.sin_port);
    worker_ = std::thread([this] { serve(); });
  }
  ~TalkingServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    worker_.join();
  }
  TalkingServer(const TalkingServer&) = delete;
  TalkingServer& operator=(const TalkingServer&) = delete;

  Place place() const { return {"127.0.0.1", port_}; }

 private:
  void serve() const {
    while (true) {
      const FileHandle client(::accept(listener_.get(), nullptr, nullptr));
      if (!client) return;
      std::array<char, 256> bytes{};
      const auto got = ::recv(client.get(), bytes.data(), bytes.size(), 0);
      if (got <= 0) continue;
      const std::string words = answer_({bytes.data(), static_cast<std::size_t>(got)});
      if (words.empty()) continue;
      static_cast<void>(::send(client.get(), words.data(), words.size(), MSG_NOSIGNAL));
    }
  }

  FileHandle listener_;
  Answer answer_;
  std::uint16_t port_ = 0;
  std::thread worker_{};
};

/// As PostgreSQL: nothing to words that it does not know.
std::string postgresql(std::string_view asked) { return asked.substr(0, 4) == "\0\0\0\x08"sv ? "N" : ""; }

std::string kafka(std::string_view asked) {
  if (asked.substr(4, 4) != "\x00\x12\x00\x00"sv) return "";
  return "\x00\x00\x00\x0a"s + std::string(asked.substr(8, 4)) + "\0\0\0\0\0\0"s;
}

TEST(WhatAnswers, IsToldByTheFirstBytes) {
  struct Case {
    const char* what = "";
    TalkingServer::Answer answer{};
    std::optional<Protocol> want{};
  };
  const auto says = [](std::string words) {
    return [words = std::move(words)](std::string_view) { return words; };
  };
  const Case cases[] = {
      {"PostgreSQL", postgresql, Protocol::kPostgresql},
      {"Kafka", kafka, Protocol::kKafka},
      {"Redis", says("-ERR wrong number of arguments for 'get' command\r\n"), Protocol::kRedis},
      {"Redis with a password", says("-NOAUTH Authentication required.\r\n"), Protocol::kRedis},
      {"MariaDB", says("\x0e\0\0\0\x0a"s + "10.11-Maria\0\0"s), Protocol::kMysql},
      {"ClickHouse", says("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nOk.\n"), Protocol::kClickhouse},
      {"S3", says("HTTP/1.1 403 Forbidden\r\nX-Amz-Request-Id: 1\r\n\r\n<Error/>"), Protocol::kS3},
      {"a web server", says("HTTP/1.1 200 OK\r\n\r\n<html>"), Protocol::kHttp},
      {"another", says("SSH-2.0-OpenSSH_9.2\r\n"), std::nullopt},
      {"one that hangs up", says(""), std::nullopt},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    const TalkingServer server(one.answer);
    EXPECT_EQ(what_answers(server.place(), {}), one.want);
  }
}

TEST(WhatAnswers, IsNothingWhereNobodyListensOrAStopWasAskedFor) {
  EXPECT_EQ(what_answers({"127.0.0.1", 1}, {}), std::nullopt);
  const TalkingServer server(postgresql);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(what_answers(server.place(), {.stop = stop.get_token()}), std::nullopt);
}

TEST(PlaceOf, IsThatOfTheFirstServerWhereTheUrlHasAPort) {
  struct Case {
    const char* url = "";
    const char* want = "";
  };
  const Case cases[] = {
      {"postgresql://lab@db:5432/lab?sslmode=disable", "db:5432"},
      {"kafka://me@one:9092,two:9093/?security=ssl", "one:9092"},
      {"redis://[::1]:6379/0", "[::1]:6379"},
      {"s3://key@127.0.0.1:9000?tls=off", "127.0.0.1:9000"},
      {"redis://db", ""},
      {"redis://[::1]/0", ""},
      {"redis://db:port", ""},
      {"redis://:6379", ""},
      {"db:6379", ""},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.url);
    const auto place = place_of(one.url);
    EXPECT_EQ(place ? to_string(*place) : "", one.want);
  }
}

Error scripted_error{};

SystemEntry redis_like() {
  return {.name = "cache",
          .embedded = false,
          .protocol = Protocol::kRedis,
          .reach = [](const auto&, const auto&) { return Status(scripted_error); }};
}

TEST(ReachServer, SaysWhatAnswersWhereItIsOfAnotherKind) {
  const TalkingServer server(postgresql);
  const SystemConfig config{.url = "redis://" + to_string(server.place())};
  scripted_error = {ErrorCode::kTimeout, "cache.reach", "the deadline has passed"};
  const Status reached = reach_server(redis_like(), config, {});
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(
      reached.error().detail,
      "what answers at " + to_string(server.place()) +
          " speaks the protocol of PostgreSQL, not of Redis: does the url have the host and the port of "
          "this system?");
}

TEST(ReachServer, KeepsTheErrorOfAServerOfTheRightKindAndOfOneThatRefuses) {
  const TalkingServer right([](std::string_view) { return "-NOAUTH Authentication required.\r\n"; });
  scripted_error = {ErrorCode::kTimeout, "cache.reach", "the deadline has passed"};
  EXPECT_EQ(reach_server(redis_like(), {.url = "redis://" + to_string(right.place())}, {}).error().code,
            ErrorCode::kTimeout);
  const TalkingServer other(postgresql);
  scripted_error = {ErrorCode::kRefused, "cache.reach", "wrong password"};
  EXPECT_EQ(reach_server(redis_like(), {.url = "redis://" + to_string(other.place())}, {}).error().code,
            ErrorCode::kRefused);
}

TEST(ReachServer, SaysHowAServerOfHttpDiffersInTheDriversOwnWords) {
  const TalkingServer server([](std::string_view) { return "HTTP/1.1 200 OK\r\n\r\n<html>"; });
  SystemEntry store = redis_like();
  store.protocol = Protocol::kS3;
  scripted_error = {ErrorCode::kConnectionLost, "store.reach", "it says '<html>'"};
  const Status reached = reach_server(store, {.url = "s3://k@" + to_string(server.place())}, {});
  EXPECT_NE(reached.error().detail.find("speaks HTTP, but not as S3 does (it says '<html>')"),
            std::string::npos)
      << reached.error().detail;
}

Clock::time_point given_until{};

TEST(ReachServer, GivesAServerOnlySoLongForItsFirstAnswer) {
  SystemEntry entry = redis_like();
  entry.reach = [](const SystemConfig&, const CallContext& call) {
    given_until = call.deadline;
    return ok();
  };
  EXPECT_TRUE(reach_server(entry, {}, {}));
  EXPECT_LE(given_until, Clock::now() + kFirstAnswerLimit);
}

}  // namespace
}  // namespace lab
