// TLS with verification, on servers of this test that have it, with a CA of its own: each login is encrypted
// and checked, or refused in words, and none falls back to plain text. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "certificates.hpp"
#include "conformance.hpp"
#include "core/files.hpp"
#include "drivers/mariadb/mariadb.hpp"
#include "drivers/postgres/postgres.hpp"
#include "drivers/redis/redis.hpp"
#include "servers.hpp"
#include "testbed/recipes.hpp"
#include "testbed/testbed.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using testbed::Place;
using testbed::Preparation;

/// What a recipe's functions know besides the server's place.
struct Wish {
  fs::path certificates{};
  std::string certificate = "server.crt";
  bool tls = true;
};
Wish& wish() {
  static Wish what;
  return what;
}

/// Into the server's own folder, where its user may read them.
Status take_certificates(Preparation& preparation) {
  for (const char* name : {"server.key", "server.crt", "expired.crt", "ca.pem"}) {
    const auto text = read_file(wish().certificates / name);
    if (!text) return text.error();
    LAB_TRY(preparation.write(name, *text));
  }
  return ok();
}

std::string in(const Place& place, const std::string& name) { return (place.home / name).string(); }

testbed::Recipe postgresql() {
  testbed::Recipe recipe = testbed::postgresql_recipe();
  recipe.prepare = [](const Place& place, Preparation& preparation, const CallContext& call) -> Status {
    LAB_TRY(testbed::postgresql_recipe().prepare(place, preparation, call));
    return take_certificates(preparation);
  };
  recipe.command = [](const Place& place) {
    Command server = testbed::postgresql_recipe().command(place);
    for (const std::string& setting :
         {std::string("ssl=") + (wish().tls ? "on" : "off"), "ssl_cert_file=" + in(place, wish().certificate),
          "ssl_key_file=" + in(place, "server.key")})
      server.argv.insert(server.argv.end(), {"-c", setting});
    return server;
  };
  return recipe;
}

testbed::Recipe mariadb() {
  testbed::Recipe recipe = testbed::mariadb_recipe();
  recipe.prepare = [](const Place& place, Preparation& preparation, const CallContext& call) -> Status {
    LAB_TRY(testbed::mariadb_recipe().prepare(place, preparation, call));
    return take_certificates(preparation);
  };
  recipe.command = [](const Place& place) {
    Command server = testbed::mariadb_recipe().command(place);
    if (wish().tls)
      server.argv.insert(server.argv.end(),
                         {"--ssl-cert=" + in(place, wish().certificate),
                          "--ssl-key=" + in(place, "server.key"), "--ssl-ca=" + in(place, "ca.pem")});
    return server;
  };
  return recipe;
}

testbed::Recipe redis() {
  testbed::Recipe recipe = testbed::redis_recipe();
  recipe.ports = 2;
  recipe.prepare = [](const Place& place, Preparation& preparation, const CallContext& call) -> Status {
    LAB_TRY(testbed::redis_recipe().prepare(place, preparation, call));
    return take_certificates(preparation);
  };
  recipe.command = [](const Place& place) {
    Command server = testbed::redis_recipe().command(place);
    if (wish().tls)
      server.argv.insert(server.argv.end(),
                         {"--tls-port", place.port(1), "--tls-auth-clients", "no", "--tls-cert-file",
                          in(place, wish().certificate), "--tls-key-file", in(place, "server.key"),
                          "--tls-ca-cert-file", in(place, "ca.pem")});
    return server;
  };
  recipe.url = [](const Place& place) { return "rediss://127.0.0.1:" + place.port(1); };
  return recipe;
}

class TlsSuite : public testing::Test {
 protected:
  TlsSuite(SystemEntry entry, testbed::Recipe recipe)
      : entry_(std::move(entry)), recipe_(std::move(recipe)) {}

