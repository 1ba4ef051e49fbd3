// SPDX-License-Identifier: Apache-2.0
#include "testbed/proxy.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "testbed/ports.hpp"

namespace lab::testbed {
namespace {

constexpr int kSliceMs = 20;
constexpr int kBacklog = 16;

}  // namespace

Result<std::unique_ptr<Proxy>> Proxy::open(std::uint16_t server_port, std::uint16_t port) {
  FileHandle socket = bind_to(port);
  if (!socket && errno == EADDRINUSE)
    return Error{ErrorCode::kInUse, "testbed.proxy", fmt::format("port {} is not free", port)};
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (!socket || ::listen(socket.get(), kBacklog) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return errno_error("testbed.proxy", "127.0.0.1", errno);
  return std::unique_ptr<Proxy>(new Proxy(server_port, ntohs(address.sin_port), std::move(socket)));
}

Proxy::Proxy(std::uint16_t server_port, std::uint16_t port, FileHandle listening)
    : server_port_(server_port), port_(port), listening_(std::move(listening)) {
  accepting_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

Proxy::~Proxy() {
  accepting_.request_stop();
  accepting_.join();
  cut();
}

void Proxy::go_on() {
  if (mode_.exchange(Mode::kPasses) == Mode::kSwallows) cut();
}

void Proxy::cut() {
  const std::lock_guard lock(mutex_);
  for (const FileHandle& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
}

void Proxy::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waited{.fd = listening_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, kSliceMs) <= 0) continue;
    FileHandle client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    FileHandle server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(server_port_);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back(
        [this, from = client.get(), to = server.get()](const std::stop_token& end) { pass(end, from, to); });
    sockets_.push_back(std::move(client));
    sockets_.push_back(std::move(server));
  }
}

/// What is readable now, passed on or swallowed. False at the end of the connection.
bool Proxy::pass_once(int from, int to) const {
  std::array<char, 65'536> buffer{};
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (mode_ == Mode::kSwallows) {  // Nobody hears of an end either.
    if (got <= 0) std::this_thread::sleep_for(Millis{kSliceMs});
    return true;
  }
  if (got <= 0) return false;
  if (const Millis by = delay_; by > Millis{0}) std::this_thread::sleep_for(by);
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t now = ::send(to, buffer.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

void Proxy::pass(const std::stop_token& stop, int client, int server) const {
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> waited{
        {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}}};
    const bool stalled = mode_ == Mode::kStalls;
    // While it stalls only the end of a connection is looked for.
    if (stalled) waited[0].events = waited[1].events = POLLRDHUP;
    if (::poll(waited.data(), waited.size(), kSliceMs) <= 0) continue;
    if (!stalled && mode_ == Mode::kStalls) continue;  // Since it was asked.
    const bool alive = !stalled && (waited[0].revents == 0 || pass_once(client, server)) &&
                       (waited[1].revents == 0 || pass_once(server, client));
    if (alive) continue;
    ::shutdown(client, SHUT_RDWR);
    ::shutdown(server, SHUT_RDWR);
    return;
  }
}

}  // namespace lab::testbed
