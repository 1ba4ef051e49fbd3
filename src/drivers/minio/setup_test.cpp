// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/setup.hpp"

#include <gtest/gtest.h>

#include "drivers/minio/examine.hpp"
#include "drivers/minio/minio.hpp"
#include "drivers/minio/server.hpp"

namespace lab::minio {
namespace {

SystemConfig config(std::string url, std::map<std::string, std::string> options = {}) {
  return {.url = std::move(url), .password = "secret", .options = std::move(options)};
}

TEST(MinioSetup, TlsIsOnUnlessTheUrlSaysOff) {
  const auto on = setup_of(config("s3://key@host"), "default");
  ASSERT_TRUE(on) << on.error().text();
  EXPECT_EQ(on->endpoint.base, "https://host:443");
  EXPECT_EQ(on->endpoint.http.login->aws_sigv4, "aws:amz:us-east-1:s3");
  const auto off = setup_of(config("s3://key@[::1]:9000?tls=off&region=eu-west-3"), "default");
  ASSERT_TRUE(off) << off.error().text();
  EXPECT_EQ(off->endpoint.base, "http://[::1]:9000");
  EXPECT_EQ(off->endpoint.http.login->aws_sigv4, "aws:amz:eu-west-3:s3");
  EXPECT_EQ(off->endpoint.http.login->user, "key");
  EXPECT_EQ(setup_of(config("s3://key@host?tls_ca=/ca.pem"), "default")->endpoint.http.ca_file, "/ca.pem");
}

TEST(MinioSetup, RefusesWhatItWouldHaveToGuess) {
  const SystemConfig bad[] = {
      config("s3://host:9000"),                                         // no access key
      config("s3://key@host:9000/bucket"),                              // a bucket
      config("s3://key:secret@host:9000"),                              // a password in the url
      config("https://key@host:9000"),                                  // another scheme
      config("s3://key@host?tls=no"),                                   //
      config("s3://key@host?tls=off&tls_ca=/x"),                        //
      config("s3://key@host?region=US:1"),                              //
      config("s3://key@host", {{"namespace", "dedup_lab"}}),            // no bucket can have '_'
      config("s3://key@host", {{"part_size", "1 MiB"}}),                // S3 wants 5 MiB
      config("s3://key@host", {{"part_size", "64 MB"}}),                //
      config("s3://key@host", {{"parallel", "0"}}),                     //
      config("s3://key@host", {{"parallel", "4x"}}),                    //
      config("s3://key@host", {{"maintenance_url", "ftp:"}}),           //
      config("s3://key@host", {{"maintenance_url", "http://host/x"}}),  // no directory
  };
  for (const SystemConfig& one : bad) {
    const auto setup = setup_of(one, "default");
    ASSERT_FALSE(setup) << one.url << (one.options.empty() ? "" : one.options.begin()->second);
    EXPECT_EQ(setup.error().code, ErrorCode::kInvalidArgument) << setup.error().text();
    EXPECT_EQ(setup.error().text().find("secret@"), std::string::npos);
  }
  const auto underscore = setup_of(config("s3://key@host", {{"namespace", "dedup_lab"}}), "default");
  EXPECT_NE(underscore.error().detail.find("write '-'"), std::string::npos) << underscore.error().detail;
}

TEST(MinioSetup, ASecretKeyIsNotOfThePlanAndNothingIsDoneWithoutIt) {
  const SystemConfig without{.url = "s3://key@host"};
  const SystemEntry entry = minio_system();
  EXPECT_TRUE(entry.check(without));
  const auto opened = entry.open(without, {Clock::now() + std::chrono::seconds(5), {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(opened.error().detail.find("there is no secret key"), std::string::npos) << opened.error().text();
}

TEST(MinioSetup, VariantsDifferInVersioningAndParts) {
  const auto plain = setup_of(config("s3://key@host", {{"part_size", "8 MiB"}}), "default");
  EXPECT_EQ(plain->part_bytes, 8 << 20);
  EXPECT_FALSE(plain->versioned);
  EXPECT_FALSE(info_of(*plain).has(Capability::kMaintenance));
  EXPECT_EQ(info_of(*plain).object_size_max, (8LL << 20) * 10'000);
  const auto parts = setup_of(config("s3://key@host"), "multipart");
  EXPECT_EQ(parts->multipart_above, 5 << 20);
  const auto versioned = setup_of(config("s3://key@host"), "versioned");
  EXPECT_TRUE(versioned->versioned);
  EXPECT_TRUE(info_of(*versioned).has(Capability::kMaintenance));
  EXPECT_EQ(versioned->bucket(2), "dedup-lab-2");
}

TEST(MinioSetup, TheServerIsToldByItsHeaders) {
  const Endpoint endpoint{.address = "host:9000"};
  const auto identity = [&](std::map<std::string, std::string> headers, int status = 200) {
    return identity_of(
        {.status = status,
         .headers = std::move(headers),
         .body = "<ListAllMyBucketsResult><Owner><ID>me</ID></Owner></ListAllMyBucketsResult>"},
        endpoint);
  };
  EXPECT_EQ(identity({{"server", "SeaweedFS 8000GB 4.48"}}).name, "SeaweedFS");
  EXPECT_EQ(identity({{"server", "SeaweedFS 8000GB 4.48"}}).version, "4.48");
  EXPECT_EQ(identity({{"server", "VERSITYGW"}}).name, "VersityGW");
  EXPECT_EQ(identity({{"server", "VERSITYGW"}}).identity, "host:9000/me");
  EXPECT_EQ(identity({}, 403).identity, "host:9000");
  EXPECT_EQ(identity({{"server", "MinIO"}, {"x-minio-deployment-id", "d-1"}}).identity, "d-1");
  EXPECT_EQ(identity({}).name, "S3 server");
  EXPECT_FALSE(identity({}).version.empty());
}

TEST(MinioSetup, ThePolicyIsPrintedAndNotApplied) {
  const auto admin = make_admin(*setup_of(config("s3://key@host", {{"namespace", "bench"}}), "default"));
  ASSERT_EQ(admin->apply_statements().size(), 2U);
  EXPECT_TRUE(admin->apply_statements()[0].starts_with("-- Save the JSON below as FILE"));
  const std::string policy = admin->apply_statements()[1];
  EXPECT_NE(policy.find("arn:aws:s3:::bench-*/*"), std::string::npos) << policy;
  EXPECT_EQ(policy.find("s3:*"), std::string::npos);
  EXPECT_EQ(policy.find("secret"), std::string::npos);
  EXPECT_EQ(admin->apply({}).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace lab::minio
