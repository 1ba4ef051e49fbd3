// SPDX-License-Identifier: Apache-2.0
#include "stalling_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace lab {
namespace {

constexpr int kSliceMs = 20;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// What is readable now, passed on. False at the end of the connection.
bool pass_once(int from, int to) {
  std::array<char, 65'536> buffer{};
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t now = ::send(to, buffer.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

}  // namespace

StallingProxy::StallingProxy(std::uint16_t server_port)
    : server_port_(server_port), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  LAB_CHECK(::bind(listening_.get(), any, size) == 0 && ::listen(listening_.get(), 16) == 0 &&
                ::getsockname(listening_.get(), any, &size) == 0,
            "no port for the proxy");
  port_ = ntohs(address.sin_port);
  threads_.emplace_back([this](const std::stop_token& stop) { accept_all(stop); });
}

StallingProxy::~StallingProxy() {
  threads_.front().request_stop();
  threads_.front().join();
  cut();
}

void StallingProxy::cut() {
  const std::lock_guard lock(mutex_);
  for (const FileHandle& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
}

void StallingProxy::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waited{.fd = listening_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, kSliceMs) <= 0) continue;
    FileHandle client(::accept(listening_.get(), nullptr, nullptr));
    FileHandle server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(server_port_);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) continue;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back(
        [this, from = client.get(), to = server.get()](const std::stop_token& end) { pass(end, from, to); });
    sockets_.push_back(std::move(client));
    sockets_.push_back(std::move(server));
  }
}

void StallingProxy::pass(const std::stop_token& stop, int client, int server) const {
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> waited{
        {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}}};
    const bool stalled = stalled_;
    // While it stalls only the end of a connection is looked for.
    if (stalled) waited[0].events = waited[1].events = POLLRDHUP;
    if (::poll(waited.data(), waited.size(), kSliceMs) <= 0) continue;
    if (!stalled && stalled_) continue;  // Since it was asked.
    const bool alive = !stalled && (waited[0].revents == 0 || pass_once(client, server)) &&
                       (waited[1].revents == 0 || pass_once(server, client));
    if (alive) continue;
    ::shutdown(client, SHUT_RDWR);
    ::shutdown(server, SHUT_RDWR);
    return;
  }
}

}  // namespace lab
