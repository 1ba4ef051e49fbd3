// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/client.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include "drivers/minio/fake_s3_test_support.hpp"

namespace lab::minio {
namespace {

CallContext soon() { return {Clock::now() + Millis{20'000}, {}}; }
const Request kAsk{.bucket = "bucket", .query = {{"uploads", ""}}};

/// Closes the connection after each answer, saying so or not.
FakeS3::Intercept closing(bool announced) {
  return [announced](const httplib::Request&, httplib::Response& response) {
    if (announced) response.set_header("Connection", "close");
    response.set_content("<ListMultipartUploadsResult/>", "application/xml");
    return true;
  };
}

TEST(MinioClient, AConnectionThatTheServerClosedUnaskedStaysLost) {
  auto first = std::make_unique<FakeS3>();
  const minio::Setup setup = first->setup();
  first->buckets["bucket"];
  Traffic traffic;
  Client client(setup.endpoint, traffic, Client::Loss::kStays);
  Client healing(setup.endpoint, traffic, Client::Loss::kHeals);
  ASSERT_TRUE(client.demand(kAsk, soon(), "test"));
  ASSERT_TRUE(healing.demand(kAsk, soon(), "test"));
  first.reset();
  // Another server takes the port, as one that was restarted does.
  httplib::Server second;
  second.Get(".*", [](const httplib::Request&, httplib::Response& response) { response.status = 200; });
  const int port = std::stoi(setup.endpoint.address.substr(setup.endpoint.address.find(':') + 1));
  ASSERT_TRUE(second.bind_to_port("127.0.0.1", port));
  std::jthread thread([&] { second.listen_after_bind(); });
  while (!second.is_running()) std::this_thread::yield();
  for (int round = 0; round < 2; ++round) {
    const auto again = client.send(kAsk, soon(), "test");
    ASSERT_FALSE(again) << "round " << round;
    EXPECT_EQ(again.error().code, ErrorCode::kConnectionLost) << again.error().text();
    EXPECT_TRUE(again.error().retryable);
  }
  EXPECT_TRUE(healing.send(kAsk, soon(), "test")) << "heartbeats and observers ask anew";
  second.stop();
}

TEST(MinioClient, AConnectionThatNobodyAnswersStaysLost) {
  minio::Setup setup;
  {
    const FakeS3 gone;
    setup = gone.setup();
  }
  Traffic traffic;
  Client client(setup.endpoint, traffic, Client::Loss::kStays);
  EXPECT_EQ(client.send(kAsk, soon(), "test").error().code, ErrorCode::kConnectionLost);
  EXPECT_NE(client.send(kAsk, soon(), "test").error().detail.find("lost before"), std::string::npos);
}

TEST(MinioClient, AServerThatSaysItClosesIsNotLost) {
  FakeS3 server;
  server.intercept(closing(true));
  Traffic traffic;
  Client client(server.setup().endpoint, traffic, Client::Loss::kStays);
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(client.demand(kAsk, soon(), "test"));
}

TEST(MinioClient, ACallThatItsDeadlineEndedLosesNothing) {
  FakeS3 server;
  std::atomic<bool> over{false};
  server.intercept([&](const httplib::Request&, httplib::Response& response) {
    for (int round = 0; round < 1'000 && !over; ++round) std::this_thread::sleep_for(Millis{5});
    return closing(false)(httplib::Request{}, response);
  });
  Traffic traffic;
  Client client(server.setup().endpoint, traffic, Client::Loss::kStays);
  const auto late = client.send(kAsk, {Clock::now() + Millis{100}, {}}, "test");
  over = true;
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(client.demand(kAsk, soon(), "test"));
}

TEST(MinioClient, AnErrorIsWhatTheServerSays) {
  struct Case {
    int status;
    const char* body;
    ErrorCode code;
    bool retryable;
  };
  const Case cases[] = {
      {404, "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>", ErrorCode::kNotFound, false},
      {404, "", ErrorCode::kNotFound, false},
      {404, "<Error><Code>NoSuchBucket</Code></Error>", ErrorCode::kRefused, false},
      {403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>", ErrorCode::kRefused, false},
      {400, "<Error><Code>BadDigest</Code></Error>", ErrorCode::kCorruption, false},
      {400, "<Error><Code>RequestTimeout</Code></Error>", ErrorCode::kRefused, true},
      {501, "<Error><Code>NotImplemented</Code></Error>", ErrorCode::kUnsupported, false},
      {507, "full", ErrorCode::kResourceExhausted, false},
      {503, "<Error><Code>SlowDown</Code></Error>", ErrorCode::kInternal, true},
      {500, "<html>", ErrorCode::kInternal, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::to_string(c.status) + c.body);
    const Error error = answer_error({.status = c.status, .body = c.body}, "test", "bucket/key");
    EXPECT_EQ(error.code, c.code);
    EXPECT_EQ(error.retryable, c.retryable);
    EXPECT_NE(error.detail.find("bucket/key"), std::string::npos);
  }
}

TEST(MinioClient, CountsRequestsAndTheBytesOfTheirBodies) {
  FakeS3 server;
  server.buckets["bucket"];
  Traffic traffic;
  Client client(server.setup().endpoint, traffic, Client::Loss::kStays);
  ASSERT_TRUE(
      client.demand({.method = "PUT", .bucket = "bucket", .key = "k", .body = "12345"}, soon(), "test"));
  std::string got;
  const Request get{.bucket = "bucket", .key = "k", .sink = [&](std::string_view bytes) {
                      got += bytes;
                      return ok();
                    }};
  ASSERT_TRUE(client.demand(get, soon(), "test"));
  ASSERT_FALSE(client.demand({.bucket = "bucket", .key = "none"}, soon(), "test"));
  EXPECT_EQ(got, "12345");
  EXPECT_EQ(traffic.requests, 3U);
  EXPECT_EQ(traffic.refused, 1U);
  EXPECT_EQ(traffic.bytes_sent, 5U);
  EXPECT_GE(traffic.bytes_received, 5U);
}

}  // namespace
}  // namespace lab::minio
