// HTTP for systems, figures and downloads: one connection kept open, streamed both ways, bounded by each
// call. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace lab {

/// Fills the buffer and returns how many bytes it put there; 0 ends the body.
using HttpSource = std::function<Result<std::size_t>(std::span<char> buffer)>;
/// Takes the next bytes of an answer; an error ends the call and is returned.
using HttpSink = std::function<Status(std::string_view bytes)>;

/// How a request says who asks.
struct HttpLogin {
  std::string user{};
  std::string password{};
  std::string aws_sigv4{};  // CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3"; empty: HTTP basic authentication.
};

struct HttpAnswer;
/// Looks at the status and the headers of a 2xx answer before its first byte comes; an error ends the call.
using HttpHead = std::function<Status(const HttpAnswer& answer)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url{};                   // As it goes over the wire: encoded by the caller.
  std::vector<std::string> headers{};  // "Name: value"; a value is never empty.
  std::string_view body{};             // Borrowed. Sent with its length, an empty one too for PUT and POST.
  HttpSource source{};                 // In place of body: streamed,
  std::optional<std::int64_t> body_bytes{};  // with this length, or chunked where it is absent.
  HttpSink sink{};                           // Gets the body of a 2xx answer; without it HttpAnswer holds it.
  HttpHead head{};                           // Called once, where there is a body.
  std::optional<std::chrono::seconds>
      silence_max{};                  // Without a byte for so long, the connection counts as lost.
  std::size_t body_max = 64U << 20U;  // A collected body above it is kResourceExhausted.
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers{};  // Names in lower case.
  std::string body{};                            // Of every answer that is not 2xx, at most 64 KiB of it.
  bool connected_anew = false;  // A connection was made for this request: the one before was closed.

  bool good() const noexcept { return status >= 200 && status < 300; }
};

struct HttpSettings {
  std::optional<HttpLogin> login{};
  std::string ca_file{};  // Trusted besides nothing else; empty: the machine's own list. Names are verified.
  Millis connect_limit{10'000};
};

/// Not thread-safe. Redirects are not followed. Proxies of the environment are not used.
class HttpClient {
 public:
  explicit HttpClient(HttpSettings settings);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;

  /// An answer of any status is a success: what it means is the system's to say. Errors: kConnectionLost when
  /// there is no connection or it breaks (retryable), kRefused for a certificate that does not verify,
  /// kTimeout, kCancelled (within 100 ms), kResourceExhausted, those of source and sink. No error holds the
  /// login.
  Result<HttpAnswer> send(const HttpRequest& request, const CallContext& call, const char* operation);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lab
