// SPDX-License-Identifier: Apache-2.0
#include "model/endpoint.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lab {
namespace {

TEST(EndpointUrl, HasASchemeAHostAndNoPassword) {
  for (const char* good : {"http://a", "https://a:9090/x?y=z", "http://[::1]:9090/metrics", "http://a/@b"})
    EXPECT_TRUE(check_endpoint_url(good)) << good;
  for (const char* bad : {"", "a:9090", "ftp://a", "http://", "http:///x", "http://:9090/x", "http://?a",
                          "http://u:hunter2@a/", "http://a/b c", "http://a/\n", "file:///etc/passwd"}) {
    SCOPED_TRACE(bad);
    for (const Status& status : {check_endpoint_url(bad), check_base_url(bad)}) {
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
      EXPECT_EQ(status.error().text().find("hunter2"), std::string::npos);
    }
  }
}

TEST(EndpointUrl, ThatPathsAreAddedToEndsWithItsPath) {
  for (const char* good : {"http://a", "https://a:9090/prometheus/"})
    EXPECT_TRUE(check_base_url(good)) << good;
  for (const char* bad : {"http://a?x=y", "http://a/b?", "http://a/#here"}) {
    EXPECT_TRUE(check_endpoint_url(bad)) << bad;
    EXPECT_FALSE(check_base_url(bad)) << bad;
  }
}

TEST(MetricNames, AreThoseOfTheTextFormatAndLabelsHaveNoColon) {
  for (const char* name : {"a", "_", "Bytes_9"}) {
    EXPECT_TRUE(is_metric_name(name)) << name;
    EXPECT_TRUE(is_label_name(name)) << name;
  }
  EXPECT_TRUE(is_metric_name(":job:rate"));
  EXPECT_FALSE(is_label_name(":job:rate"));
  for (const char* name : {"", "9a", "a-b", "a.b", "a{b}", "\xC3\xA9", "a "}) {
    EXPECT_FALSE(is_metric_name(name)) << name;
    EXPECT_FALSE(is_label_name(name)) << name;
  }
}

}  // namespace
}  // namespace lab
