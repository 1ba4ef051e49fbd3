// A scripted server tells what no real one can be made to do at will.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/connection.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

namespace lab::clickhouse {
namespace {

using namespace std::chrono_literals;

SystemConfig config_for(const std::string& url) { return {.url = url, .password = "secret"}; }

/// Answers the uptime question with `uptime`, anything else with `answer`.
class ScriptedServer {
 public:
  ScriptedServer() {
    server_.Post("/", [this](const httplib::Request& request, httplib::Response& response) {
      last_authorization = request.get_header_value("Authorization");
      if (close) response.set_header("Connection", "close");
      if (request.body.find("uptime()") != std::string::npos) {
        response.set_content(std::to_string(uptime) + "\t2026-01-01 00:00:00\n", "text/plain");
        return;
      }
      ++statements;
      response.status = status;
      response.set_content(answer, "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~ScriptedServer() { server_.stop(); }
  Connection connect() const {
    return {*target_of(config_for("clickhouse://lab@127.0.0.1:" + std::to_string(port_))),
            std::make_shared<Lifetime>()};
  }
  void stop() {
    server_.stop();
    thread_.join();
  }

  std::atomic<std::int64_t> uptime{1'000'000};
  std::atomic<bool> close{false};
  std::atomic<int> status{200};
  std::atomic<int> statements{0};
  std::string answer = "7\n";
  std::string last_authorization{};

 private:
  httplib::Server server_{};
  int port_ = 0;
  std::jthread thread_{};
};

CallContext soon() { return {Clock::now() + 30s, {}}; }

TEST(ClickhouseUrl, GivesAnAddressWithoutTheLogin) {
  const auto plain = target_of(config_for("clickhouse://lab@db.example"));
  ASSERT_TRUE(plain) << plain.error().text();
  EXPECT_EQ(plain->url, "http://db.example:8123/");
  EXPECT_EQ(plain->http.login->user, "lab");
  const auto tls = target_of(config_for("clickhouses://db.example?tls_ca=/etc/ca.pem"));
  ASSERT_TRUE(tls) << tls.error().text();
  EXPECT_EQ(tls->url, "https://db.example:8443/");
  EXPECT_EQ(tls->http.ca_file, "/etc/ca.pem");
  EXPECT_EQ(tls->user, "default");
  EXPECT_EQ(target_of(config_for("clickhouse://[::1]:9"))->url, "http://[::1]:9/");
}

TEST(ClickhouseUrl, RefusesADatabaseAndACertificateWithoutTls) {
  for (const char* url : {"clickhouse://h/db", "clickhouse://h?tls_ca=/x", "http://h", "clickhouse://u:p@h"})
    EXPECT_EQ(target_of(config_for(url)).error().code, ErrorCode::kInvalidArgument) << url;
}

TEST(ClickhouseConnection, AsksAndSaysWhoItIsInAHeader) {
  ScriptedServer server;
  Connection connection = server.connect();
  EXPECT_EQ(*connection.number("SELECT 7", soon(), "op"), 7U);
  EXPECT_EQ(server.last_authorization, "Basic bGFiOnNlY3JldA==");
}

TEST(ClickhouseConnection, AnExceptionIsTheErrorAndTheConnectionGoesOn) {
  ScriptedServer server;
  Connection connection = server.connect();
  server.status = 500;
  server.answer =
      "Code: 60, e.displayText() = DB::Exception: Table x doesn't exist., e.what() = DB::Exception\n";
  EXPECT_EQ(connection.execute("x", soon(), "op").error().code, ErrorCode::kNotFound);
  server.status = 200;
  server.answer = "";
  EXPECT_TRUE(connection.execute("x", soon(), "op"));
  EXPECT_EQ(connection.text("x", soon(), "op").error().code, ErrorCode::kNotFound) << "no row";
}

TEST(ClickhouseConnection, ClosingAnIdleConnectionIsNoLoss) {
  ScriptedServer server;
  server.close = true;
  Connection connection = server.connect();
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(connection.execute("x", soon(), "op"));
  EXPECT_FALSE(connection.is_lost());
}

TEST(ClickhouseConnection, ARestartInBetweenIsALossThatNeverHeals) {
  ScriptedServer server;
  server.close = true;
  Connection connection = server.connect();
  ASSERT_TRUE(connection.execute("x", soon(), "op"));
  server.uptime = 1;
  const Status after = connection.execute("x", soon(), "op");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kConnectionLost) << after.error().text();
  EXPECT_TRUE(after.error().retryable);
  const int statements = server.statements;
  EXPECT_EQ(connection.execute("x", soon(), "op").error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(connection.check_lifetime(soon(), "op").error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(server.statements, statements) << "nothing is sent over a lost connection";
  Connection fresh = server.connect();
  EXPECT_TRUE(fresh.execute("x", soon(), "op"));
}

TEST(ClickhouseConnection, AServerThatGoesAwayIsALoss) {
  ScriptedServer server;
  Connection connection = server.connect();
  ASSERT_TRUE(connection.execute("x", soon(), "op"));
  server.stop();
  const Status after = connection.execute("x", soon(), "op");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(after.error().text().find("secret"), std::string::npos);
  EXPECT_TRUE(connection.is_lost());
}

}  // namespace
}  // namespace lab::clickhouse
