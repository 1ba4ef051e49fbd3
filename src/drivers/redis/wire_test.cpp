// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/wire.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <thread>

#include "core/testing/certificate.hpp"
#include "core/testing/temporary_folder.hpp"

namespace lab::redis {
namespace {

CallContext soon() { return {Clock::now() + Millis{20'000}, {}}; }

/// Answers one TLS connection with what it reads, until the other side ends it.
class TlsEcho {
 public:
  explicit TlsEcho(const Certificate& certificate) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_, certificate.made);
    SSL_CTX_use_PrivateKey(context_, certificate.key);
    listener_ = FileHandle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(listener_.get(), 1);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ::ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~TlsEcho() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    SSL_CTX_free(context_);
  }
  TlsEcho(const TlsEcho&) = delete;
  TlsEcho& operator=(const TlsEcho&) = delete;

  std::uint16_t port = 0;

 private:
  void serve() {
    const FileHandle socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    SSL* const session = SSL_new(context_);
    SSL_set_fd(session, socket.get());
    std::vector<char> bytes(100'000);
    if (SSL_accept(session) == 1)
      for (int got = 0; (got = SSL_read(session, bytes.data(), static_cast<int>(bytes.size()))) > 0;)
        SSL_write(session, bytes.data(), got);
    SSL_free(session);
  }

  SSL_CTX* context_;
  FileHandle listener_{};
  std::jthread thread_{};
};

class RedisTls : public testing::Test {
 protected:
  Result<std::unique_ptr<Wire>> connect(const TlsEcho& server, const Certificate& trusted) {
    const auto file = folder_.path() / "ca.pem";
    EXPECT_TRUE(write_file_atomic(file, trusted.pem()));
    return Wire::connect({.tls = true, .host = "127.0.0.1", .port = server.port, .tls_ca = file.string()},
                         soon(), "test");
  }
  TemporaryFolder folder_{};
};

TEST_F(RedisTls, CarriesAnyBytesBothWays) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsEcho server(certificate);
  auto wire = connect(server, certificate);
  ASSERT_TRUE(wire) << wire.error().text();
  std::string sent;
  for (int number = 0; number < 60'000; ++number) sent += static_cast<char>(number * 7);
  ASSERT_TRUE((*wire)->write(sent, soon(), "test"));
  std::string got;
  std::vector<char> some(4'096);
  while (got.size() < sent.size()) {
    const auto read = (*wire)->read(some, soon(), "test");
    ASSERT_TRUE(read) << read.error().text();
    got.append(some.data(), *read);
  }
  EXPECT_TRUE(got == sent);
}

TEST_F(RedisTls, RefusesACertificateForAnotherAddress) {
  const Certificate certificate("IP:127.0.0.2,DNS:localhost");
  const TlsEcho server(certificate);
  const auto wire = connect(server, certificate);
  ASSERT_FALSE(wire);
  EXPECT_EQ(wire.error().code, ErrorCode::kRefused) << wire.error().text();
}

TEST_F(RedisTls, RefusesACertificateThatHasExpired) {
  const Certificate certificate("IP:127.0.0.1", std::chrono::seconds(-60));
  const TlsEcho server(certificate);
  const auto wire = connect(server, certificate);
  ASSERT_FALSE(wire);
  EXPECT_EQ(wire.error().code, ErrorCode::kRefused) << wire.error().text();
  EXPECT_NE(wire.error().text().find("expired"), std::string::npos) << wire.error().text();
}

TEST_F(RedisTls, RefusesACertificateThatNobodyTrustedSigned) {
  const Certificate certificate("IP:127.0.0.1");
  const Certificate other("IP:127.0.0.1");
  const TlsEcho server(certificate);
  const auto wire = connect(server, other);
  ASSERT_FALSE(wire);
  EXPECT_EQ(wire.error().code, ErrorCode::kRefused) << wire.error().text();
}

TEST(RedisWire, NobodyThereIsALostConnection) {
  const auto wire = Wire::connect({.host = "127.0.0.1", .port = 1}, soon(), "test");
  ASSERT_FALSE(wire);
  EXPECT_EQ(wire.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(wire.error().retryable);
}

}  // namespace
}  // namespace lab::redis
