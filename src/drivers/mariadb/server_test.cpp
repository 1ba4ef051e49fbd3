// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/server.hpp"

#include <errmsg.h>
#include <gtest/gtest.h>
#include <mysqld_error.h>

namespace lab::mariadb {
namespace {

Result<Server> of(const std::string& url) {
  SystemConfig config;
  config.url = url;
  config.password = "secret";
  return server_of(config);
}

TEST(MariadbServer, BothSchemesNameTheSameServer) {
  for (const char* scheme : {"mariadb", "mysql"}) {
    const auto server = of(std::string(scheme) + "://lab@db.example:3307/");
    ASSERT_TRUE(server) << server.error().text();
    EXPECT_EQ(server->host, "db.example");
    EXPECT_EQ(server->port, 3307);
    EXPECT_EQ(server->user, "lab");
    EXPECT_EQ(server->password, "secret");
  }
  EXPECT_EQ(of("mariadb://lab@db.example")->port, 3306);
}

TEST(MariadbServer, IsSpokenToInPlainTextOnThisMachineOrWhereTheUrlSaysSo) {
  for (const char* url : {"mariadb://lab@127.0.0.1/", "mariadb://lab@localhost", "mariadb://lab@[::1]:3307/",
                          "mariadb://lab@db.example/?tls=off"})
    EXPECT_FALSE(of(url)->tls) << url;
  for (const char* url :
       {"mariadb://lab@db.example/", "mariadb://lab@10.0.0.7", "mariadb://lab@127.example.org"}) {
    EXPECT_TRUE(of(url)->tls) << url;
    EXPECT_TRUE(of(url)->tls_unasked) << url;
  }
  EXPECT_FALSE(of("mariadb://lab@db.example/?tls=on")->tls_unasked);
}

TEST(MariadbServer, ANamedCertificateMeansTls) {
  const auto server = of("mariadb://lab@db/?tls_ca=/etc/ca.pem");
  ASSERT_TRUE(server) << server.error().text();
  EXPECT_TRUE(server->tls);
  EXPECT_EQ(server->tls_ca, "/etc/ca.pem");
  EXPECT_TRUE(of("mariadb://lab@db/?tls=on")->tls);
  EXPECT_FALSE(of("mariadb://lab@db/?tls=off")->tls);
}

TEST(MariadbServer, RefusesAnAddressThatCouldMeanTwoThings) {
  for (const char* url : {"mariadb://db/", "mariadb://lab@db/shop", "mariadb://lab@db/?tls=maybe",
                          "mariadb://lab@db/?tls=off&tls_ca=/x", "mariadb://lab@db/?tls_ca=",
                          "mariadb://lab@db/?ssl=on", "postgresql://lab@db/", "mariadb://lab:hunter2@db/"}) {
    const auto server = of(url);
    ASSERT_FALSE(server) << url;
    EXPECT_EQ(server.error().code, ErrorCode::kInvalidArgument) << url;
    EXPECT_EQ(server.error().text().find("hunter2"), std::string::npos);
  }
}

TEST(MariadbServer, ALostConnectionMayBeTriedAgainAndARefusalMayNot) {
  for (const unsigned number :
       {CR_SERVER_LOST, CR_SERVER_GONE_ERROR, CR_CONN_HOST_ERROR, ER_SERVER_SHUTDOWN}) {
    const Error error = error_of(number, "words", "mariadb.put");
    EXPECT_EQ(error.code, ErrorCode::kConnectionLost) << number;
    EXPECT_TRUE(error.retryable) << number;
    EXPECT_TRUE(ends_connection(number)) << number;
  }
  for (const unsigned number : {ER_ACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR, ER_DUP_ENTRY}) {
    const Error error = error_of(number, "words", "mariadb.put");
    EXPECT_EQ(error.code, ErrorCode::kRefused) << number;
    EXPECT_FALSE(error.retryable) << number;
    EXPECT_FALSE(ends_connection(number)) << number;
  }
}

TEST(MariadbServer, AnErrorKeepsTheServersWordsAndNumber) {
  const Error error = error_of(ER_DISK_FULL, "Disk full (/tmp)", "mariadb.put");
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(error.operation, "mariadb.put");
  EXPECT_EQ(error.detail, "Disk full (/tmp) (error 1021)");
}

}  // namespace
}  // namespace lab::mariadb
