// Answers of HTTP servers: a socket of this process gives the bytes to the client. SPDX-License-Identifier:
// Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <string>
#include <thread>

#include "core/files.hpp"
#include "core/http_client.hpp"
#include "targets.hpp"
#include "testbed/ask.hpp"

namespace lab::fuzz {
namespace {

/// Takes what it is asked, answers with the bytes of the moment, and hangs up.
class Answerer {
 public:
  Answerer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    LAB_CHECK(listener_.get() >= 0, "a socket can be made");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    LAB_CHECK(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0,
              "a port is free");
    LAB_CHECK(::listen(listener_.get(), 16) == 0, "it listens");
    LAB_CHECK(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0,
              "it has a port");
    port_ = ::ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~Answerer() { ::shutdown(listener_.get(), SHUT_RDWR); }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  void say(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ = bytes;
  }
  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    while (true) {
      const FileHandle client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      std::array<char, 4096> question{};
      static_cast<void>(::recv(client.get(), question.data(), question.size(), 0));
      const std::lock_guard lock(mutex_);
      static_cast<void>(::send(client.get(), bytes_.data(), bytes_.size(), MSG_NOSIGNAL));
    }
  }

  FileHandle listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_{};
  std::string bytes_{};
  std::jthread thread_{};
};

}  // namespace

void http(std::string_view bytes) {
  static Answerer answerer;
  answerer.say(bytes);
  const CallContext call{Clock::now() + Millis{2'000}, {}};
  HttpClient client({});
  const auto answer = client.send(
      {.url = "http://127.0.0.1:" + std::to_string(answerer.port()) + "/", .body_max = 1'000}, call, "fuzz");
  if (answer) {
    LAB_CHECK(answer->status >= 0 && answer->status < 1'000, "a status has three digits");
    LAB_CHECK(answer->body.size() <= (64U << 10U), "a body that is too long is an error");
    for (const auto& [name, value] : answer->headers)
      LAB_CHECK(value.find('\n') == std::string::npos, "a header is one line");
  }
  static_cast<void>(testbed::http_get(answerer.port(), "/", call));
}

}  // namespace lab::fuzz
