// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/wire.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <thread>

#include "core/testing/temporary_folder.hpp"

namespace lab::redis {
namespace {

CallContext soon() { return {Clock::now() + Millis{20'000}, {}}; }

/// A key and a certificate that it signed itself, for one name.
struct Certificate {
  explicit Certificate(const std::string& subject) : key(EVP_EC_gen("P-256")), made(X509_new()) {
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(made), 86'400);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("lab"), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject.c_str());
    X509_add_ext(made, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(made, key, EVP_sha256());
  }
  ~Certificate() {
    X509_free(made);
    EVP_PKEY_free(key);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::string pem() const {
    BIO* const out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, made);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(out);
    return text;
  }

  EVP_PKEY* key;
  X509* made;
};

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
