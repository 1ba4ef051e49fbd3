// A byte stream to a Redis server: TCP, with or without TLS, bounded by each call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/files.hpp"
#include "core/time.hpp"

namespace lab::redis {

/// Where a server is and who we are to it.
struct Address {
  bool tls = false;
  std::string host{};
  std::uint16_t port = 6379;
  std::string tls_ca{};  // Certificates that are trusted besides nothing else; empty: the machine's own list.
  std::string user{};
  std::string password{};  // Never in an error.
  int database = 0;
};

/// A connected socket. Not thread-safe. After an error other than kTimeout and kCancelled it is of no use.
class Wire {
 public:
  /// With TLS the certificate and the host's name (or its IP address) are verified. Errors: kConnectionLost
  /// (retryable) where nobody answers, kRefused for a certificate that does not verify, kInvalidArgument for
  /// a file of certificates that cannot be read, kTimeout, kCancelled.
  static Result<std::unique_ptr<Wire>> connect(const Address& address, const CallContext& call,
                                               const char* operation);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// All of it. Errors: kConnectionLost, kTimeout, kCancelled (a part may then have been sent).
  Status write(std::string_view bytes, const CallContext& call, const char* operation);

  /// At least one byte. Errors as those of write; the end of the stream is kConnectionLost.
  Result<std::size_t> read(std::span<char> buffer, const CallContext& call, const char* operation);

 private:
  struct Tls;
  explicit Wire(FileHandle socket);
  Status start_tls(const Address& address, const CallContext& call, const char* operation);
  /// One step of TLS went nowhere: waits for the socket where that helps.
  Status wait_tls(int result, const CallContext& call, const char* operation);

  FileHandle socket_;
  std::unique_ptr<Tls> tls_{};
};

}  // namespace lab::redis
