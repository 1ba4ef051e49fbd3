// Non-blocking sockets; OpenSSL over them by a BIO of ours, which raises no SIGPIPE.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/wire.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "driver/waiting.hpp"

namespace lab::redis {
namespace {

constexpr std::size_t kWriteStep = 256U << 10U;  // Between two looks at deadline and stop.
constexpr Millis kHandshakeLimit{5'000};         // A server with TLS answers its first message at once.
constexpr Millis kResolverPoll{5};

Error lost(const char* operation, std::string why) {
  return {ErrorCode::kConnectionLost, operation, std::move(why), true};
}

struct Peer {
  sockaddr_storage address{};
  socklen_t length = 0;
  int family = AF_UNSPEC;
};

struct Resolving {
  std::atomic<bool> over{false};
  int code = 0;
  std::vector<Peer> peers{};
};

void resolve_into(Resolving& state, const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  state.code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  for (const addrinfo* at = state.code == 0 ? found : nullptr; at != nullptr; at = at->ai_next) {
    Peer peer{.length = at->ai_addrlen, .family = at->ai_family};
    std::memcpy(&peer.address, at->ai_addr, at->ai_addrlen);
    state.peers.push_back(peer);
  }
  if (state.code == 0) ::freeaddrinfo(found);
}

/// A name is looked up by a thread that nobody waits for longer than the call: getaddrinfo has no deadline.
Result<std::vector<Peer>> resolve(const Address& address, const CallContext& call, const char* operation) {
  const std::string port = std::to_string(address.port);
  Resolving numeric;
  resolve_into(numeric, address.host, port, AI_NUMERICHOST);
  if (numeric.code == 0) return std::move(numeric.peers);
  const auto state = std::make_shared<Resolving>();
  std::thread([state, host = address.host, port] {
    resolve_into(*state, host, port, 0);
    state->over = true;
  }).detach();
  LAB_TRY(poll_until(call, kResolverPoll, operation, [&]() -> Result<bool> { return state->over.load(); }));
  if (state->code != 0)
    return lost(operation, fmt::format("{}: {}", address.host, ::gai_strerror(state->code)));
  return std::move(state->peers);
}

Result<FileHandle> connect_to(const Peer& peer, const CallContext& call, const char* operation) {
  FileHandle made(::socket(peer.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) return errno_error(operation, "socket", errno);
  const int on = 1;
  ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(made.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&peer.address), peer.length) == 0) return made;
  if (errno != EINPROGRESS) return lost(operation, std::strerror(errno));
  LAB_TRY(wait_socket(made.get(), SocketFor::kWrite, call, operation));
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  if (failure != 0) return lost(operation, std::strerror(failure));
  return made;
}

Result<FileHandle> connect_socket(const Address& address, const CallContext& call, const char* operation) {
  const auto peers = resolve(address, call, operation);
  if (!peers) return peers.error();
  Error last = lost(operation, "no address");
  for (const Peer& peer : *peers) {
    auto made = connect_to(peer, call, operation);
    if (made || made.error().code != ErrorCode::kConnectionLost) return made;
    last = std::move(made).error();
  }
  last.detail = fmt::format("{}:{}: {}", address.host, address.port, last.detail);
  return last;
}

int bio_descriptor(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_write(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(bio_descriptor(bio), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(bio_descriptor(bio), bytes, static_cast<std::size_t>(count), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* socket_bio(int descriptor) {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lab socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  BIO* const bio = BIO_new(kMethod);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));  // NOLINT: a number
  BIO_set_init(bio, 1);
  return bio;
}

std::string tls_words() {
  const char* const words = ERR_reason_error_string(ERR_peek_last_error());
  return words == nullptr ? "TLS failed" : words;
}

/// A server without TLS takes the first bytes for a command that is not complete, and waits for its rest.
Error handshake_error(const Error& error, const CallContext& call, const char* operation) {
  if (error.code != ErrorCode::kTimeout || Clock::now() >= call.deadline) return error;
  return lost(operation,
              fmt::format("no TLS handshake within {} s: the server may not speak TLS on this port",
                          std::chrono::duration_cast<std::chrono::seconds>(kHandshakeLimit).count()));
}

}  // namespace

struct Wire::Tls {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{nullptr, &SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> session{nullptr, &SSL_free};
};

Wire::Wire(FileHandle socket) : socket_(std::move(socket)) {}
Wire::~Wire() = default;

Result<std::unique_ptr<Wire>> Wire::connect(const Address& address, const CallContext& call,
                                            const char* operation) {
  auto socket = connect_socket(address, call, operation);
  if (!socket) return std::move(socket).error();
  std::unique_ptr<Wire> wire(new Wire(std::move(*socket)));
  if (address.tls) LAB_TRY(wire->start_tls(address, call, operation));
  return wire;
}

Status Wire::start_tls(const Address& address, const CallContext& call, const char* operation) {
  ERR_clear_error();
  auto tls = std::make_unique<Tls>();
  tls->context.reset(SSL_CTX_new(TLS_client_method()));
  if (tls->context == nullptr) return Error{ErrorCode::kResourceExhausted, operation, tls_words()};
  SSL_CTX_set_min_proto_version(tls->context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(tls->context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(tls->context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const bool trusted = address.tls_ca.empty() ? SSL_CTX_set_default_verify_paths(tls->context.get()) == 1
                                              : SSL_CTX_load_verify_locations(
                                                    tls->context.get(), address.tls_ca.c_str(), nullptr) == 1;
  if (!trusted)
    return Error{ErrorCode::kInvalidArgument, operation,
                 fmt::format("tls_ca '{}' cannot be used: {}", address.tls_ca, tls_words())};
  tls->session.reset(SSL_new(tls->context.get()));
  if (tls->session == nullptr) return Error{ErrorCode::kResourceExhausted, operation, tls_words()};
  SSL* const session = tls->session.get();
  // An IP address stands in a certificate as such; a name is also told to the server.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), address.host.c_str()) != 1) {
    ERR_clear_error();
    if (SSL_set1_host(session, address.host.c_str()) != 1 ||
        SSL_set_tlsext_host_name(session, address.host.c_str()) != 1)
      return Error{ErrorCode::kInvalidArgument, operation, "the host's name cannot be verified"};
  }
  BIO* const bio = socket_bio(socket_.get());
  if (bio == nullptr) return Error{ErrorCode::kResourceExhausted, operation, tls_words()};
  SSL_set_bio(session, bio, bio);
  tls_ = std::move(tls);
  const CallContext bounded = within(call, kHandshakeLimit);
  while (true) {
    if (const Status in_time = allowed(bounded, operation); !in_time)
      return handshake_error(in_time.error(), call, operation);
    ERR_clear_error();
    const int result = SSL_connect(session);
    if (result == 1) return ok();
    if (const long verified = SSL_get_verify_result(session); verified != X509_V_OK)
      return Error{
          ErrorCode::kRefused, operation,
          fmt::format("the certificate of {}: {}", address.host, X509_verify_cert_error_string(verified))};
    if (const Status waited = wait_tls(result, bounded, operation); !waited)
      return handshake_error(waited.error(), call, operation);
  }
}

Status Wire::wait_tls(int result, const CallContext& call, const char* operation) {
  switch (SSL_get_error(tls_->session.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return wait_socket(socket_.get(), SocketFor::kRead, call, operation);
    case SSL_ERROR_WANT_WRITE:
      return wait_socket(socket_.get(), SocketFor::kWrite, call, operation);
    case SSL_ERROR_ZERO_RETURN:
      return lost(operation, "the server closed the connection");
    case SSL_ERROR_SYSCALL:
      return lost(operation, "the connection broke");
    default:
      return lost(operation, tls_words());
  }
}

Status Wire::write(std::string_view bytes, const CallContext& call, const char* operation) {
  while (!bytes.empty()) {
    LAB_TRY(allowed(call, operation));
    const std::size_t step = std::min(bytes.size(), kWriteStep);
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int sent = SSL_write(tls_->session.get(), bytes.data(), static_cast<int>(step));
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else {
        LAB_TRY(wait_tls(sent, call, operation));
      }
      continue;
    }
    const ssize_t sent = ::send(socket_.get(), bytes.data(), step, MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      LAB_TRY(wait_socket(socket_.get(), SocketFor::kWrite, call, operation));
    } else if (errno != EINTR) {
      return lost(operation, std::strerror(errno));
    }
  }
  return ok();
}

Result<std::size_t> Wire::read(std::span<char> buffer, const CallContext& call, const char* operation) {
  while (true) {
    LAB_TRY(allowed(call, operation));
    if (tls_ != nullptr) {
      ERR_clear_error();
      const int got = SSL_read(tls_->session.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (got > 0) return static_cast<std::size_t>(got);
      LAB_TRY(wait_tls(got, call, operation));
      continue;
    }
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return lost(operation, "the server closed the connection");
    if (errno == EAGAIN) {
      LAB_TRY(wait_socket(socket_.get(), SocketFor::kRead, call, operation));
    } else if (errno != EINTR) {
      return lost(operation, std::strerror(errno));
    }
  }
}

}  // namespace lab::redis
