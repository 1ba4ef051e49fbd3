// The rules by which libcurl 7.88 signs requests that S3 accepts, each against a server that computes the
// signature for itself.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "drivers/minio/client.hpp"
#include "drivers/minio/fake_s3_test_support.hpp"

namespace lab::minio {
namespace {

class Signing : public testing::Test {
 protected:
  Signing() { server_.buckets["bucket"]; }
  static CallContext soon() { return {Clock::now() + Millis{20'000}, {}}; }

  /// The status, and why the server refused the signature.
  testing::AssertionResult accepted(const Request& request) {
    const auto answer = client_.send(request, soon(), "test");
    if (!answer) return testing::AssertionFailure() << answer.error().text();
    const std::lock_guard lock(server_.mutex);
    if (!server_.refused_signatures.empty())
      return testing::AssertionFailure() << server_.refused_signatures.back();
    if (!answer->good()) return testing::AssertionFailure() << answer->status << answer->body;
    return testing::AssertionSuccess();
  }

  FakeS3 server_{};
  minio::Setup setup_ = server_.setup();
  Traffic traffic_{};
  Client client_{setup_.endpoint, traffic_, Client::Loss::kStays};
};

TEST_F(Signing, EveryByteOfAKeyIsEncodedWithUpperCaseHexadecimal) {
  const std::string odd = "a b+c=d&e/\xc3\xa4(~)*'!,;:@$?#[]%41.x-y_z";
  EXPECT_TRUE(accepted({.method = "PUT", .bucket = "bucket", .key = odd, .body = "bytes"}));
  EXPECT_EQ(server_.last_target.substr(0, 26), "/bucket/a%20b%2Bc%3Dd%26e/");
  EXPECT_EQ(server_.buckets["bucket"].count(odd), 1U);
  EXPECT_TRUE(accepted({.bucket = "bucket", .key = odd}));
}

TEST_F(Signing, APathIsSentAsItIsWithoutBeingTidied) {
  EXPECT_TRUE(accepted({.method = "PUT", .bucket = "bucket", .key = "a/../b/./c//d", .body = "x"}));
  EXPECT_EQ(server_.last_target, "/bucket/a/../b/./c//d");
}

TEST_F(Signing, TheQueryIsSortedAndEncoded) {
  EXPECT_TRUE(accepted(
      {.bucket = "bucket",
       .query = {{"prefix", "p q"}, {"list-type", "2"}, {"continuation-token", "a/+= &"}, {"Zz", "1"}}}));
  EXPECT_EQ(server_.last_target, "/bucket?Zz=1&continuation-token=a%2F%2B%3D%20%26&list-type=2&prefix=p%20q");
}

TEST_F(Signing, ANameWithoutAValueKeepsItsEqualsSign) {
  EXPECT_TRUE(accepted({.bucket = "bucket", .query = {{"uploads", ""}}}));
  EXPECT_EQ(server_.last_target, "/bucket?uploads=");
}

TEST_F(Signing, NoHeaderIsTakenAwayByAnEmptyValue) {
  // Long enough for libcurl to ask for "100 Continue", which tempts to remove its Expect header.
  const std::string body(3'000'000, 'x');
  EXPECT_TRUE(accepted({.method = "PUT",
                        .bucket = "bucket",
                        .key = "large",
                        .headers = {"Content-Type: application/octet-stream"},
                        .body = body}));
  EXPECT_EQ(server_.buckets["bucket"]["large"], body);
  for (const auto& [name, value] : server_.last_headers) EXPECT_FALSE(value.empty()) << name;
}

TEST_F(Signing, TheDigestOfTheBodyIsSentAndSigned) {
  EXPECT_TRUE(accepted({.bucket = "bucket", .query = {{"list-type", "2"}}}));
  EXPECT_EQ(server_.last_headers["x-amz-content-sha256"], to_hex(sha256(std::string_view())));
  const std::string body = "some bytes";
  EXPECT_TRUE(accepted(
      {.method = "PUT", .bucket = "bucket", .key = "k", .body = body, .body_sha256 = to_hex(sha256(body))}));
  EXPECT_EQ(server_.last_headers["x-amz-content-sha256"], to_hex(sha256(body)));
}

TEST_F(Signing, MetadataOfMixedCaseIsSigned) {
  EXPECT_TRUE(
      accepted({.method = "PUT",
                .bucket = "bucket",
                .key = "k",
                .headers = {"x-amz-meta-zulu: 1", "Content-Type: text/plain", "x-amz-meta-Alpha: b  c"},
                .body = "x"}));
}

TEST_F(Signing, AnotherSecretIsRefusedAndNotNamed) {
  setup_.endpoint.http.login->password = "not/the+secret";
  Client other(setup_.endpoint, traffic_, Client::Loss::kStays);
  const auto answer = other.demand({.bucket = "bucket", .query = {{"uploads", ""}}}, soon(), "test");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kRefused);
  EXPECT_NE(answer.error().detail.find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_EQ(answer.error().text().find("not/the+secret"), std::string::npos);
}

TEST_F(Signing, ABodyThatIsNotTheSignedOneIsRefused) {
  const auto answer = client_.demand({.method = "PUT",
                                      .bucket = "bucket",
                                      .key = "k",
                                      .body = "these bytes",
                                      .body_sha256 = to_hex(sha256("other bytes"))},
                                     soon(), "test");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(server_.buckets["bucket"].empty());
}

}  // namespace
}  // namespace lab::minio
