// Asking a monitoring endpoint over HTTP: who asks, how often, for how long; the secret stays out of every
// text. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/http_client.hpp"
#include "core/random.hpp"
#include "core/retry.hpp"
#include "core/time.hpp"

namespace lab {

struct HttpEndpoint {
  std::string url{};      // http:// or https://, encoded, without user and password.
  std::string user{};     // With `secret` as its password: basic authentication.
  std::string secret{};   // Without a user: a bearer token. Resolved by the caller from environment or file.
  std::string ca_file{};  // Trusted besides nothing else; empty: the machine's own list.
  RetryPolicy retry{.attempts_max = 3, .delay_first = Millis{250}, .delay_max = Millis{2'000}};
};

/// Not thread-safe: one connection, kept open.
class EndpointClient {
 public:
  explicit EndpointClient(HttpEndpoint endpoint, TimeSource& time = real_time());

  /// GET of the endpoint's url, or POST of a form to url + path. No answer, 429 and 5xx are asked again,
  /// three times in all within the call's deadline, of which each attempt has its even share (at most 10 s).
  /// Returns a 2xx answer. Errors: those of HttpClient::send; kRefused with the status and the beginning of
  /// what was said.
  Result<HttpAnswer> get(const CallContext& call, const char* operation);
  Result<HttpAnswer> post_form(const std::string& path, const std::string& form, const CallContext& call,
                               const char* operation);

 private:
  Result<HttpAnswer> ask(HttpRequest request, const CallContext& call, const char* operation);
  Error scrubbed(Error error) const;

  HttpEndpoint endpoint_;
  TimeSource& time_;
  Random random_;
  HttpClient http_;
};

}  // namespace lab
