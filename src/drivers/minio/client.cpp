// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "drivers/minio/xml.hpp"

namespace lab::minio {
namespace {

constexpr std::int64_t kListingMax = 64LL << 20;  // 1,000 entries take less than 2 MiB.

/// The path keeps its slashes; a key's other bytes are encoded one by one.
std::string encoded_path(std::string_view path) {
  std::vector<std::string> parts = split(path, '/');
  for (std::string& part : parts) part = percent_encode(part);
  return join(parts, "/");
}

ErrorCode meaning(int status, const std::string& code) {
  if (code == "NoSuchKey" || code == "NoSuchUpload" || code == "NoSuchVersion") return ErrorCode::kNotFound;
  if (code == "BadDigest" || code == "XAmzContentSHA256Mismatch" || code == "InvalidDigest")
    return ErrorCode::kCorruption;
  switch (status) {
    case 404:
      return code.empty() ? ErrorCode::kNotFound : ErrorCode::kRefused;
    case 405:
    case 501:
      return ErrorCode::kUnsupported;
    case 507:
      return ErrorCode::kResourceExhausted;
    default:
      return status >= 500 ? ErrorCode::kInternal : ErrorCode::kRefused;
  }
}

/// S3 asks for another try after these.
bool may_go_away(int status, const std::string& code) {
  return status == 500 || status == 502 || status == 503 || status == 504 || code == "SlowDown" ||
         code == "RequestTimeout" || code == "OperationAborted";
}

bool announces_close(const HttpAnswer& answer) {
  const auto found = answer.headers.find("connection");
  if (found == answer.headers.end()) return false;
  return to_lower(found->second).find("close") != std::string::npos;
}

}  // namespace

std::string url_of(const Endpoint& endpoint, const Request& request) {
  std::string url = endpoint.base + "/";
  if (!request.bucket.empty()) url += percent_encode(request.bucket);
  if (!request.key.empty()) url += "/" + encoded_path(request.key);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  }
  return url;
}

std::string code_of(const HttpAnswer& answer) {
  const auto error = parse_error(answer.body);
  return error ? error->code : "";
}

Error answer_error(const HttpAnswer& answer, const char* operation, std::string_view subject) {
  const auto told = parse_error(answer.body);
  const std::string code = told ? told->code : "";
  std::string words = told ? fmt::format("{}: {}", told->code, told->message)
                           : to_valid_utf8(trim(std::string_view(answer.body).substr(0, 300)));
  if (words.empty()) words = "without words";
  return {meaning(answer.status, code), operation,
          fmt::format("HTTP {} for {}: {}", answer.status, subject, words), may_go_away(answer.status, code)};
}

Client::Client(const Endpoint& endpoint, Traffic& traffic, Loss loss)
    : endpoint_(endpoint), traffic_(traffic), loss_(loss), http_(endpoint.http) {}

Result<HttpAnswer> Client::send(const Request& request, const CallContext& call, const char* operation) {
  LAB_TRY(allowed(call, operation));
  if (lost_)
    return Error{ErrorCode::kConnectionLost, operation, "lost before this call: " + lost_->detail, true};
  HttpRequest wire{
      .method = request.method,
      .url = url_of(endpoint_, request),
      .headers = request.headers,
      .body = request.body,
      .body_max = static_cast<std::size_t>(request.body_max > 0 ? request.body_max : kListingMax)};
  wire.headers.push_back("x-amz-content-sha256: " +
                         (request.body_sha256.empty() ? to_hex(sha256(request.body)) : request.body_sha256));
  std::uint64_t received = 0;
  if (request.sink)
    wire.sink = [&](std::string_view bytes) {
      received += bytes.size();
      return request.sink(bytes);
    };
  traffic_.requests += 1;
  auto answer = http_.send(wire, call, operation);
  if (answer) {
    traffic_.bytes_sent += request.body.size();
    traffic_.refused += answer->good() ? 0 : 1;
    received += answer->body.size();
  }
  traffic_.bytes_received += received;
  LAB_TRY(watch(answer, operation));
  return answer;
}

/// libcurl replaces a kept connection that it finds closed, so a restarted server would go unseen.
Status Client::watch(const Result<HttpAnswer>& answer, const char* operation) {
  if (loss_ == Loss::kHeals) return ok();
  if (!answer) {
    if (answer.error().code == ErrorCode::kConnectionLost) lost_ = answer.error();
    may_connect_ = true;  // A transfer that was cut short, by a deadline for example, cost its connection.
    return ok();
  }
  if (answer->connected_anew && !may_connect_) {
    lost_ = Error{ErrorCode::kConnectionLost, operation,
                  "the server closed the connection between two requests", true};
    return *lost_;
  }
  may_connect_ = !answer->good() || announces_close(*answer);
  return ok();
}

Result<HttpAnswer> Client::demand(const Request& request, const CallContext& call, const char* operation) {
  auto answer = send(request, call, operation);
  if (!answer || answer->good()) return answer;
  const std::string subject = request.bucket.empty() ? "the service"
                              : request.key.empty()  ? request.bucket
                                                     : request.bucket + "/" + request.key;
  return answer_error(*answer, operation, subject);
}

}  // namespace lab::minio
