// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/objects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "driver/native_record.hpp"
#include "drivers/minio/xml.hpp"

namespace lab::minio {
namespace {

constexpr std::size_t kFailuresShown = 3;
constexpr int kMetadataTextMax =
    64;  // All metadata of an object have 2 KB: longer texts are in its body alone.
constexpr Millis kAbortLimit{1'500};  // An upload is aborted even after a stop, but not for long.

/// In mode "native" the metadata is the schema's name and the fields of a row, in characters that a header
/// may have. Errors: kInvalidArgument for a payload that is no record.
Result<std::vector<std::string>> headers_of(const Object& object, const NativeSchema* schema,
                                            const char* operation) {
  std::vector<std::string> headers{"Content-Type: " + (object.mime.empty()
                                                           ? std::string("application/octet-stream")
                                                           : std::string(object.mime))};
  if (schema == nullptr) {
    headers.push_back("x-amz-meta-sha256: " + to_hex(object.digest));
    return headers;
  }
  headers.push_back("x-amz-meta-schema: " + std::string(schema->payload));
  const auto record = parse_record(*schema, object.payload, operation);
  if (!record) return record.error();
  for (std::size_t at = 0; schema->is_row() && at < record->size(); ++at) {
    const NativeColumn& column = schema->columns[at];
    if (column.type == NativeType::kText && column.digits > kMetadataTextMax) continue;
    const std::string text = native_text(column, (*record)[at]);
    if (text.empty())
      continue;  // An empty header is not sent, and the signature would be of another request.
    std::string name(column.name);
    std::replace(name.begin(), name.end(), '_', '-');
    headers.push_back(fmt::format("x-amz-meta-{}: {}", name, percent_encode(text)));
  }
  return headers;
}

/// Errors: kInternal where the server did not confirm with an ETag.
Result<std::string> etag_of(const HttpAnswer& answer, const std::string& key, const char* operation) {
  const auto etag = answer.headers.find("etag");
  if (etag == answer.headers.end() || etag->second.empty())
    return Error{ErrorCode::kInternal, operation,
                 fmt::format("HTTP {} without an ETag for {}", answer.status, key)};
  return etag->second;
}

class Upload {
 public:
  Upload(Client& client, const Setup& setup, const Object& object, const CallContext& call,
         const char* operation)
      : client_(client),
        setup_(setup),
        object_(object),
        call_(call),
        operation_(operation),
        bucket_(setup.bucket(object.container)),
        key_(key_of(object.id)) {}

  Status run() {
    LAB_TRY(begin());
    const Status sent = send_parts();
    const Status done = sent ? complete() : sent;
    if (!done) abort();
    return done;
  }

 private:
  Request request(std::string method, std::map<std::string, std::string> query) const {
    return {.method = std::move(method), .bucket = bucket_, .key = key_, .query = std::move(query)};
  }

  Status begin() {
    Request begin = request("POST", {{"uploads", ""}});
    auto headers = headers_of(object_, setup_.schema, operation_);
    if (!headers) return std::move(headers).error();
    begin.headers = std::move(*headers);
    const auto answer = client_.demand(begin, call_, operation_);
    if (!answer) return answer.error();
    auto id = parse_upload_id(answer->body, operation_);
    if (!id) return std::move(id).error();
    id_ = std::move(*id);
    return ok();
  }

  Status send_parts() {
    const std::string_view payload = as_text(object_.payload);
    const auto step = static_cast<std::size_t>(setup_.part_bytes);
    for (std::size_t at = 0; at < payload.size(); at += step) {
      Request part = request("PUT", {{"partNumber", std::to_string(etags_.size() + 1)}, {"uploadId", id_}});
      part.body = payload.substr(at, step);
      part.headers = {"Content-Type: application/octet-stream"};
      const auto answer = client_.demand(part, call_, operation_);
      if (!answer) return answer.error();
      auto etag = etag_of(*answer, key_, operation_);
      if (!etag) return std::move(etag).error();
      etags_.push_back(std::move(*etag));
    }
    return ok();
  }

  /// The answer begins before the server knows how it ends: HTTP 200 with an error inside is a failure.
  Status complete() {
    const std::string body = complete_body(etags_);
    Request complete = request("POST", {{"uploadId", id_}});
    complete.body = body;
    complete.headers = {"Content-Type: application/xml"};
    const auto answer = client_.demand(complete, call_, operation_);
    if (!answer) return answer.error();
    if (parse_error(answer->body)) return answer_error(*answer, operation_, key_);
    if (answer->body.find("CompleteMultipartUploadResult") == std::string::npos)
      return Error{ErrorCode::kInternal, operation_, "the upload of " + key_ + " was not confirmed"};
    return ok();
  }

  void abort() {
    const CallContext bounded{Clock::now() + kAbortLimit, {}};
    ignore(client_.demand(request("DELETE", {{"uploadId", id_}}), bounded, operation_),
           "the first error counts; a reset aborts what is left");
  }

  Client& client_;
  const Setup& setup_;
  const Object& object_;
  const CallContext& call_;
  const char* operation_;
  std::string bucket_;
  std::string key_;
  std::string id_{};
  std::vector<std::string> etags_{};
};

/// What the connections of a batch share.
class Batch {
 public:
  Batch(const Setup& setup, std::span<const Object> objects, const CallContext& call, const char* operation)
      : setup_(setup),
        objects_(objects),
        operation_(operation),
        on_stop_(call.stop, [this] { ended_.request_stop(); }),
        bounded_{call.deadline, ended_.get_token()} {}

  void work(Client& client) {
    while (!ended_.stop_requested()) {
      const std::size_t index = next_++;
      if (index >= objects_.size()) return;
      const Status put = put_object(client, setup_, objects_[index], bounded_, operation_);
      if (put)
        acknowledged_ += 1;
      else
        note(put.error());
    }
  }

  Status outcome(const CallContext& call) {
    if (acknowledged_ == objects_.size()) return ok();
    const std::lock_guard lock(mutex_);
    if (failures_.empty()) {  // Nothing failed: it was ended from outside.
      LAB_TRY(allowed(call, operation_));
      return Error{ErrorCode::kInternal, operation_, "the batch ended without a reason"};
    }
    Error first = failures_.front();
    first.detail += fmt::format("; {} of {} objects of the batch were acknowledged", acknowledged_.load(),
                                objects_.size());
    for (std::size_t other = 1; other < std::min(kFailuresShown, failures_.size()); ++other)
      first.detail += "; also " + failures_[other].text();
    if (failures_.size() > kFailuresShown)
      first.detail += fmt::format("; {} more failures", failures_.size() - kFailuresShown);
    return first;
  }

 private:
  /// What was cut short because another one failed is not a failure of its own.
  void note(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (error.code == ErrorCode::kCancelled && ended_.stop_requested()) return;
    failures_.push_back(error);
    ended_.request_stop();
  }

  const Setup& setup_;
  std::span<const Object> objects_;
  const char* operation_;
  std::stop_source ended_{};
  std::stop_callback<std::function<void()>> on_stop_;
  CallContext bounded_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> acknowledged_{0};
  std::mutex mutex_{};
  std::vector<Error> failures_{};
};

/// An id that stands twice must end as its last one says, so such a batch goes in order.
bool ids_repeat(std::span<const Object> objects) {
  std::set<std::pair<std::uint32_t, ObjectId>> seen;
  return std::any_of(objects.begin(), objects.end(),
                     [&](const Object& object) { return !seen.emplace(object.container, object.id).second; });
}

}  // namespace

std::string key_of(const ObjectId& id) { return format_uuid(id); }

std::optional<ObjectId> id_of_key(std::string_view key) {
  ObjectId id{};
  std::size_t at = 0;
  for (std::size_t index = 0; index < key.size(); ++index) {
    const char letter = key[index];
    if (letter == '-') continue;
    const bool digit = letter >= '0' && letter <= '9';
    if ((!digit && (letter < 'a' || letter > 'f')) || at == 2 * id.size()) return std::nullopt;
    const auto value = static_cast<unsigned>(digit ? letter - '0' : letter - 'a' + 10);
    id[at / 2] = (id[at / 2] << 4U) | static_cast<std::byte>(value);
    ++at;
  }
  if (at != 2 * id.size() || format_uuid(id) != key) return std::nullopt;
  return id;
}

Status put_object(Client& client, const Setup& setup, const Object& object, const CallContext& call,
                  const char* operation) {
  if (static_cast<std::int64_t>(object.payload.size()) > setup.multipart_above)
    return Upload(client, setup, object, call, operation).run();
  auto headers = headers_of(object, setup.schema, operation);
  if (!headers) return std::move(headers).error();
  const Request request{.method = "PUT",
                        .bucket = setup.bucket(object.container),
                        .key = key_of(object.id),
                        .headers = std::move(*headers),
                        .body = as_text(object.payload),
                        .body_sha256 = to_hex(object.digest)};
  const auto answer = client.demand(request, call, operation);
  if (!answer) return answer.error();
  const auto etag = etag_of(*answer, request.key, operation);
  if (!etag) return etag.error();
  return ok();
}

Status put_objects(Client& client, const Setup& setup, Traffic& traffic, std::span<const Object> objects,
                   const CallContext& call, const char* operation) {
  LAB_TRY(check_records(setup.schema, objects, operation));
  Batch batch(setup, objects, call, operation);
  const std::size_t connections = ids_repeat(objects) ? 1 : std::min(setup.parallel, objects.size());
  {
    std::vector<std::jthread> helpers;
    for (std::size_t number = 1; number < connections; ++number)
      helpers.emplace_back([&] {
        Client own(setup.endpoint, traffic, Client::Loss::kStays);
        batch.work(own);
      });
    batch.work(client);
  }
  return batch.outcome(call);
}

Result<std::string> get_object(Client& client, const std::string& bucket, const std::string& key,
                               std::optional<std::int64_t> size, const CallContext& call,
                               const char* operation) {
  std::string payload;
  if (size) payload.reserve(static_cast<std::size_t>(*size));
  const Request request{.bucket = bucket, .key = key, .sink = [&](std::string_view bytes) -> Status {
                          payload += bytes;
                          return ok();
                        }};
  const auto answer = client.demand(request, call, operation);
  if (!answer) return answer.error();
  if (size && static_cast<std::int64_t>(payload.size()) != *size)
    return Error{
        ErrorCode::kCorruption, operation,
        fmt::format("{}/{} is listed with {} bytes and came with {}", bucket, key, *size, payload.size())};
  return payload;
}

Status delete_object(Client& client, const std::string& bucket, const std::string& key,
                     const CallContext& call, const char* operation) {
  LAB_TRY(client.demand({.method = "HEAD", .bucket = bucket, .key = key}, call, operation));
  LAB_TRY(client.demand({.method = "DELETE", .bucket = bucket, .key = key}, call, operation));
  return ok();
}

}  // namespace lab::minio
