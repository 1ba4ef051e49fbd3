// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/server.hpp"

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

}  // namespace

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
