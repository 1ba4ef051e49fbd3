// Against sockets that are no server: a login that nobody answers is bounded, whatever the other side does.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/testing/temporary_folder.hpp"

namespace lab::pgwire {
namespace {

using namespace std::chrono_literals;

/// Listens on loopback, takes connections into its backlog and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    LAB_CHECK(socket_.get() >= 0, "a socket");
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  Address address(const std::string& host = "127.0.0.1") const {
    return {.host = host, .port = port_, .user = "lab", .database = "lab", .password = "geheim"};
  }
  void close() { socket_.reset(); }

 private:
  FileHandle socket_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST(PgwireConnection, ALoginThatNobodyAnswersEndsAtItsDeadline) {
  const SilentServer server;
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto opened = Connection::open(server.address(host), {Clock::now() + 100ms, {}}, "test.open");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kTimeout) << opened.error().text();
  }
}

TEST(PgwireConnection, APasswordOfLibpqsOwnFileIsASecretToo) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "pgpass";
  const SilentServer server;
  Address address = server.address();
  address.password.clear();
  const std::string line = "127.0.0.1:*:lab:lab:out-of-the-file\n";
  ASSERT_TRUE(write_all(*open_file(file, O_WRONLY | O_CREAT, 0600), line, file));
  ::setenv("PGPASSFILE", file.c_str(), 1);
  const auto opened = Connection::open(address, {Clock::now() + 100ms, {}}, "test.open");
  ::unsetenv("PGPASSFILE");
  ASSERT_FALSE(opened);
  EXPECT_TRUE(log_is_secret("out-of-the-file"));
}

TEST(PgwireConnection, ALoginThatNobodyAnswersCanBeStopped) {
  const SilentServer server;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto opened =
      Connection::open(server.address(), {Clock::time_point::max(), stop.get_token()}, "test.open");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCancelled) << opened.error().text();
}

TEST(PgwireConnection, NobodyThereIsALostConnectionThatMayComeBack) {
  SilentServer server;
  server.close();
  const auto opened = Connection::open(server.address(), {Clock::now() + 20s, {}}, "test.open");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(opened.error().retryable);
  EXPECT_EQ(opened.error().text().find("geheim"), std::string::npos);
}

TEST(PgwireConnection, AHostThatHasNoAddressIsNamed) {
  const Address address{.host = "no-such-host.invalid", .port = 1, .database = "lab"};
  const auto opened = Connection::open(address, {Clock::now() + 20s, {}}, "test.open");
  ASSERT_FALSE(opened);
  if (opened.error().code == ErrorCode::kTimeout) GTEST_SKIP() << "no name resolver answers";
  EXPECT_EQ(opened.error().code, ErrorCode::kConnectionLost) << opened.error().text();
  EXPECT_NE(opened.error().detail.find("no-such-host.invalid"), std::string::npos) << opened.error().detail;
}

}  // namespace lab::pgwire