  void SetUp() override {
    const auto found = recipe_.find({.given = {}, .folders = testbed::server_folders()});
    if (!found && !server_required(entry_.name)) GTEST_SKIP() << found.error().detail;
    ASSERT_TRUE(found) << found.error().text();
    wish() = {.certificates = folder_.path() / "certificates"};
    fs::create_directories(wish().certificates);
    ASSERT_NO_FATAL_FAILURE(make_certificates(wish().certificates));
    const auto up = bed().up(recipe_, within(120s));
    ASSERT_TRUE(up) << up.error().text();
    const auto status = bed().status(recipe_, within(20s));
    ASSERT_TRUE(status && status->password_file) << (status ? "no password" : status.error().text());
    const auto password = read_file(*status->password_file);
    ASSERT_TRUE(password);
    config_.url = status->url;
    config_.password = password->substr(0, password->find('\n'));
    config_.run_id = "tls";
    config_.options["namespace"] = "dedup_tls";
  }
  void TearDown() override {
    const auto down = bed().down(recipe_, within(60s));
    EXPECT_TRUE(down) << down.error().text();
  }

  testbed::Testbed bed() const {
    return testbed::Testbed({.state = folder_.path() / "state",
                             .directory = {},
                             .search = {.given = {}, .folders = testbed::server_folders()}});
  }
  void start_again(const Wish& with) {
    wish() = with;
    const Status restarted = bed().restart(recipe_, within(120s));
    ASSERT_TRUE(restarted) << restarted.error().text();
  }
  std::string pem(const char* name) const { return (wish().certificates / name).string(); }

  /// What a run does first, over the server's url with these words behind it and another host's name in it.
  Status use(const std::string& words, const std::string& host = "127.0.0.1") const {
    SystemConfig config = config_;
    config.url.replace(config.url.find("127.0.0.1"), 9, host);
    config.url += words;
    auto session = entry_.open(config, within(30s));
    if (!session) return session.error();
    auto driver = (*session)->open_driver(within(30s));
    if (!driver) return driver.error();
    return (*driver)->prove(within(30s));
  }

  void expect_refused(const std::string& what, const Status& used) const {
    SCOPED_TRACE(what);
    ASSERT_FALSE(used) << "taken";
    EXPECT_EQ(used.error().code, ErrorCode::kRefused) << used.error().text();
    EXPECT_FALSE(used.error().retryable) << "it will not go away: " << used.error().text();
    EXPECT_EQ(used.error().text().find(config_.password), std::string::npos);
  }

  /// `with_ca` says how a url names an authority: "?tls_ca=".
  void expect_verification(const std::string& with_ca) {
    const Status good = use(with_ca + pem("ca.pem"));
    EXPECT_TRUE(good) << good.error().text();
    expect_refused("another authority", use(with_ca + pem("other-ca.pem")));
    expect_refused("a name that the certificate has not", use(with_ca + pem("ca.pem"), "localhost"));
    Wish expired = wish();
    expired.certificate = "expired.crt";
    ASSERT_NO_FATAL_FAILURE(start_again(expired));
    expect_refused("an expired certificate", use(with_ca + pem("ca.pem")));
  }

  const SystemEntry entry_;
  const testbed::Recipe recipe_;
  TemporaryFolder folder_{};
  SystemConfig config_{};
};

class PostgresqlServerTls : public TlsSuite {
 protected:
  PostgresqlServerTls() : TlsSuite(postgresql_system(), postgresql()) {}
};

TEST_F(PostgresqlServerTls, IsVerifiedOrRefusedAndNeverReplacedByPlainText) {
  expect_verification("?sslrootcert=");
  Wish without = wish();
  without.tls = false;
  ASSERT_NO_FATAL_FAILURE(start_again(without));
  EXPECT_TRUE(use("")) << "plain text to a loopback host";
  expect_refused("a server without TLS", use("?sslmode=require"));
  expect_refused("a server without TLS that shall be verified", use("?sslrootcert=" + pem("ca.pem")));
}

class MariadbServerTls : public TlsSuite {
 protected:
  MariadbServerTls() : TlsSuite(mariadb_system(), mariadb()) {}
};

TEST_F(MariadbServerTls, IsVerifiedOrRefusedAndNeverReplacedByPlainText) {
  expect_verification("?tls_ca=");
  Wish without = wish();
  without.tls = false;
  ASSERT_NO_FATAL_FAILURE(start_again(without));
  EXPECT_TRUE(use("")) << "plain text to a loopback host";
  expect_refused("a server without TLS", use("?tls=on"));
}

class RedisServerTls : public TlsSuite {
 protected:
  RedisServerTls() : TlsSuite(redis_system(), redis()) {}
};

TEST_F(RedisServerTls, IsVerifiedOrRefusedAndNeverReplacedByPlainText) { expect_verification("?tls_ca="); }

}  // namespace
}  // namespace lab
