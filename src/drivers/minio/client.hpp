// Requests to an S3 server: addressed in the path, signed by libcurl, errors in the server's own words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/minio/setup.hpp"

namespace lab::minio {

/// What we asked of the server and what went over the wire as bodies. Shared by the connections of a session.
struct Traffic {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused{0};  // Answers that are not 2xx.
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> bytes_received{0};
};

struct Request {
  std::string method = "GET";
  std::string bucket{};                        // Empty: the service itself.
  std::string key{};                           // Empty: the bucket itself.
  std::map<std::string, std::string> query{};  // Sorted, as signing wants it.
  std::vector<std::string> headers{};
  std::string_view body{};    // Borrowed.
  std::string body_sha256{};  // Lower-case hexadecimal; computed where it is empty.
  HttpSink sink{};            // Gets the body of a 2xx answer.
  std::int64_t body_max = 0;  // Of a collected answer; 0: what listings need.
};

/// The URL as it goes over the wire. What libcurl 7.88 signs is exactly this text, so path and query are
/// encoded here with upper-case hexadecimal, the query is sorted, and a name without a value has its '='.
std::string url_of(const Endpoint& endpoint, const Request& request);

/// What an answer that is not 2xx means; `subject` is the bucket or key that it was about. kNotFound only
/// for a key or an upload that is not there.
Error answer_error(const HttpAnswer& answer, const char* operation, std::string_view subject);

/// The <Code> of an error's body, "NoSuchKey"; empty where there is none (HEAD).
std::string code_of(const HttpAnswer& answer);

/// One connection. Not thread-safe.
class Client {
 public:
  enum class Loss : std::uint8_t {
    kStays,  // A connection that broke, or that the server closed unasked, stays lost.
    kHeals,  // Each request stands for itself (heartbeats, the observer).
  };
  Client(const Endpoint& endpoint, Traffic& traffic, Loss loss);

  /// An answer of any status is a success. Errors: those of HttpClient::send.
  Result<HttpAnswer> send(const Request& request, const CallContext& call, const char* operation);

  /// An answer that is not 2xx is an error too.
  Result<HttpAnswer> demand(const Request& request, const CallContext& call, const char* operation);

 private:
  Status watch(const Result<HttpAnswer>& answer, const char* operation);

  Endpoint endpoint_;
  Traffic& traffic_;
  Loss loss_;
  HttpClient http_;
  bool may_connect_ = true;  // A new connection is no surprise: the first, or after one that ended in order.
  std::optional<Error> lost_{};
};

}  // namespace lab::minio
