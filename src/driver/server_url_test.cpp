// SPDX-License-Identifier: Apache-2.0
#include "driver/server_url.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lab {
namespace {

const std::vector<std::string> kSchemes{"redis", "rediss"};
const std::vector<std::string> kParameters{"timeout", "tls_ca"};

Result<ServerUrl> parsed(std::string_view text) {
  return parse_server_url(text, kSchemes, 6379, kParameters);
}

TEST(ServerUrl, TakesAnAddressApart) {
  const auto url = parsed("redis://lab%40x@db.example:7000/3?timeout=5&tls_ca=%2Fetc%2Fca.pem");
  ASSERT_TRUE(url) << url.error().text();
  EXPECT_EQ(url->scheme, "redis");
  EXPECT_EQ(url->user, "lab@x");
  EXPECT_EQ(url->host, "db.example");
  EXPECT_EQ(url->port, 7000);
  EXPECT_EQ(url->path, "3");
  EXPECT_EQ(url->parameters.at("tls_ca"), "/etc/ca.pem");
}

TEST(ServerUrl, TakesTheDefaultPortAndAnIpv6Address) {
  const auto url = parsed("redis://[::1]");
  ASSERT_TRUE(url) << url.error().text();
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 6379);
  EXPECT_EQ(url->path, "");
}

TEST(ServerUrl, KnowsTheHostsThatNothingLeavesTheMachineFor) {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host :
       {"127.example.org", "localhost.example.org", "db", "10.0.0.1", "0.0.0.0", "::", "1127.0.0.1", ""})
    EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(ServerUrl, RefusesWhatItDoesNotKnowAndNamesTheNearest) {
  struct Case {
    const char* what;
    const char* text;
    const char* expected;
  };
  for (const Case& c : {Case{"no url", "what is this", "redis or rediss"},
                        Case{"nothing", "", "it is missing: write redis or rediss"},
                        Case{"another scheme", "mysql://host/db", "'mysql'"},
                        Case{"a port too large", "redis://host:99999", "redis"},
                        Case{"a port left empty", "redis://host:", "no port"},
                        Case{"a port left empty before a path", "redis://lab@[::1]:/0?timeout=5", "no port"},
                        Case{"an unknown parameter", "redis://host?timout=5", "'timeout'"},
                        Case{"a parameter twice", "redis://host?timeout=5&timeout=6", "twice"},
                        Case{"a password", "redis://lab:hunter2@host", "password_env"}}) {
    SCOPED_TRACE(c.what);
    const auto url = parsed(c.text);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(url.error().detail.find(c.expected), std::string::npos) << url.error().detail;
    EXPECT_EQ(url.error().detail.find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace lab
