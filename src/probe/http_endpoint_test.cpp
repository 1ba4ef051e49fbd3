// SPDX-License-Identifier: Apache-2.0
#include "probe/http_endpoint.hpp"

#include <gtest/gtest.h>

#include "probe/testing/scripted_http.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }

TEST(HttpEndpoint, AFormGoesBelowThePathOfTheAddress) {
  ScriptedHttp server(ScriptedHttp::Answer{200, "{}"});
  for (const char* base : {"", "/", "/proxy/prometheus", "/proxy/prometheus/"}) {
    EndpointClient client({.url = server.url(base)});
    ASSERT_TRUE(client.post_form("/api/v1/query", "query=x%2By", soon(), "test"));
    EXPECT_EQ(server.questions().back().path,
              std::string(base).size() < 2 ? "/api/v1/query" : "/proxy/prometheus/api/v1/query");
    EXPECT_EQ(server.questions().back().query, "x+y");
  }
  EndpointClient odd({.url = server.url("/?a=b")});
  EXPECT_EQ(odd.post_form("/x", "", soon(), "test").error().code, ErrorCode::kInvalidArgument);
}

TEST(HttpEndpoint, AsksThreeTimesAndNoMore) {
  int fails = 2;
  ScriptedHttp server([&](const auto&) {
    return fails-- > 0 ? ScriptedHttp::Answer{503, "busy"} : ScriptedHttp::Answer{200, "m 1\n"};
  });
  ScriptedTime time;
  EndpointClient client({.url = server.url("/metrics")}, time);
  const auto answer = client.get(soon(), "test");
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(server.questions().size(), 3U);
  fails = 100;
  const auto failed = client.get(soon(), "test");
  ASSERT_FALSE(failed);
  EXPECT_EQ(server.questions().size(), 6U);
  EXPECT_EQ(failed.error().detail, "HTTP status 503: busy (asked 3 times)");
  EXPECT_TRUE(failed.error().retryable);
}

TEST(HttpEndpoint, WhatWillNotChangeIsAskedOnce) {
  ScriptedHttp server(ScriptedHttp::Answer{401, "who are you?\nno"});
  EndpointClient client({.url = server.url()});
  const auto failed = client.get(soon(), "test");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(failed.error().detail, "HTTP status 401: who are you? no");
  EXPECT_FALSE(failed.error().retryable);
  EXPECT_EQ(server.questions().size(), 1U);
}

TEST(HttpEndpoint, NobodyThereIsAskedThreeTimesAndIsALostConnection) {
  EndpointClient client({.url = "http://127.0.0.1:1/"});
  const auto failed = client.get(soon(), "test");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kConnectionLost);
  EXPECT_NE(failed.error().detail.find("(asked 3 times)"), std::string::npos) << failed.error().text();
}

TEST(HttpEndpoint, AnAnswerThatHangsTakesItsShareOfTheDeadlineAndIsAskedAgain) {
  std::atomic<int> hangs{1};
  ScriptedHttp server([&](const auto&) {
    if (hangs-- > 0) std::this_thread::sleep_for(2'500ms);
    return ScriptedHttp::Answer{200, "m 1\n"};
  });
  // The listener answers one question after the other, so the second one waits for the rest of the first.
  EndpointClient client({.url = server.url()});
  const auto answer = client.get({Clock::now() + 6s, {}}, "test");
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(server.questions().size(), 2U);
}

TEST(HttpEndpoint, EndsAtTheDeadlineAndAtAStop) {
  ScriptedHttp server([&](const auto&) {
    std::this_thread::sleep_for(400ms);
    return ScriptedHttp::Answer{200, "m 1\n"};
  });
  EndpointClient client({.url = server.url()});
  const auto late = client.get({Clock::now() + 150ms, {}}, "test");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = client.get({Clock::now() + 10s, stop.get_token()}, "test");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(HttpEndpoint, ARedirectIsARefusalAndTheSecretGoesNowhereElse) {
  ScriptedHttp elsewhere(ScriptedHttp::Answer{200, "{}"});
  for (const int status : {301, 302, 307, 308}) {
    SCOPED_TRACE(status);
    ScriptedHttp server(ScriptedHttp::Answer{status, "", "text/plain", elsewhere.url("/api/v1/query")});
    for (const char* user : {"", "lab"}) {
      EndpointClient client({.url = server.url(), .user = user, .secret = "hunter2"});
      const auto answer = client.post_form("/api/v1/query", "query=x", soon(), "test");
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().code, ErrorCode::kRefused);
      EXPECT_FALSE(server.questions().back().authorization.empty());
    }
  }
  EXPECT_TRUE(elsewhere.questions().empty());
}

TEST(HttpEndpoint, TheSecretIsSentAndNeverTold) {
  // A server that repeats what it was sent, as a bad proxy does.
  ScriptedHttp server(
      [](const auto& question) { return ScriptedHttp::Answer{400, "bad: " + question.authorization}; });
  EndpointClient bearer({.url = server.url(), .secret = "hunter2"});
  const auto failed = bearer.get(soon(), "test");
  ASSERT_FALSE(failed);
  EXPECT_EQ(server.questions().back().authorization, "Bearer hunter2");
  EXPECT_EQ(failed.error().detail, "HTTP status 400: bad: Bearer ***");
  EndpointClient basic({.url = server.url(), .user = "lab", .secret = "hunter2"});
  const auto refused = basic.post_form("/x", "a=b", soon(), "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "HTTP status 400: bad: Basic ***");
  EXPECT_EQ(server.questions().back().authorization, "Basic bGFiOmh1bnRlcjI=");
  EXPECT_EQ(server.questions().back().path, "/x");
  EXPECT_EQ(server.questions().back().method, "POST");
  EndpointClient none({.url = server.url()});
  ASSERT_FALSE(none.get(soon(), "test"));
  EXPECT_EQ(server.questions().back().authorization, "");
}

}  // namespace
}  // namespace lab
