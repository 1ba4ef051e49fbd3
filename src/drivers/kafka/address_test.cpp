// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/address.hpp"

#include <gtest/gtest.h>

namespace lab::kafka {
namespace {

std::string refusal(const char* text) {
  const auto address = parse_address(text);
  EXPECT_FALSE(address) << text;
  return address ? "" : address.error().detail;
}

}  // namespace

TEST(KafkaAddress, ReadsEachHostOfTheListWithItsPort) {
  const auto address = parse_address("kafka://lab@one:9093,two,[::1]:7/?security=sasl_ssl&mechanism=PLAIN");
  ASSERT_TRUE(address) << address.error().text();
  EXPECT_EQ(address->hosts, (std::vector<std::string>{"one:9093", "two:9092", "[::1]:7"}));
  EXPECT_EQ(address->user, "lab");
  EXPECT_EQ(address->security, "sasl_ssl");
  EXPECT_EQ(address->mechanism, "PLAIN");
}

TEST(KafkaAddress, SpeaksPlainTextOnlyWhereItSaysSo) {
  EXPECT_EQ(parse_address("kafka://one:9092")->security, "ssl");
  EXPECT_EQ(parse_address("kafka://lab@one?mechanism=SCRAM-SHA-512")->security, "sasl_ssl");
  EXPECT_EQ(parse_address("kafka://one:9092?security=plaintext")->security, "plaintext");
  EXPECT_EQ(parse_address("kafka://one?tls_ca=/etc/ca.pem")->tls_ca, "/etc/ca.pem");
}

TEST(KafkaAddress, RefusesWhatWouldBeIgnored) {
  EXPECT_NE(refusal("kafka://lab@one?security=plaintext").find("a user is never named"), std::string::npos);
  EXPECT_NE(refusal("kafka://one?security=sasl_ssl&mechanism=PLAIN").find("needs a user"), std::string::npos);
  EXPECT_NE(refusal("kafka://lab@one?security=sasl_ssl").find("'mechanism'"), std::string::npos);
  EXPECT_NE(refusal("kafka://one?mechanism=PLAIN").find("'mechanism'"), std::string::npos);
  EXPECT_NE(refusal("kafka://one?security=plaintext&tls_ca=/x").find("'tls_ca'"), std::string::npos);
  EXPECT_NE(refusal("kafka://one/topic").find("path"), std::string::npos);
}

TEST(KafkaAddress, RefusesBadWordsWithTheNearestAndNeverRepeatsAPassword) {
  EXPECT_NE(refusal("kafka://one?security=plain_text").find("plaintext"), std::string::npos);
  EXPECT_NE(refusal("kafka://one?secrity=ssl").find("security"), std::string::npos);
  EXPECT_NE(refusal("redis://one").find("scheme"), std::string::npos);
  EXPECT_EQ(refusal("kafka://lab:hunter2@one,two").find("hunter2"), std::string::npos);
  EXPECT_FALSE(parse_address("one:9092"));
  EXPECT_FALSE(parse_address("kafka://one,,two?security=plaintext"));
}

}  // namespace lab::kafka
