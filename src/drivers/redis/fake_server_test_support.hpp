// A scripted server that speaks enough of Redis's protocol for the tests of a connection.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/files.hpp"

namespace lab::redis {

inline std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

/// Serves one connection after another, each on a thread of its own, on a free loopback port.
class FakeServer {
 public:
  using Words = std::vector<std::string>;
  /// The raw answer to a command; an empty one is silence, kHangUp ends the connection.
  using Script = std::function<std::string(const Words&)>;
  static constexpr const char* kHangUp = "hang up";

  explicit FakeServer(Script script) : script_(std::move(script)) {
    listener_ = FileHandle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ::ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~FakeServer() {
    stopped_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (const FileHandle& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  /// All commands so far but those of a login.
  std::vector<Words> commands() {
    const std::lock_guard hold(mutex_);
    return seen_;
  }

  std::uint16_t port = 0;
  std::atomic<int> run{1};  // A new number is a server that was restarted.

 private:
  void accept_all() {
    while (!stopped_) {
      FileHandle socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      const int descriptor = socket.get();
      sockets_.push_back(std::move(socket));
      const int id = static_cast<int>(sockets_.size());
      threads_.emplace_back([this, descriptor, id] { serve(descriptor, id); });
    }
  }

  void serve(int socket, int id) {
    std::string input;
    char some[4096];
    while (true) {
      Words words;
      while (!take(input, words)) {
        const ssize_t got = ::recv(socket, some, sizeof some, 0);
        if (got <= 0) return;
        input.append(some, static_cast<std::size_t>(got));
      }
      const std::string answer = answer_to(words, id);
      if (answer == kHangUp) {
        ::shutdown(socket, SHUT_RDWR);
        return;
      }
      ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  std::string answer_to(const Words& words, int id) {
    if (words[0] == "CLIENT" && words[1] == "ID") return ":" + std::to_string(id) + "\r\n";
    if (words[0] == "INFO") return bulk("# Server\r\nrun_id:run" + std::to_string(run) + "\r\n");
    {
      const std::lock_guard hold(mutex_);
      seen_.push_back(words);
    }
    if (words[0] == "CLIENT") return ":1\r\n";
    return script_(words);
  }

  /// Takes one whole command off the input.
  static bool take(std::string& input, Words& words) {
    words.clear();
    std::size_t at = 0;
    std::size_t left = 0;
    if (!number(input, at, '*', left)) return false;
    for (; left > 0; --left) {
      std::size_t length = 0;
      if (!number(input, at, '$', length) || input.size() < at + length + 2) return false;
      words.push_back(input.substr(at, length));
      at += length + 2;
    }
    input.erase(0, at);
    return true;
  }

  static bool number(const std::string& input, std::size_t& at, char kind, std::size_t& value) {
    const std::size_t end = input.find("\r\n", at);
    if (end == std::string::npos || input[at] != kind) return false;
    value = std::stoul(input.substr(at + 1, end - at - 1));
    at = end + 2;
    return true;
  }

  Script script_;
  FileHandle listener_{};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_{};
  std::vector<Words> seen_{};
  std::vector<FileHandle> sockets_{};
  std::vector<std::jthread> threads_{};
  std::jthread acceptor_{};
};

}  // namespace lab::redis
