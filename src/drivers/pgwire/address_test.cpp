// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/address.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace lab::pgwire {
namespace {

Result<Address> parsed(const std::string& url, const std::string& password = "") {
  SystemConfig config;
  config.url = url;
  config.password = password;
  return parse_address(config, 5432, "postgres");
}

std::map<std::string, std::string> keywords(const Result<Address>& address) {
  std::map<std::string, std::string> all;
  for (const auto& [key, value] : address->keywords()) all[key] = value;
  return all;
}

}  // namespace

TEST(PgwireAddress, TakesTheUrlApartIntoKeywords) {
  const auto address = parsed("postgresql://lab%40home@db.example:5433/lab%20data", "secret");
  ASSERT_TRUE(address) << address.error().text();
  const auto all = keywords(address);
  EXPECT_EQ(all.at("host"), "db.example");
  EXPECT_EQ(all.at("port"), "5433");
  EXPECT_EQ(all.at("user"), "lab@home");
  EXPECT_EQ(all.at("dbname"), "lab data");
  EXPECT_EQ(all.at("password"), "secret");
  EXPECT_EQ(address->text(), "db.example:5433/lab data");
}

TEST(PgwireAddress, LeavesToLibpqWhatIsNotGiven) {
  const auto address = parsed("postgresql://localhost");
  ASSERT_TRUE(address) << address.error().text();
  const auto all = keywords(address);
  EXPECT_EQ(all.at("port"), "5432");
  EXPECT_EQ(all.at("dbname"), "postgres");
  for (const char* key : {"user", "password", "sslmode", "sslrootcert"})
    EXPECT_FALSE(all.contains(key)) << key;
}

TEST(PgwireAddress, ChecksTheServerWhereAnAuthorityIsNamed) {
  EXPECT_EQ(keywords(parsed("postgresql://h/d?sslrootcert=/ca.pem")).at("sslmode"), "verify-full");
  EXPECT_EQ(keywords(parsed("postgresql://h/d?sslrootcert=/ca.pem&sslmode=verify-ca")).at("sslmode"),
            "verify-ca");
  EXPECT_EQ(keywords(parsed("postgresql://h/d?sslmode=require")).at("sslmode"), "require");
  EXPECT_EQ(keywords(parsed("postgresql://localhost/d?sslrootcert=/ca.pem")).at("sslmode"), "verify-full");
}

TEST(PgwireAddress, ChecksTheServerOfEachHostButThisOneUnlessTheUrlSaysOtherwise) {
  for (const char* host : {"db.example", "10.0.0.7", "[fd00::1]", "127.example.org"})
    EXPECT_EQ(keywords(parsed(fmt::format("postgresql://{}/d", host))).at("sslmode"), "verify-full") << host;
  for (const char* host : {"localhost", "127.0.0.1", "[::1]"})
    EXPECT_FALSE(keywords(parsed(fmt::format("postgresql://{}/d", host))).contains("sslmode")) << host;
  EXPECT_EQ(keywords(parsed("postgresql://db.example/d?sslmode=disable")).at("sslmode"), "disable");
}

TEST(PgwireAddress, RefusesAnUnknownModeWithTheNearestOne) {
  const auto address = parsed("postgresql://h/d?sslmode=verify_full");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(address.error().detail.find("verify-full"), std::string::npos) << address.error().detail;
}

TEST(PgwireAddress, NeverTakesADatabaseForAConnectionString) {
  for (const char* url : {"postgresql://h/host=evil", "postgresql://h/postgresql:%2F%2Fevil%2Fd"}) {
    const auto address = parsed(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(PgwireAddress, NeverSaysThePassword) {
  EXPECT_EQ(parsed("postgresql://h/d", "geheim")->text().find("geheim"), std::string::npos);
  EXPECT_EQ(parsed("postgresql://u:geheim@h/d").error().text().find("geheim"), std::string::npos);
}

}  // namespace lab::pgwire
