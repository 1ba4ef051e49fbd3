// Each right is asked for by a request that a server refuses without it, and that writes nothing with it.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/rights.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include "drivers/minio/examine.hpp"
#include "drivers/minio/fake_s3_test_support.hpp"
#include "drivers/minio/marker.hpp"

namespace lab::minio {
namespace {

class Rights : public testing::Test {
 protected:
  std::vector<std::string> missing() {
    std::vector<std::string> all;
    for (const Finding& finding : examine(setup_, {Clock::now() + Millis{60'000}, {}}))
      if (finding.what == "rights" && !finding.passed) all.push_back(finding.detail);
    return all;
  }

  FakeS3 server_{};
  minio::Setup setup_ = server_.setup();
};

TEST_F(Rights, EachThatIsMissingIsNamedAndNothingIsWritten) {
  struct Case {
    const char* right;
    const char* method;
    bool of_key;
    const char* parameter;  // "": none at all.
  };
  const std::map<std::string, std::string> ours{{kMarkerKey, marker_text("")}, {"key", "x"}};
  server_.buckets["dedup-lab-0"] = ours;
  EXPECT_EQ(missing(), std::vector<std::string>{});
  for (const Case& one : {Case{"s3:ListBucketMultipartUploads", "GET", false, "uploads"},
                          Case{"s3:PutObject", "PUT", true, "partNumber"},
                          Case{"s3:AbortMultipartUpload", "DELETE", true, "uploadId"},
                          Case{"s3:DeleteObject", "DELETE", true, ""}}) {
    SCOPED_TRACE(one.right);
    server_.intercept([&one](const httplib::Request& request, httplib::Response& response) {
      const bool of_key = request.target.find('/', 1) != std::string::npos;
      const bool parameter =
          one.parameter[0] == '\0' ? request.params.empty() : request.has_param(one.parameter);
      if (request.method != one.method || of_key != one.of_key || !parameter) return false;
      response.status = 403;
      response.set_content("<Error><Code>AccessDenied</Code></Error>", "application/xml");
      return true;
    });
    const auto found = missing();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NE(found[0].find(one.right), std::string::npos) << found[0];
  }
  EXPECT_EQ(server_.buckets.size(), 1U);
  EXPECT_EQ(server_.buckets["dedup-lab-0"], ours);
  EXPECT_TRUE(server_.uploads.empty());
}

TEST_F(Rights, OfABucketThatIsNotThereAreAskedForTooAndItIsNotMade) {
  EXPECT_EQ(missing(), std::vector<std::string>{});
  EXPECT_TRUE(server_.buckets.empty());
  server_.intercept([](const httplib::Request& request, httplib::Response& response) {
    if (request.method != "PUT") return false;
    response.status = 403;
    response.set_content("<Error><Code>AccessDenied</Code></Error>", "application/xml");
    return true;
  });
  EXPECT_EQ(missing().size(), 1U);
}

/// One who may only write is told of all that is missing at once, and no delete marker is left to find it
/// out.
TEST_F(Rights, OfABucketThatMayNotBeLookedIntoAllThatAreMissingAreNamed) {
  for (const std::string closed : {"HEAD", "GET"}) {
    SCOPED_TRACE(closed);
    server_.intercept([&](const httplib::Request& request, httplib::Response& response) {
      if (request.method == "DELETE") {
        EXPECT_TRUE(request.has_param("uploadId") || request.has_param("versionId"));
      }
      const bool of_service = request.path == "/";
      if (of_service || (request.method != "GET" && request.method != closed)) return false;
      response.status = 403;
      if (request.method == "GET")
        response.set_content("<Error><Code>AccessDenied</Code></Error>", "application/xml");
      return true;
    });
    server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("")}};
    const auto found = missing();
    const std::vector<const char*> rights{"s3:ListBucket ", "s3:ListBucketMultipartUploads",
                                          "s3:GetBucketVersioning", "s3:GetObject", "s3:ListBucketVersions"};
    ASSERT_EQ(found.size(), rights.size()) << found.size();
    for (std::size_t at = 0; at < rights.size(); ++at)
      EXPECT_NE(found[at].find(rights[at]), std::string::npos) << found[at];
  }
}

/// There the deletion of a key that is not there leaves a delete marker.
TEST_F(Rights, ABucketWithVersionsIsAskedForTheDeletionOfAVersion) {
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("")}};
  int deletions = 0;
  server_.intercept([&](const httplib::Request& request, httplib::Response& response) {
    if (request.has_param("versioning")) {
      response.set_content("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
                           "application/xml");
      return true;
    }
    if (request.method == "DELETE" && !request.has_param("uploadId")) {
      ++deletions;
      EXPECT_EQ(request.get_param_value("versionId"), "null");
    }
    return false;
  });
  EXPECT_EQ(missing(), std::vector<std::string>{});
  EXPECT_EQ(deletions, 1);
}

TEST_F(Rights, ABucketOfOthersIsNotAsked) {
  server_.buckets["dedup-lab-0"] = {{"thesis", "years of work"}};
  server_.intercept([](const httplib::Request& request, httplib::Response&) {
    EXPECT_TRUE(request.method == "GET" || request.method == "HEAD") << request.method;
    return false;
  });
  EXPECT_FALSE(examine(setup_, {Clock::now() + Millis{60'000}, {}}).empty());
}

}  // namespace
}  // namespace lab::minio
