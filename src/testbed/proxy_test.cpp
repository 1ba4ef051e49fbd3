// What a proxy does to the connections that go through it.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/proxy.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/time.hpp"
#include "testbed/ports.hpp"

namespace lab::testbed {
namespace {

constexpr int kSoonMs = 5'000;
constexpr int kQuietMs = 150;  // Nothing has come for so long.

/// Both ends of a connection by way of a proxy: the client's, and the server's.
class ProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = bind_to(0);
    ASSERT_TRUE(server_);
    ASSERT_EQ(::listen(server_.get(), 8), 0);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(server_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    auto opened = Proxy::open(ntohs(address.sin_port));
    ASSERT_TRUE(opened) << opened.error().text();
    proxy_ = std::move(*opened);
    connect();
  }
  void connect() {
    near_ = FileHandle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(proxy_->port());
    ASSERT_EQ(::connect(near_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    far_ = FileHandle(::accept4(server_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(far_);
  }
  static void say(const FileHandle& socket, const std::string& words) {
    ASSERT_EQ(::send(socket.get(), words.data(), words.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(words.size()));
  }
  /// What comes within the time: words, "end" of the connection, or "nothing".
  static std::string heard(const FileHandle& socket, int limit_ms = kSoonMs) {
    pollfd waited{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, limit_ms) == 0) return "nothing";
    char buffer[64];
    const ssize_t got = ::recv(socket.get(), buffer, sizeof buffer, 0);
    return got <= 0 ? "end" : std::string(buffer, static_cast<std::size_t>(got));
  }

  FileHandle server_{};
  std::unique_ptr<Proxy> proxy_{};
  FileHandle near_{};
  FileHandle far_{};
};

TEST_F(ProxyTest, PassesBothWaysUntilOneSideEnds) {
  say(near_, "ask");
  EXPECT_EQ(heard(far_), "ask");
  say(far_, "answer");
  EXPECT_EQ(heard(near_), "answer");
  far_.reset();
  EXPECT_EQ(heard(near_), "end");
}

TEST_F(ProxyTest, WhatItHoldsUpIsPassedOnLater) {
  proxy_->stall();
  say(near_, "late");
  EXPECT_EQ(heard(far_, kQuietMs), "nothing");
  proxy_->go_on();
  EXPECT_EQ(heard(far_), "late");
}

TEST_F(ProxyTest, AHalfOpenConnectionNeitherAnswersNorEndsUntilItGoesOn) {
  proxy_->swallow();
  say(near_, "gone");
  EXPECT_EQ(heard(far_, kQuietMs), "nothing");
  far_.reset();
  EXPECT_EQ(heard(near_, kQuietMs), "nothing") << "not even the other side's end";
  proxy_->go_on();
  EXPECT_EQ(heard(near_), "end") << "what was lost must not look like a whole conversation";
  connect();
  say(near_, "anew");
  EXPECT_EQ(heard(far_), "anew");
}

TEST_F(ProxyTest, ACutEndsTheConnectionsThatThereAreAndNoLaterOne) {
  say(near_, "there");
  ASSERT_EQ(heard(far_), "there");
  proxy_->cut();
  EXPECT_EQ(heard(near_), "end");
  EXPECT_EQ(heard(far_), "end");
  connect();
  say(near_, "anew");
  EXPECT_EQ(heard(far_), "anew");
}

TEST_F(ProxyTest, ADelayHoldsBackWhatPasses) {
  proxy_->delay(Millis{200});
  const auto began = Clock::now();
  say(near_, "slow");
  EXPECT_EQ(heard(far_), "slow");
  EXPECT_GE(Clock::now() - began, Millis{200});
}

TEST_F(ProxyTest, APortThatIsTakenIsAnErrorThatNamesIt) {
  const auto second = Proxy::open(1, proxy_->port());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_NE(second.error().detail.find(std::to_string(proxy_->port())), std::string::npos);
}

}  // namespace
}  // namespace lab::testbed
