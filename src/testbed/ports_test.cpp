// Whose port it is: by the sockets that processes hold, not by an answer.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/ports.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/files.hpp"

namespace lab::testbed {
namespace {

FileHandle listen_on(std::uint16_t port) {
  FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

/// A child that sleeps until this ends.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ProcessStamp stamp() const { return *stamp_of(pid_); }

 private:
  pid_t pid_;
};

std::uint16_t a_port() { return free_ports(1)->front(); }

TEST(TestbedPorts, FreePortsDifferAndCanBeListenedOn) {
  const auto ports = free_ports(8);
  ASSERT_TRUE(ports) << ports.error().text();
  EXPECT_EQ(std::set<std::uint16_t>(ports->begin(), ports->end()).size(), 8U);
  EXPECT_TRUE(is_free(ports->front()));
  const FileHandle listener = listen_on(ports->front());
  EXPECT_FALSE(is_free(ports->front()));
}

TEST(TestbedPorts, APortIsNobodysBeforeSomebodyListens) {
  const auto self = stamp_of(::getpid());
  ASSERT_TRUE(self);
  const std::uint16_t port = a_port();
  const auto before = listener_of(port, *self);
  ASSERT_TRUE(before);
  EXPECT_EQ(*before, Listener::kNone);
  const FileHandle listener = listen_on(port);
  const auto after = listener_of(port, *self);
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, Listener::kOurs);
}

TEST(TestbedPorts, AListenerOfAnotherProcessIsForeign) {
  const Sleeper child;  // Forked before the socket exists, so it does not hold it.
  const std::uint16_t port = a_port();
  const FileHandle listener = listen_on(port);
  const auto whose = listener_of(port, child.stamp());
  ASSERT_TRUE(whose);
  EXPECT_EQ(*whose, Listener::kForeign);
}

TEST(TestbedPorts, AListenerOfADescendantIsOurs) {
  const auto self = stamp_of(::getpid());
  const std::uint16_t port = a_port();
  FileHandle listener = listen_on(port);
  const Sleeper child;
  listener.reset();  // Now the child alone has it.
  const auto whose = listener_of(port, *self);
  ASSERT_TRUE(whose);
  EXPECT_EQ(*whose, Listener::kOurs);
  const auto family = family_of(*self);
  EXPECT_EQ(family.size(), 2U);
}

TEST(TestbedPorts, OnlyListenersThatTakeTheLoopbackAddressCount) {
  const std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0\n"
      "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0\n"
      "   2: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 0\n"
      "   3: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14 1 0\n"
      "   4: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 15 1 0\n"
      "   5: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 16 1 0\n"
      "   6: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 17 1 0\n"
      "   7: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 18 1 0\n"
      "damaged\n";
  EXPECT_EQ(listener_inodes(table, 8080), (std::set<std::uint64_t>{11, 12, 16, 17}));
  EXPECT_TRUE(listener_inodes("", 8080).empty());
}

}  // namespace
}  // namespace lab::testbed
