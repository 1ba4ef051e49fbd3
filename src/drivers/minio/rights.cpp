// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/rights.hpp"

#include <fmt/format.h>

namespace lab::minio {
namespace {

/// No object of ours has this name, and no upload this id: keys are UUIDs and the marker's name.
constexpr const char* kNoKey = ".deduplab-asks-whether-it-may";
constexpr const char* kNoUpload = "deduplab-asks-whether-it-may";

struct Question {
  const char* right = "";
  const char* method = "GET";
  bool of_key = false;
  std::map<std::string, std::string> query{};
};

/// A part of an upload that does not exist is the only writing request that cannot write. In a bucket with
/// versions the deletion of a key leaves a delete marker, so there a version that is not there is deleted.
std::vector<Question> questions(bool versioned) {
  std::vector<Question> all{
      {"s3:ListBucket", "GET", false, {{"list-type", "2"}, {"max-keys", "1"}}},
      {"s3:ListBucketMultipartUploads", "GET", false, {{"uploads", ""}}},
      {"s3:GetBucketVersioning", "GET", false, {{"versioning", ""}}},
      {"s3:GetObject", "GET", true, {}},
      {"s3:PutObject", "PUT", true, {{"partNumber", "1"}, {"uploadId", kNoUpload}}},
      {"s3:AbortMultipartUpload", "DELETE", true, {{"uploadId", kNoUpload}}},
  };
  if (versioned) {
    all.push_back({"s3:ListBucketVersions", "GET", false, {{"max-keys", "1"}, {"versions", ""}}});
    all.push_back({"s3:DeleteObjectVersion", "DELETE", true, {{"versionId", "null"}}});
  } else {
    all.push_back({"s3:DeleteObject", "DELETE", true, {}});
  }
  return all;
}

}  // namespace

Result<std::vector<std::string>> refused_rights(Client& client, const std::string& bucket, bool versioned,
                                                const CallContext& call, const char* operation) {
  std::vector<std::string> refused;
  for (const Question& question : questions(versioned)) {
    const auto answer = client.send({.method = question.method,
                                     .bucket = bucket,
                                     .key = question.of_key ? kNoKey : "",
                                     .query = question.query},
                                    call, operation);
    if (!answer) return answer.error();
    if (answer->good()) continue;
    const Error said = answer_error(*answer, operation, bucket);
    // What a server does not have (501) is no right that is missing, and what is not there was looked for.
    if (said.code == ErrorCode::kInternal) return said;
    if (answer->status == 401 || answer->status == 403)
      refused.push_back(fmt::format("the right {} is missing, which the policy of deduplab setup gives: {}",
                                    question.right, said.detail));
  }
  return refused;
}

}  // namespace lab::minio
