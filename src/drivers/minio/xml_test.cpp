// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/xml.hpp"

#include <gtest/gtest.h>

namespace lab::minio {
namespace {

TEST(S3Xml, APageThatIsNotTheLastNeedsAToken) {
  const auto whole = parse_objects(
      "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><IsTruncated>true</IsTruncated>"
      "<Contents><Key>a &amp; b</Key><Size>7</Size></Contents>"
      "<NextContinuationToken>t+/=</NextContinuationToken></ListBucketResult>",
      "test");
  ASSERT_TRUE(whole) << whole.error().text();
  ASSERT_EQ(whole->objects.size(), 1U);
  EXPECT_EQ(whole->objects[0].key, "a & b");
  EXPECT_EQ(whole->objects[0].size, 7);
  EXPECT_EQ(whole->next, "t+/=");
  const char* const bad[] = {
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
      "<ListBucketResult></ListBucketResult>",
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key></Contents></"
      "ListBucketResult>",
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents></"
      "ListBucketResult>",
      "<ListBucketResult><IsTruncated>fal",
      "<html><body>a proxy's page</body></html>",
      "",
  };
  for (const char* const text : bad) {
    const auto page = parse_objects(text, "test");
    ASSERT_FALSE(page) << text;
    EXPECT_EQ(page.error().code, ErrorCode::kCorruption) << text;
  }
}

TEST(S3Xml, VersionsAndDeleteMarkersAreTold) {
  const auto page = parse_versions(
      "<ListVersionsResult><DeleteMarker><Key>k</Key><VersionId>3</VersionId><IsLatest>true</IsLatest>"
      "</DeleteMarker><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
      "<NextVersionIdMarker>2</NextVersionIdMarker><Version><Key>k</Key><VersionId>2</VersionId>"
      "<IsLatest>false</IsLatest></Version></ListVersionsResult>",
      "test");
  ASSERT_TRUE(page) << page.error().text();
  ASSERT_EQ(page->versions.size(), 2U);
  EXPECT_TRUE(page->versions[0].marker && page->versions[0].latest);
  EXPECT_FALSE(page->versions[1].marker || page->versions[1].latest);
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next_key + page->next_id, "k2");
  EXPECT_FALSE(
      parse_versions("<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>", "test"));
  EXPECT_FALSE(parse_uploads(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>", "test"));
}

TEST(S3Xml, ADeletionIsAskedForByKeyAndVersionAndEachErrorIsKept) {
  const ListedVersion keys[] = {{.key = "a<b>&\"c"}, {.key = "k", .id = "v1"}};
  const std::string body = delete_body(keys);
  EXPECT_NE(body.find("<Key>a&lt;b&gt;&amp;"), std::string::npos) << body;
  EXPECT_NE(body.find("<Object><Key>k</Key><VersionId>v1</VersionId></Object>"), std::string::npos) << body;
  EXPECT_EQ(body.find("Quiet"), std::string::npos) << "the deleted keys are counted";
  const auto outcome = parse_deleted(
      "<DeleteResult><Deleted><Key>k</Key></Deleted><Error><Key>l</Key><Code>AccessDenied</Code>"
      "<Message>no</Message></Error></DeleteResult>",
      "test");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->deleted, 1U);
  EXPECT_EQ(outcome->failures, std::vector<std::string>{"l: AccessDenied: no"});
}

TEST(S3Xml, PartsAreNumberedFromOne) {
  const std::string etags[] = {"\"x\"", "\"y\""};
  const std::string body = complete_body(etags);
  EXPECT_NE(
      body.find("<Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag></Part><Part><PartNumber>2</PartNumber>"),
      std::string::npos)
      << body;
}

TEST(S3Xml, TheStateOfVersioningIsRead) {
  EXPECT_EQ(*parse_versioning("<VersioningConfiguration/>", "test"), "");
  EXPECT_EQ(*parse_versioning("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
                              "test"),
            "Enabled");
  EXPECT_FALSE(parse_versioning("<Other/>", "test"));
}

TEST(S3Xml, OnlyAnErrorDocumentIsAnError) {
  EXPECT_FALSE(parse_error(""));
  EXPECT_FALSE(parse_error("<html></html>"));
  EXPECT_FALSE(parse_error("not xml"));
  const auto error = parse_error("<?xml version='1.0'?><Error><Code>C</Code><Message>m</Message></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code + error->message, "Cm");
}

}  // namespace
}  // namespace lab::minio
