// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/fake_s3_test_support.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "core/hash.hpp"
#include "core/text.hpp"

namespace lab::minio {
namespace {

constexpr const char* kSecret = "a/secret+key";
constexpr const char* kAccess = "lab-access";

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char digest[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

std::string decoded(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
      at += 2;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

/// The server's own canonical form: decoded, encoded again by the specification's rule, sorted.
std::string canonical_path(const std::string& path) {
  std::vector<std::string> parts = split(path, '/');
  for (std::string& part : parts) part = percent_encode(decoded(part));
  return join(parts, "/");
}

std::string canonical_query(const std::string& query) {
  std::vector<std::string> pairs;
  for (const std::string& pair : split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string value = equals == std::string::npos ? "" : pair.substr(equals + 1);
    pairs.push_back(percent_encode(decoded(pair.substr(0, equals))) + "=" + percent_encode(decoded(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  return join(pairs, "&");
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  if (begin == std::string::npos) return "";
  const std::size_t start = begin + from.size();
  return text.substr(start, text.find(to, start) - start);
}

void refuse(httplib::Response& response, int status, const std::string& code) {
  response.status = status;
  response.set_content("<Error><Code>" + code + "</Code><Message>as the test wants it</Message></Error>",
                       "application/xml");
}

}  // namespace

std::string wrong_signature(const httplib::Request& request, const std::string& secret) {
  const std::string given = request.get_header_value("Authorization");
  const auto scope = split(between(given, "Credential=", ","), '/');
  if (scope.size() != 5) return "no credential: " + given;
  const std::string signed_names = between(given, "SignedHeaders=", ",");
  std::string headers;
  for (const std::string& name : split(signed_names, ';')) {
    if (!request.has_header(name)) return "signed and not sent: " + name;
    std::string value(trim(request.get_header_value(name)));
    value.erase(std::unique(value.begin(), value.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
                value.end());  // The specification makes several spaces one.
    // The library has decoded what the fields of a record were sent as.
    if (name.starts_with("x-amz-meta-") && request.has_header("x-amz-meta-schema"))
      value = percent_encode(value);
    if (value.empty()) return "empty and signed: " + name;
    headers += name + ":" + value + "\n";
  }
  for (const char* const needed : {"host", "x-amz-content-sha256", "x-amz-date"})
    if ((";" + signed_names + ";").find(";" + std::string(needed) + ";") == std::string::npos)
      return std::string("not signed: ") + needed;
  const std::string payload = request.get_header_value("x-amz-content-sha256");
  if (payload != to_hex(sha256(request.body))) return "x-amz-content-sha256 is not the body's";
  const std::size_t question = request.target.find('?');
  const std::string query = question == std::string::npos ? "" : request.target.substr(question + 1);
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method,
                                            canonical_path(request.target.substr(0, question)),
                                            canonical_query(query), headers, signed_names, payload);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}/{}/{}/{}\n{}", request.get_header_value("x-amz-date"), scope[1],
                  scope[2], scope[3], scope[4], to_hex(sha256(canonical)));
  std::string key = "AWS4" + secret;
  for (std::size_t step = 1; step < scope.size(); ++step) key = hmac(key, scope[step]);
  const std::string want = to_hex(as_bytes(hmac(key, to_sign)));
  if (between(given, "Signature=", ",") == want) return "";
  return "another signature for " + request.target;
}

FakeS3::FakeS3() : server_(std::make_unique<httplib::Server>()) {
  const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
    answer(request, response);
  };
  server_->Get(".*", handler);
  server_->Put(".*", handler);
  server_->Post(".*", handler);
  server_->Delete(".*", handler);
  port_ = server_->bind_to_any_port("127.0.0.1");
  thread_ = std::jthread([this] { server_->listen_after_bind(); });
  while (!server_->is_running()) std::this_thread::yield();
}

FakeS3::~FakeS3() { server_->stop(); }

SystemConfig FakeS3::config() const {
  return {.run_id = "run-one",
          .url = fmt::format("s3://{}@127.0.0.1:{}?tls=off", kAccess, port_),
          .password = kSecret};
}

Setup FakeS3::setup(const std::string& variant, std::map<std::string, std::string> options) const {
  SystemConfig made = config();
  made.options = std::move(options);
  auto setup = setup_of(made, variant);
  LAB_CHECK(setup.has_value(), "the test's own configuration is right");
  return *setup;
}

void FakeS3::intercept(Intercept intercept) {
  const std::lock_guard lock(mutex);
  intercept_ = std::move(intercept);
}

void FakeS3::answer(const httplib::Request& request, httplib::Response& response) {
  const std::lock_guard lock(mutex);
  ++requests;
  last_target = request.target;
  last_headers.clear();
  for (const auto& [name, value] : request.headers) last_headers[name] = value;
  response.set_header("Server", "FakeS3 1.0");
  response.set_header("Date", "Wed, 25 Nov 2026 19:03:48 GMT");
  if (const std::string wrong = wrong_signature(request, kSecret); !wrong.empty()) {
    refused_signatures.push_back(wrong);
    return refuse(response, 403, "SignatureDoesNotMatch");
  }
  if (intercept_ && intercept_(request, response)) return;
  const std::string path = decoded(request.target.substr(0, request.target.find('?'))).substr(1);
  const std::size_t slash = path.find('/');
  if (path.empty()) {
    response.set_content("<ListAllMyBucketsResult><Owner><ID>me</ID></Owner></ListAllMyBucketsResult>",
                         "application/xml");
  } else if (slash == std::string::npos) {
    answer_bucket(request, response, path);
  } else {
    answer_key(request, response, path.substr(0, slash), path.substr(slash + 1));
  }
}

void FakeS3::answer_bucket(const httplib::Request& request, httplib::Response& response,
                           const std::string& name) {
  const auto bucket = buckets.find(name);
  if (request.method == "PUT" && request.params.empty()) {
    if (bucket != buckets.end()) return refuse(response, 409, "BucketAlreadyOwnedByYou");
    buckets[name];
    return;
  }
  if (bucket == buckets.end()) return refuse(response, 404, "NoSuchBucket");
  if (request.has_param("versioning")) {
    if (request.method == "PUT") return refuse(response, 501, "NotImplemented");
    return response.set_content("<VersioningConfiguration/>", "application/xml");
  }
  if (request.has_param("uploads")) {
    std::string all;
    for (const std::string& upload : uploads)
      all += fmt::format("<Upload><Key>{}</Key><UploadId>{}</UploadId></Upload>",
                         upload.substr(upload.find(' ') + 1), upload.substr(0, upload.find(' ')));
    return response.set_content("<ListMultipartUploadsResult>" + all +
                                    "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>",
                                "application/xml");
  }
  if (request.has_param("delete")) return remove_many(request, response, bucket->second);
  if (request.method == "DELETE") {
    if (!bucket->second.empty()) return refuse(response, 409, "BucketNotEmpty");
    buckets.erase(bucket);
    return;
  }
  if (request.has_param("list-type")) list(request, response, bucket->second);
}

void FakeS3::list(const httplib::Request& request, httplib::Response& response,
                  const std::map<std::string, std::string>& objects) {
  ++listings;
  std::string entries;
  std::size_t shown = 0;
  // A token that must be encoded to come back as it is.
  std::string after = request.get_param_value("continuation-token");
  if (!after.empty()) after = after.substr(0, after.find("/+="));
  std::string last;
  auto entry = objects.upper_bound(after);
  for (; entry != objects.end() && shown < page; ++entry, ++shown) {
    entries +=
        fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", entry->first, entry->second.size());
    last = entry->first;
  }
  const bool more = entry != objects.end();
  response.set_content(
      fmt::format("<ListBucketResult>{}<IsTruncated>{}</IsTruncated>{}</ListBucketResult>", entries, more,
                  more ? "<NextContinuationToken>" + last + "/+= &amp;</NextContinuationToken>" : ""),
      "application/xml");
}

void FakeS3::remove_many(const httplib::Request& request, httplib::Response& response,
                         std::map<std::string, std::string>& objects) {
  if (!request.has_header("Content-MD5")) return refuse(response, 400, "InvalidRequest");
  std::string deleted;
  for (std::size_t at = 0; (at = request.body.find("<Key>", at)) != std::string::npos; at += 5) {
    const std::string key = request.body.substr(at + 5, request.body.find("</Key>", at) - at - 5);
    if (key.ends_with("stuck")) {
      deleted += "<Error><Key>" + key + "</Key><Code>AccessDenied</Code><Message>no</Message></Error>";
      continue;
    }
    objects.erase(key);
    deleted += "<Deleted><Key>" + key + "</Key></Deleted>";
  }
  response.set_content("<DeleteResult>" + deleted + "</DeleteResult>", "application/xml");
}

void FakeS3::answer_key(const httplib::Request& request, httplib::Response& response, const std::string& name,
                        const std::string& key) {
  const auto bucket = buckets.find(name);
  if (bucket == buckets.end()) return refuse(response, 404, "NoSuchBucket");
  if (request.method == "PUT" || request.method == "POST") return put_key(request, response, name, key);
  if (request.has_param("uploadId")) {
    if (!uploads.contains(request.get_param_value("uploadId") + " " + key))
      return refuse(response, 404, "NoSuchUpload");
    uploads.erase(request.get_param_value("uploadId") + " " + key);
    return;
  }
  const auto object = bucket->second.find(key);
  if (request.method == "DELETE") {
    bucket->second.erase(key);
    response.status = 204;
    return;
  }
  if (object == bucket->second.end()) return refuse(response, 404, "NoSuchKey");
  response.set_header("ETag", "\"" + to_hex(sha256(object->second)).substr(0, 32) + "\"");
  response.set_header("Last-Modified", "Wed, 25 Nov 2026 19:03:38 GMT");
  response.set_content(object->second, "application/octet-stream");
}

void FakeS3::put_key(const httplib::Request& request, httplib::Response& response, const std::string& name,
                     const std::string& key) {
  auto& objects = buckets[name];
  const auto etag = [](const std::string& bytes) {
    return "\"" + to_hex(sha256(bytes)).substr(0, 32) + "\"";
  };
  if (request.has_param("uploads")) {
    const std::string id = "upload-" + std::to_string(requests) + "/+=";
    uploads.insert(id + " " + key);
    return response.set_content(
        "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>",
        "application/xml");
  }
  if (request.has_param("partNumber")) {
    if (!uploads.contains(request.get_param_value("uploadId") + " " + key))
      return refuse(response, 404, "NoSuchUpload");
    parts_[key][std::stoi(request.get_param_value("partNumber"))] = request.body;
    response.set_header("ETag", etag(request.body));
    return;
  }
  if (request.has_param("uploadId")) {
    std::string whole;
    for (const auto& [number, bytes] : parts_[key]) whole += bytes;
    objects[key] = whole;
    parts_.erase(key);
    uploads.erase(request.get_param_value("uploadId") + " " + key);
    return response.set_content("<CompleteMultipartUploadResult/>", "application/xml");
  }
  const auto old = objects.find(key);
  const std::string match = request.get_header_value("If-Match");
  const bool wrong_match = !match.empty() && (old == objects.end() || etag(old->second) != match);
  const bool wrong_none = request.has_header("If-None-Match") && old != objects.end();
  if (conditions && (wrong_match || wrong_none)) return refuse(response, 412, "PreconditionFailed");
  objects[key] = request.body;
  response.set_header("ETag", etag(request.body));
}

}  // namespace lab::minio
