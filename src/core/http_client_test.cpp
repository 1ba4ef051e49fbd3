// SPDX-License-Identifier: Apache-2.0
#include "core/http_client.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <thread>

#include "core/testing/certificate.hpp"
#include "core/testing/temporary_folder.hpp"

namespace lab {
namespace {

/// A server on a free port of the loopback address.
class HttpClientTest : public testing::Test {
 protected:
  void SetUp() override {
    server_.Put("/echo", [](const httplib::Request& request, httplib::Response& response) {
      response.set_header("X-Length", std::to_string(request.body.size()));
      response.set_header("X-Chunked", request.get_header_value("Transfer-Encoding"));
      response.set_content(request.body, "application/octet-stream");
    });
    server_.Get("/user", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(request.get_header_value("Authorization"), "text/plain");
    });
    server_.Get("/bad", [](const httplib::Request&, httplib::Response& response) {
      response.status = 404;
      response.set_content("there is no such thing", "text/plain");
    });
    server_.Get("/slow", [this](const httplib::Request&, httplib::Response& response) {
      for (int round = 0; round < 1'000 && !over_; ++round) std::this_thread::sleep_for(Millis{10});
      response.set_content("late", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  void TearDown() override {
    over_ = true;
    server_.stop();
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  static CallContext within(Millis limit) { return {Clock::now() + limit, {}}; }

  httplib::Server server_{};
  std::atomic<bool> over_{false};
  int port_ = 0;
  std::jthread thread_{};
};

TEST_F(HttpClientTest, SendsAndReceivesAnyBytes) {
  HttpClient client({});
  std::string body("a\0b\xff", 4);
  body += std::string(3'000'000, 'x');
  const auto answer =
      client.send({.method = "PUT", .url = url("/echo"), .body = body}, within(Millis{20'000}), "test");
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, body);
  EXPECT_EQ(answer->headers.at("x-length"), std::to_string(body.size()));
  const auto empty = client.send({.method = "PUT", .url = url("/echo")}, within(Millis{20'000}), "test");
  ASSERT_TRUE(empty) << empty.error().text();
  EXPECT_EQ(empty->headers.at("x-length"), "0");
}

TEST_F(HttpClientTest, StreamsBothWaysWithoutKnowingTheLength) {
  HttpClient client({});
  int rounds = 100;
  std::size_t received = 0;
  const HttpRequest request{.method = "PUT",
                            .url = url("/echo"),
                            .source = [&](std::span<char> buffer) -> Result<std::size_t> {
                              if (rounds-- == 0) return std::size_t{0};
                              std::fill(buffer.begin(), buffer.begin() + 1'000, 'y');
                              return std::size_t{1'000};
                            },
                            .sink =
                                [&](std::string_view bytes) {
                                  received += bytes.size();
                                  return ok();
                                }};
  const auto answer = client.send(request, within(Millis{20'000}), "test");
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->headers.at("x-chunked"), "chunked");
  EXPECT_EQ(received, 100'000U);
  EXPECT_EQ(answer->body, "");
}

TEST_F(HttpClientTest, ErrorsOfSourceAndSinkComeBackAsTheyAre) {
  HttpClient client({});
  const HttpRequest broken_source{
      .method = "PUT", .url = url("/echo"), .source = [](std::span<char>) -> Result<std::size_t> {
        return Error{ErrorCode::kCorruption, "source", "enough"};
      }};
  EXPECT_EQ(client.send(broken_source, within(Millis{20'000}), "test").error().detail, "enough");
  const HttpRequest broken_sink{
      .method = "PUT", .url = url("/echo"), .body = "text", .sink = [](std::string_view) -> Status {
        return Error{ErrorCode::kCorruption, "sink", "no more"};
      }};
  EXPECT_EQ(client.send(broken_sink, within(Millis{20'000}), "test").error().detail, "no more");
  EXPECT_TRUE(client.send({.url = url("/user")}, within(Millis{20'000}), "test"));
}

TEST_F(HttpClientTest, AnAnswerThatIsNotGoodIsAnAnswerWithItsWords) {
  HttpClient client({});
  bool called = false;
  const HttpRequest request{.url = url("/bad"), .sink = [&](std::string_view) {
                              called = true;
                              return ok();
                            }};
  const auto answer = client.send(request, within(Millis{20'000}), "test");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->good());
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "there is no such thing");
  EXPECT_FALSE(called);
}

TEST_F(HttpClientTest, LogsInAndNeverNamesThePassword) {
  HttpClient client({.login = HttpLogin{.user = "lab", .password = "hunter2"}});
  const auto answer = client.send({.url = url("/user")}, within(Millis{20'000}), "test");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "Basic bGFiOmh1bnRlcjI=");
  const auto refused = client.send({.url = "http://127.0.0.1:1/"}, within(Millis{20'000}), "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(refused.error().text().find("hunter2"), std::string::npos);
}

TEST_F(HttpClientTest, SignsWithSignatureVersion4) {
  HttpClient client({.login = HttpLogin{"key", "secret", "aws:amz:us-east-1:s3"}});
  const auto answer = client.send({.url = url("/user")}, within(Millis{20'000}), "test");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->body.starts_with("AWS4-HMAC-SHA256 Credential=key/")) << answer->body;
}

TEST_F(HttpClientTest, EndsAtTheDeadlineAndAtAStopAndWorksAfterwards) {
  HttpClient client({});
  const auto late = client.send({.url = url("/slow")}, within(Millis{100}), "test");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(Millis{50});
    stop.request_stop();
  });
  const auto began = Clock::now();
  const auto stopped =
      client.send({.url = url("/slow")}, {Clock::time_point::max(), stop.get_token()}, "test");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  EXPECT_LT(Clock::now() - began, Millis{6'000});
  EXPECT_TRUE(client.send({.url = url("/user")}, within(Millis{20'000}), "test"));
}

TEST_F(HttpClientTest, TellsAConnectionThatWasMadeAnewFromOneThatWasKept) {
  server_.Get("/last", [](const httplib::Request&, httplib::Response& response) {
    response.set_header("Connection", "close");
    response.set_content("bye", "text/plain");
  });
  HttpClient client({});
  const char* const paths[] = {"/user", "/user", "/last", "/user", "/user"};
  const bool anew[] = {true, false, false, true, false};
  for (std::size_t round = 0; round < std::size(paths); ++round) {
    const auto answer = client.send({.url = url(paths[round])}, within(Millis{20'000}), "test");
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->connected_anew, anew[round]) << "request " << round;
  }
}

TEST_F(HttpClientTest, ShowsTheHeadOfAnAnswerBeforeItsBodyAndEndsWithItsError) {
  HttpClient client({});
  std::vector<std::string> order;
  HttpRequest request{.method = "PUT",
                      .url = url("/echo"),
                      .body = "text",
                      .sink =
                          [&](std::string_view bytes) {
                            order.emplace_back(bytes);
                            return ok();
                          },
                      .head = [&](const HttpAnswer& answer) -> Status {
                        order.push_back(std::to_string(answer.status) + " " + answer.headers.at("x-length"));
                        return ok();
                      }};
  ASSERT_TRUE(client.send(request, within(Millis{20'000}), "test"));
  EXPECT_EQ(order, (std::vector<std::string>{"200 4", "text"}));
  request.head = [](const HttpAnswer&) -> Status {
    return Error{ErrorCode::kCorruption, "head", "not that"};
  };
  EXPECT_EQ(client.send(request, within(Millis{20'000}), "test").error().detail, "not that");
}

TEST_F(HttpClientTest, TakesAServerThatSaysNothingForLostWhereTheRequestSaysHowLong) {
  HttpClient client({});
  const auto began = Clock::now();
  const auto answer = client.send({.url = url("/slow"), .silence_max = std::chrono::seconds{1}},
                                  within(Millis{60'000}), "test");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_LT(Clock::now() - began, Millis{9'000});
}

TEST_F(HttpClientTest, ACollectedAnswerHasALimit) {
  HttpClient client({});
  const std::string body(100'000, 'x');
  const auto answer = client.send({.method = "PUT", .url = url("/echo"), .body = body, .body_max = 1'000},
                                  within(Millis{20'000}), "test");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kResourceExhausted);
}

/// What the systems that speak HTTP and the probes rely on for TLS.
class HttpClientTls : public testing::Test {
 protected:
  /// The answer of a server with this certificate to a client that trusts that one.
  Result<HttpAnswer> ask(const Certificate& certificate, const std::string& trusted, const char* host) {
    httplib::SSLServer server(certificate.made, certificate.key);
    server.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("hello", "text/plain");
    });
    const int port = server.bind_to_any_port("127.0.0.1");
    const std::jthread thread([&] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
    Result<HttpAnswer> answer = Error{};
    {
      HttpClient client({.ca_file = trusted});
      answer = client.send({.url = "https://" + std::string(host) + ":" + std::to_string(port) + "/"},
                           {Clock::now() + Millis{20'000}, {}}, "test");
    }
    server.stop();
    return answer;
  }
  std::string file_of(const Certificate& certificate) const {
    const auto file = folder_.path() / "ca.pem";
    EXPECT_TRUE(write_file_atomic(file, certificate.pem()));
    return file.string();
  }
  TemporaryFolder folder_{};
};

TEST_F(HttpClientTls, VerifiesAuthorityNameAndTimeOfTheServersCertificate) {
  const Certificate good("IP:127.0.0.1");
  const auto answer = ask(good, file_of(good), "127.0.0.1");
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->body, "hello");
  const Certificate other("IP:127.0.0.1");
  const Certificate expired("IP:127.0.0.1", std::chrono::seconds(-60));
  struct Case {
    const char* what = "";
    Result<HttpAnswer> answer;
  };
  for (const Case& one : {Case{"another authority", ask(good, file_of(other), "127.0.0.1")},
                          Case{"no authority that the machine knows", ask(good, "", "127.0.0.1")},
                          Case{"another name", ask(good, file_of(good), "localhost")},
                          Case{"expired", ask(expired, file_of(expired), "127.0.0.1")}}) {
    SCOPED_TRACE(one.what);
    ASSERT_FALSE(one.answer);
    EXPECT_EQ(one.answer.error().code, ErrorCode::kRefused) << one.answer.error().text();
  }
}

}  // namespace
}  // namespace lab
