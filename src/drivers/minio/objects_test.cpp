// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/objects.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <numeric>

#include "drivers/minio/fake_s3_test_support.hpp"

namespace lab::minio {
namespace {

CallContext soon() { return {Clock::now() + Millis{60'000}, {}}; }

ObjectId id_of(unsigned char number) {
  ObjectId id{};
  id[0] = std::byte{number};
  id[6] = std::byte{0x40};
  id[8] = std::byte{0x80};
  return id;
}

class Objects : public testing::Test {
 protected:
  Objects() { server_.buckets["dedup-lab-0"]; }

  static Object object(unsigned char number, const std::string& payload) {
    return {
        .id = id_of(number), .mime = "text/plain", .payload = as_bytes(payload), .digest = sha256(payload)};
  }
  std::map<std::string, std::string>& stored() { return server_.buckets["dedup-lab-0"]; }
  void fail(std::function<bool(const httplib::Request&)> which, int status, std::string body) {
    server_.intercept([=](const httplib::Request& request, httplib::Response& response) {
      if (!which(request)) return false;
      response.status = status;
      response.set_content(body, "application/xml");
      return true;
    });
  }

  FakeS3 server_{};
  minio::Setup setup_ = server_.setup("multipart");
  Traffic traffic_{};
  Client client_{setup_.endpoint, traffic_, Client::Loss::kStays};
};

TEST_F(Objects, AKeyIsTheIdAndNothingElseIsOne) {
  const ObjectId id = id_of(7);
  EXPECT_EQ(id_of_key(key_of(id)), id);
  for (const char* const key :
       {"", "thesis", "07000000-0000-4000-8000-00000000000", "07000000-0000-4000-8000-0000000000000",
        "0700000000004000800000000000000000", "0700000-00000-4000-8000-000000000000",
        "07000000-0000-4000-8000-00000000000G", "0A000000-0000-4000-8000-000000000000"})
    EXPECT_FALSE(id_of_key(key)) << key;
}

TEST_F(Objects, TheTypeAndTheDigestGoWithTheObject) {
  ASSERT_TRUE(put_object(client_, setup_, object(1, "bytes"), soon(), "test"));
  EXPECT_EQ(server_.last_headers["Content-Type"], "text/plain");
  EXPECT_EQ(server_.last_headers["x-amz-meta-sha256"], to_hex(sha256("bytes")));
  EXPECT_EQ(server_.last_headers["Content-Length"], "5");
  EXPECT_EQ(stored().at(key_of(id_of(1))), "bytes");
}

TEST_F(Objects, ARecordOfModeNativeBringsItsFieldsAsMetadata) {
  setup_.schema = find_native_schema("time_series");
  const std::string row = "1688702111007,1f438ef5750bbf72,1.076,0784695757\n";
  const Status put = put_object(client_, setup_, object(1, row), soon(), "test");
  ASSERT_TRUE(put) << put.error().text();
  EXPECT_EQ(server_.last_headers["x-amz-meta-schema"], "time_series");
  EXPECT_EQ(server_.last_headers["x-amz-meta-measured-at"], "2023-07-07 03:55:11.007")
      << "sent percent-encoded, which the server's library has undone";
  EXPECT_EQ(server_.last_headers["x-amz-meta-temperature"], "1.076");
  EXPECT_EQ(server_.last_headers["x-amz-meta-meter"], "784695757");
  EXPECT_FALSE(server_.last_headers.contains("x-amz-meta-sha256")) << "no user keeps it";
  EXPECT_EQ(stored().at(key_of(id_of(1))), row);
  const std::size_t before = server_.requests;
  EXPECT_EQ(put_object(client_, setup_, object(2, "no row"), soon(), "test").error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(server_.requests, before);
}

TEST_F(Objects, AboveTheLimitAnObjectGoesInParts) {
  std::string exact(static_cast<std::size_t>(setup_.multipart_above), 'a');
  ASSERT_TRUE(put_object(client_, setup_, object(1, exact), soon(), "test"));
  EXPECT_EQ(server_.requests, 1U) << "at the limit it is one request";
  std::string large(exact.size() * 2 + 3, '\0');
  std::iota(large.begin(), large.end(), '\0');
  ASSERT_TRUE(put_object(client_, setup_, object(2, large), soon(), "test"));
  EXPECT_EQ(server_.requests, 6U) << "begin, three parts, complete";
  EXPECT_TRUE(stored().at(key_of(id_of(2))) == large);
  EXPECT_TRUE(server_.uploads.empty());
}

TEST_F(Objects, AnUploadThatFailsIsAborted) {
  const std::string large(static_cast<std::size_t>(setup_.multipart_above) + 1, 'a');
  struct Case {
    const char* what;
    std::function<bool(const httplib::Request&)> which;
    int status;
    const char* body;
  };
  const auto completes = [](const httplib::Request& request) {
    return request.method == "POST" && request.has_param("uploadId");
  };
  const Case cases[] = {
      {"a part is refused", [](const httplib::Request& request) { return request.has_param("partNumber"); },
       500, "<Error><Code>InternalError</Code></Error>"},
      {"a part comes without an ETag",
       [](const httplib::Request& request) { return request.has_param("partNumber"); }, 200, ""},
      {"HTTP 200 holds an error", completes, 200, "<Error><Code>InternalError</Code></Error>"},
      {"HTTP 200 holds nothing", completes, 200, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    fail(c.which, c.status, c.body);
    EXPECT_FALSE(put_object(client_, setup_, object(1, large), soon(), "test"));
    EXPECT_TRUE(server_.uploads.empty());
    EXPECT_TRUE(stored().empty());
  }
}

TEST_F(Objects, APutWithoutAnETagIsNotAcknowledged) {
  fail([](const httplib::Request&) { return true; }, 200, "");
  const Status put = put_object(client_, setup_, object(1, "bytes"), soon(), "test");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kInternal);
}

TEST_F(Objects, ABatchStoresAllOrSaysHowMany) {
  std::vector<std::string> payloads;
  for (int number = 0; number < 50; ++number) payloads.push_back("payload " + std::to_string(number));
  std::vector<Object> objects;
  for (std::size_t number = 0; number < payloads.size(); ++number)
    objects.push_back(object(static_cast<unsigned char>(number), payloads[number]));
  ASSERT_TRUE(put_objects(client_, setup_, traffic_, objects, soon(), "test"));
  EXPECT_EQ(stored().size(), 50U);
  stored().clear();
  const std::string bad = key_of(id_of(30));
  fail([=](const httplib::Request& request) { return request.target.find(bad) != std::string::npos; }, 403,
       "<Error><Code>AccessDenied</Code></Error>");
  const Status put = put_objects(client_, setup_, traffic_, objects, soon(), "test");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kRefused) << put.error().text();
  EXPECT_NE(put.error().detail.find(bad), std::string::npos) << put.error().detail;
  EXPECT_NE(put.error().detail.find("of 50 objects of the batch were acknowledged"), std::string::npos);
  EXPECT_LT(stored().size(), 50U);
}

TEST_F(Objects, AnIdThatStandsTwiceInABatchEndsAsItsLastOne) {
  std::vector<std::string> payloads;
  for (int number = 0; number < 40; ++number) payloads.push_back("version " + std::to_string(number));
  std::vector<Object> objects;
  for (const std::string& payload : payloads) objects.push_back(object(1, payload));
  ASSERT_TRUE(put_objects(client_, setup_, traffic_, objects, soon(), "test"));
  EXPECT_EQ(stored().at(key_of(id_of(1))), "version 39");
}

TEST_F(Objects, AStoppedBatchIsCancelled) {
  const std::string payload = "bytes";
  const std::vector<Object> objects(20, object(1, payload));
  std::stop_source stop;
  server_.intercept([&](const httplib::Request&, httplib::Response&) {
    stop.request_stop();
    return false;
  });
  const Status put =
      put_objects(client_, setup_, traffic_, objects, {Clock::time_point::max(), stop.get_token()}, "test");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kCancelled) << put.error().text();
}

TEST_F(Objects, AnObjectOfAnotherLengthThanListedIsCorrupt) {
  stored()["k"] = "12345";
  EXPECT_EQ(*get_object(client_, "dedup-lab-0", "k", 5, soon(), "test"), "12345");
  EXPECT_EQ(get_object(client_, "dedup-lab-0", "k", 6, soon(), "test").error().code, ErrorCode::kCorruption);
  EXPECT_EQ(get_object(client_, "dedup-lab-0", "l", std::nullopt, soon(), "test").error().code,
            ErrorCode::kNotFound);
}

TEST_F(Objects, DeletingWhatIsNotThereIsToldThoughS3SaysYes) {
  stored()["k"] = "x";
  EXPECT_TRUE(delete_object(client_, "dedup-lab-0", "k", soon(), "test"));
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(delete_object(client_, "dedup-lab-0", "k", soon(), "test").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace lab::minio
