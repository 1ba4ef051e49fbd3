// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/bucket.hpp"

#include <fmt/format.h>

#include "core/hash.hpp"
#include "drivers/minio/digest.hpp"

namespace lab::minio {
namespace {

constexpr std::size_t kDeleteMax = 1'000;  // S3's limit for one multi-object delete.
constexpr std::size_t kFailuresShown = 3;
constexpr const char* kXml = "Content-Type: application/xml";

std::string location_body(const std::string& region) {
  return "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>" +
         region + "</LocationConstraint></CreateBucketConfiguration>";
}

}  // namespace

Request Bucket::request(std::string method, std::map<std::string, std::string> query) const {
  return {.method = std::move(method), .bucket = name_, .query = std::move(query)};
}

Result<bool> Bucket::exists() const {
  const auto answer = client_.send(request("HEAD"), call_, operation_);
  if (!answer) return answer.error();
  if (answer->status == 404) return false;
  if (!answer->good()) return answer_error(*answer, operation_, name_);
  return true;
}

Status Bucket::create(const std::string& region) const {
  Request make = request("PUT");
  std::string body;
  if (region != "us-east-1") {  // There the server wants no location.
    body = location_body(region);
    make.body = body;
    make.headers.emplace_back(kXml);
  }
  LAB_TRY(client_.demand(make, call_, operation_));
  return ok();
}

Status Bucket::drop() const {
  LAB_TRY(client_.demand(request("DELETE"), call_, operation_));
  return ok();
}

Result<Versioning> Bucket::versioning() const {
  const auto answer = client_.send(request("GET", {{"versioning", ""}}), call_, operation_);
  if (!answer) return answer.error();
  if (!answer->good()) {
    const Error error = answer_error(*answer, operation_, name_);
    if (error.code == ErrorCode::kUnsupported) return Versioning::kNever;
    return error;
  }
  const auto status = parse_versioning(answer->body, operation_);
  if (!status) return status.error();
  if (*status == "Enabled") return Versioning::kEnabled;
  if (*status == "Suspended") return Versioning::kSuspended;
  return Versioning::kNever;
}

Status Bucket::enable_versioning() const {
  const std::string body =
      "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status>"
      "</VersioningConfiguration>";
  Request enable = request("PUT", {{"versioning", ""}});
  enable.body = body;
  enable.headers = {kXml, "Content-MD5: " + md5_base64(body)};
  LAB_TRY(client_.demand(enable, call_, operation_));
  return ok();
}

Status Bucket::each_page(const std::function<Status(std::span<const ListedObject>)>& take) const {
  std::string token;
  while (true) {
    std::map<std::string, std::string> query{{"list-type", "2"}};
    if (!token.empty()) query["continuation-token"] = token;
    const auto answer = client_.demand(request("GET", std::move(query)), call_, operation_);
    if (!answer) return answer.error();
    auto page = parse_objects(answer->body, operation_);
    if (!page) return std::move(page).error();
    std::erase_if(page->objects, [](const ListedObject& object) { return object.key == kMarkerKey; });
    LAB_TRY(take(page->objects));
    if (page->next.empty()) return ok();
    if (page->next == token)
      return Error{ErrorCode::kCorruption, operation_, "the listing of " + name_ + " goes in circles"};
    token = page->next;
  }
}

Status Bucket::each_version_page(const std::function<Status(std::span<const ListedVersion>)>& take) const {
  VersionPage page;
  do {
    std::map<std::string, std::string> query{{"versions", ""}};
    if (!page.next_key.empty()) query["key-marker"] = page.next_key;
    if (!page.next_id.empty()) query["version-id-marker"] = page.next_id;
    const auto answer = client_.demand(request("GET", std::move(query)), call_, operation_);
    if (!answer) return answer.error();
    auto next = parse_versions(answer->body, operation_);
    if (!next) return std::move(next).error();
    if (next->more && next->next_key == page.next_key && next->next_id == page.next_id)
      return Error{ErrorCode::kCorruption, operation_, "the versions of " + name_ + " go in circles"};
    page = std::move(*next);
    LAB_TRY(take(page.versions));
  } while (page.more);
  return ok();
}

Status Bucket::remove(std::span<const ListedVersion> versions) const {
  if (versions.empty()) return ok();
  LAB_CHECK(versions.size() <= kDeleteMax, "one request takes 1,000 keys");
  const std::string body = delete_body(versions);
  Request remove = request("POST", {{"delete", ""}});
  remove.body = body;
  remove.headers = {kXml, "Content-MD5: " + md5_base64(body)};
  const auto answer = client_.demand(remove, call_, operation_);
  if (!answer) return answer.error();
  const auto outcome = parse_deleted(answer->body, operation_);
  if (!outcome) return outcome.error();
  if (outcome->failures.empty() && outcome->deleted == versions.size()) return ok();
  std::string detail =
      fmt::format("{} of {} keys of {} were deleted", outcome->deleted, versions.size(), name_);
  for (std::size_t shown = 0; shown < std::min(kFailuresShown, outcome->failures.size()); ++shown)
    detail += "; " + outcome->failures[shown];
  return Error{ErrorCode::kRefused, operation_, std::move(detail)};
}

Status Bucket::remove_objects() const {
  std::string first_before;
  while (true) {  // Always the first page: what it held is gone afterwards.
    const auto answer = client_.demand(request("GET", {{"list-type", "2"}}), call_, operation_);
    if (!answer) return answer.error();
    const auto page = parse_objects(answer->body, operation_);
    if (!page) return page.error();
    std::vector<ListedVersion> keys;
    for (const ListedObject& object : page->objects)
      if (object.key != kMarkerKey) keys.push_back({.key = object.key});
    if (keys.empty() && page->next.empty()) return ok();
    if (keys.empty() || keys.front().key == first_before)
      return Error{ErrorCode::kRefused, operation_, "deleted keys of " + name_ + " are still listed"};
    first_before = keys.front().key;
    for (std::size_t at = 0; at < keys.size(); at += kDeleteMax)
      LAB_TRY(remove(std::span(keys).subspan(at, std::min(kDeleteMax, keys.size() - at))));
  }
}

Status Bucket::remove_versions(const std::function<bool(const ListedVersion&)>& goes,
                               std::uint64_t& removed) const {
  std::vector<ListedVersion> gone;
  LAB_TRY(each_version_page([&](std::span<const ListedVersion> versions) -> Status {
    for (const ListedVersion& version : versions)
      if (goes(version)) gone.push_back(version);
    return ok();
  }));
  for (std::size_t at = 0; at < gone.size(); at += kDeleteMax) {
    const auto some = std::span(gone).subspan(at, std::min(kDeleteMax, gone.size() - at));
    LAB_TRY(remove(some));
    for (const ListedVersion& version : some) removed += version.key == kMarkerKey ? 0 : 1;
  }
  return ok();
}

Result<std::uint64_t> Bucket::remove_noncurrent() const {
  std::uint64_t removed = 0;
  // Versions before delete markers: without its marker the newest version of a deleted key would be current
  // again, and would stay so if we were stopped there.
  LAB_TRY(remove_versions([](const ListedVersion& version) { return !version.marker && !version.latest; },
                          removed));
  LAB_TRY(remove_versions([](const ListedVersion& version) { return version.marker; }, removed));
  return removed;
}

Status Bucket::empty() const {
  LAB_TRY(abort_uploads());
  const auto state = versioning();
  if (!state) return state.error();
  if (*state == Versioning::kNever) return remove_objects();
  std::uint64_t removed = 0;
  return remove_versions(
      [](const ListedVersion& version) {
        return version.key != kMarkerKey || version.marker || !version.latest;
      },
      removed);
}

Status Bucket::remove_marker() const {
  const auto state = versioning();
  if (!state) return state.error();
  std::uint64_t others = 0;
  if (*state != Versioning::kNever)
    return remove_versions([](const ListedVersion& version) { return version.key == kMarkerKey; }, others);
  const ListedVersion marker[] = {{.key = kMarkerKey}};
  return remove(marker);
}

Result<std::vector<ListedUpload>> Bucket::uploads() const {
  std::vector<ListedUpload> all;
  UploadPage page;
  do {
    std::map<std::string, std::string> query{{"uploads", ""}};
    if (!page.next_key.empty()) query["key-marker"] = page.next_key;
    if (!page.next_id.empty()) query["upload-id-marker"] = page.next_id;
    const auto answer = client_.demand(request("GET", std::move(query)), call_, operation_);
    if (!answer) return answer.error();
    auto next = parse_uploads(answer->body, operation_);
    if (!next) return std::move(next).error();
    if (next->more && next->next_key == page.next_key && next->next_id == page.next_id)
      return Error{ErrorCode::kCorruption, operation_, "the uploads of " + name_ + " go in circles"};
    page = std::move(*next);
    all.insert(all.end(), page.uploads.begin(), page.uploads.end());
  } while (page.more);
  return all;
}

Status Bucket::abort_uploads() const {
  const auto unfinished = uploads();
  if (!unfinished) return unfinished.error();
  for (const ListedUpload& upload : *unfinished) {
    Request abort = request("DELETE", {{"uploadId", upload.id}});
    abort.key = upload.key;
    const auto answer = client_.send(abort, call_, operation_);
    if (!answer) return answer.error();
    if (!answer->good() && answer->status != 404) return answer_error(*answer, operation_, upload.key);
  }
  return ok();
}

}  // namespace lab::minio
