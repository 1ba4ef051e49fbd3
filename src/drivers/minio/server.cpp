// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/server.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "drivers/minio/xml.hpp"

namespace lab::minio {
namespace {

std::string header(const HttpAnswer& answer, const char* name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "" : to_valid_utf8(found->second);
}

bool is_version(std::string_view word) {
  return word.size() >= 3 && word[0] >= '0' && word[0] <= '9' && word.find('.') != std::string_view::npos;
}

/// Any server of HTTP may say 200 to a GET of its root; S3 has these two documents for an answer.
bool is_s3(const HttpAnswer& answer) {
  return answer.good() ? is_bucket_list(answer.body) : parse_error(answer.body).has_value();
}

}  // namespace

Result<HttpAnswer> greet(Client& client, const CallContext& call, const char* operation) {
  auto answer = client.send({}, call, operation);
  if (!answer) return answer;
  if (!is_s3(*answer))
    return Error{
        ErrorCode::kConnectionLost, operation,
        fmt::format("this is no S3 server: to a request for the list of buckets it says HTTP {}, '{}'",
                    answer->status, to_valid_utf8(trim(std::string_view(answer->body).substr(0, 100))))};
  return answer;
}

Status check_login(const HttpAnswer& answer, const char* operation) {
  if (answer.good() || code_of(answer) == "AccessDenied") return ok();
  return answer_error(answer, operation, "the service");
}

ServerIdentity identity_of(const HttpAnswer& answer, const Endpoint& endpoint) {
  ServerIdentity identity{.name = "S3 server", .version = "not told by S3", .started_at = "not told by S3"};
  std::string words = header(answer, "server");  // "SeaweedFS 8000GB 4.48", "VERSITYGW", "MinIO"
  for (char& letter : words)
    if (letter == '/') letter = ' ';
  const auto parts = split(words, ' ');
  if (!parts.empty() && !parts.front().empty()) identity.name = parts.front();
  if (identity.name == "VERSITYGW") identity.name = "VersityGW";
  for (const std::string& part : parts)
    if (is_version(part)) identity.version = part;
  identity.identity = header(answer, "x-minio-deployment-id");
  if (!identity.identity.empty()) return identity;
  identity.identity = endpoint.address;
  const std::string owner = answer.good() ? parse_owner(answer.body) : "";
  if (!owner.empty()) identity.identity += "/" + owner;
  return identity;
}

}  // namespace lab::minio
