// The XML that S3 answers with and is asked with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab::minio {

struct ErrorBody {
  std::string code{};
  std::string message{};
};
/// Nothing where the text is no error document.
std::optional<ErrorBody> parse_error(std::string_view text);

struct ListedObject {
  std::string key{};
  std::int64_t size = 0;
};
struct ObjectPage {
  std::vector<ListedObject> objects{};
  std::string next{};  // Token of the next page; empty: this is the last one.
};
/// Answer of ListObjectsV2. Errors of all: kCorruption for text that is not such an answer, and for a page
/// that says that it is not the last without telling how to go on.
Result<ObjectPage> parse_objects(std::string_view text, const char* operation);

/// One version of a key, or one delete marker.
struct ListedVersion {
  std::string key{};
  std::string id{};
  bool latest = false;
  bool marker = false;
};
struct VersionPage {
  std::vector<ListedVersion> versions{};
  bool more = false;
  std::string next_key{};
  std::string next_id{};
};
Result<VersionPage> parse_versions(std::string_view text, const char* operation);

struct ListedUpload {
  std::string key{};
  std::string id{};
};
struct UploadPage {
  std::vector<ListedUpload> uploads{};
  bool more = false;
  std::string next_key{};
  std::string next_id{};
};
Result<UploadPage> parse_uploads(std::string_view text, const char* operation);

/// Body of a multi-object delete.
std::string delete_body(std::span<const ListedVersion> versions);

struct DeleteOutcome {
  std::size_t deleted = 0;
  std::vector<std::string> failures{};  // "key: Code: message"
};
Result<DeleteOutcome> parse_deleted(std::string_view text, const char* operation);

/// Body that completes a multipart upload; the ETags in the order of their parts, numbered from 1.
std::string complete_body(std::span<const std::string> etags);

Result<std::string> parse_upload_id(std::string_view text, const char* operation);

/// "Enabled", "Suspended", or empty where versioning was never switched on.
Result<std::string> parse_versioning(std::string_view text, const char* operation);

/// Whether the text is an answer of ListBuckets, as each S3 server gives it.
bool is_bucket_list(std::string_view text);

/// Names in an answer of ListBuckets.
std::vector<std::string> parse_buckets(std::string_view text);

/// Id of the owner in the answer of ListBuckets; empty where it names none.
std::string parse_owner(std::string_view text);

/// "AES256", "aws:kms"; empty where the answer names none.
std::string parse_encryption(std::string_view text);

}  // namespace lab::minio
