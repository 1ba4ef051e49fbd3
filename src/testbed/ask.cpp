// SPDX-License-Identifier: Apache-2.0
#include "testbed/ask.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/files.hpp"

namespace lab::testbed {
namespace {

constexpr Millis kLimit{2'000};
constexpr int kTickMs = 50;
constexpr std::size_t kAnswerMax = 64U << 10U;

Error lost(int number) {
  Error error = errno_error("testbed.ask", "127.0.0.1", number);
  error.code = ErrorCode::kConnectionLost;
  return error;
}

/// Until the socket is ready for `events`.
Status wait_for(const FileHandle& socket, short events, const CallContext& call) {
  while (true) {
    LAB_TRY(allowed(call, "testbed.ask"));
    pollfd waited{socket.get(), events, 0};
    const int ready = ::poll(&waited, 1, kTickMs);
    if (ready > 0) return ok();
    if (ready < 0 && errno != EINTR) return lost(errno);
  }
}

Status connect_to(const FileHandle& socket, std::uint16_t port, const CallContext& call) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return ok();
  if (errno != EINPROGRESS) return lost(errno);
  LAB_TRY(wait_for(socket, POLLOUT, call));
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) return lost(errno);
  return failure == 0 ? ok() : Status(lost(failure));
}

}  // namespace

Result<std::string> ask(std::uint16_t port, std::string_view question, std::size_t enough,
                        const CallContext& outer) {
  const CallContext call = within(outer, kLimit);
  const FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error("testbed.ask", "socket", errno);
  LAB_TRY(connect_to(socket, port, call));
  while (!question.empty()) {
    const ssize_t sent = ::send(socket.get(), question.data(), question.size(), MSG_NOSIGNAL);
    if (sent >= 0) question.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return lost(errno);
    if (sent < 0) LAB_TRY(wait_for(socket, POLLOUT, call));
  }
  std::string answer;
  std::array<char, 4096> buffer{};
  while (answer.size() < enough && answer.size() < kAnswerMax) {
    LAB_TRY(wait_for(socket, POLLIN, call));
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) break;
    if (got > 0) answer.append(buffer.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno != EAGAIN && errno != EINTR) return lost(errno);
  }
  return answer;
}

Result<std::string> http_get(std::uint16_t port, std::string_view path, const CallContext& call) {
  const auto said =
      ask(port, fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path),
          kAnswerMax, call);
  if (!said) return said;
  const std::size_t head = said->find("\r\n\r\n");
  if (!said->starts_with("HTTP/1.") || said->size() < 12 || head == std::string::npos)
    return Error{ErrorCode::kConnectionLost, "testbed.ask", "the answer is not HTTP"};
  return said->substr(9, 3) + " " + said->substr(head + 4);
}

bool accepts_login(std::uint16_t port, std::string_view user, std::string_view database,
                   const CallContext& call) {
  // A startup message: its length, the protocol's version 3.0, pairs of name and value, and an end.
  std::string words{"\0\3\0\0user\0", 9};
  words.append(user).push_back('\0');
  words.append("database").push_back('\0');
  words.append(database).append(2, '\0');
  const std::string length{0, 0, 0, static_cast<char>(4 + words.size())};
  const auto said = ask(port, length + words, 1, call);
  return said && said->starts_with('R');
}

}  // namespace lab::testbed
