// SPDX-License-Identifier: Apache-2.0
#include "probe/http_endpoint.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <optional>

#include "core/redaction.hpp"
#include "core/text.hpp"
#include "model/endpoint.hpp"

namespace lab {
namespace {

constexpr Millis kAttemptMax{10'000};   // As long as Prometheus waits for a page of metrics by default.
constexpr std::size_t kWordsMax = 300;  // Of a refusal in an error, which becomes part of a record.

HttpSettings settings_of(const HttpEndpoint& endpoint) {
  HttpSettings settings{.ca_file = endpoint.ca_file};
  if (!endpoint.user.empty()) settings.login = HttpLogin{.user = endpoint.user, .password = endpoint.secret};
  return settings;
}

/// What a server said, on one line.
std::string words_of(std::string_view body) {
  std::string words = to_valid_utf8(trim(body.substr(0, kWordsMax)));
  std::replace_if(words.begin(), words.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return words;
}

Status refusal(const HttpAnswer& answer, const char* operation) {
  const std::string words = words_of(answer.body);
  return Error{ErrorCode::kRefused, operation,
               fmt::format("HTTP status {}{}{}", answer.status, words.empty() ? "" : ": ", words),
               answer.status == 429 || answer.status >= 500};
}

/// As basic authentication sends it: a server that repeats a request's header shows this.
std::string base64(const std::string& text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL.
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(std::max(0, length)));
  return encoded;
}

}  // namespace

EndpointClient::EndpointClient(HttpEndpoint endpoint, TimeSource& time)
    : endpoint_(std::move(endpoint)),
      time_(time),
      random_(static_cast<std::uint64_t>(wall_time_ms())),  // Only spreads the moments of asking again.
      http_(settings_of(endpoint_)) {}

Result<HttpAnswer> EndpointClient::get(const CallContext& call, const char* operation) {
  // The text format alone, since its numbers carry no exemplars; exporters that know OpenMetrics only still
  // send it.
  return ask({.url = endpoint_.url, .headers = {"Accept: text/plain;version=0.0.4;q=1,*/*;q=0.1"}}, call,
             operation);
}

Result<HttpAnswer> EndpointClient::post_form(const std::string& path, const std::string& form,
                                             const CallContext& call, const char* operation) {
  std::string url = endpoint_.url;
  LAB_TRY(check_base_url(url));
  while (url.ends_with('/')) url.pop_back();
  return ask({.method = "POST",
              .url = url + path,
              .headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"},
              .body = form},
             call, operation);
}

Result<HttpAnswer> EndpointClient::ask(HttpRequest request, const CallContext& call, const char* operation) {
  LAB_TRY(allowed(call, operation));
  LAB_TRY(check_endpoint_url(endpoint_.url));
  if (endpoint_.user.empty() && !endpoint_.secret.empty())
    request.headers.push_back("Authorization: Bearer " + endpoint_.secret);
  std::optional<HttpAnswer> answer;
  int left = std::max(1, endpoint_.retry.attempts_max);
  int asked = 0;
  const Status done = retry(call, endpoint_.retry, time_, random_, [&]() -> Status {
    const auto now = Clock::now();
    const auto share = std::min<Clock::duration>(kAttemptMax, (call.deadline - now) / left);
    left = std::max(1, left - 1);
    ++asked;
    auto got = http_.send(request, {now + share, call.stop}, operation);
    if (!got) {
      Error error = got.error();
      // Its share of the time has passed, not all of it.
      if (error.code == ErrorCode::kTimeout) error.retryable = true;
      return error;
    }
    if (!got->good()) return refusal(*got, operation);
    answer = std::move(*got);
    return ok();
  });
  if (done) return std::move(*answer);
  Error error = scrubbed(done.error());
  if (asked > 1) error.detail += fmt::format(" (asked {} times)", asked);
  return error;
}

Error EndpointClient::scrubbed(Error error) const {
  if (endpoint_.secret.empty()) return error;
  for (const std::string& secret : {endpoint_.secret, base64(endpoint_.user + ":" + endpoint_.secret)})
    error.detail = without_secret(std::move(error.detail), secret);
  return error;
}

}  // namespace lab
