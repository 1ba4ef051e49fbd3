// What the suites of single servers share: the server, a namespace of the suite's own, the driver's side of
// it. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "conformance.hpp"
#include "servers.hpp"
#include "testbed/proxy.hpp"

namespace lab {

class ServerSuite : public testing::Test {
 protected:
  ServerSuite(SystemEntry entry, std::string space) : entry_(std::move(entry)), space_(std::move(space)) {}

  /// The server of LAB_SERVERS. Where there is none the test is skipped, or fails where it is required: a
  /// SetUp goes on only if `config_` has a url.
  void find_server() {
    auto server = server_config(entry_.name);
    if (!server && server.error().code == ErrorCode::kNotFound && !server_required(entry_.name))
      GTEST_SKIP() << server.error().detail;
    ASSERT_TRUE(server) << server.error().text();
    config_ = std::move(*server);
    config_.run_id = entry_.name + "-suite";
    config_.options["namespace"] = space_;
  }
  void open() {
    auto session = entry_.open(config_, soon());
    ASSERT_TRUE(session) << session.error().text();
    session_ = std::move(*session);
    auto driver = session_->open_driver(soon());
    ASSERT_TRUE(driver) << driver.error().text();
    driver_ = std::move(*driver);
  }
  void close() {
    driver_.reset();
    session_.reset();
  }
  /// Large ones too: it may take two minutes.
  void expect_read_back(const std::vector<Made>& objects) {
    std::size_t seen = 0;
    const Status read = driver_->read_all(
        within(120s), [&](const ObjectId& id, std::uint32_t, std::span<const std::byte> payload) -> Status {
          const auto same = std::find_if(objects.begin(), objects.end(),
                                         [&](const Made& object) { return object.id == id; });
          EXPECT_TRUE(same != objects.end() && same->payload == as_text(payload)) << payload.size();
          ++seen;
          return ok();
        });
    EXPECT_TRUE(read) << read.error().text();
    EXPECT_EQ(seen, objects.size());
  }
  /// One before the server on this port, for as long as the test.
  testbed::Proxy& proxy_before(std::uint16_t port) {
    auto opened = testbed::Proxy::open(port);
    LAB_CHECK(opened.has_value(), "no port for the proxy");
    proxy_ = std::move(*opened);
    return *proxy_;
  }
  /// The server's address, by way of `proxy`.
  void go_by(const testbed::Proxy& proxy) {
    const std::size_t colon = config_.url.rfind(':');
    const std::size_t slash = std::min(config_.url.find('/', colon), config_.url.size());
    config_.url.replace(colon + 1, slash - colon - 1, std::to_string(proxy.port()));
  }

  const SystemEntry entry_;
  const std::string space_;
  SystemConfig config_{};
  std::unique_ptr<testbed::Proxy> proxy_{};  // Before those who go by it.
  std::unique_ptr<Session> session_{};
  std::unique_ptr<Driver> driver_{};
};

}  // namespace lab
