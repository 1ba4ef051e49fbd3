// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/marker.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "core/text.hpp"

namespace lab::minio {
namespace {

constexpr std::string_view kFirstLine =
    "deduplab: what is in this bucket is the lab's, and is deleted by its next run";
constexpr std::string_view kHolder = "held by: ";
constexpr std::int64_t kMarkerMax = 4'096;

Request of_marker(std::string method, const std::string& bucket) {
  return {.method = std::move(method), .bucket = bucket, .key = kMarkerKey};
}

std::string header(const HttpAnswer& answer, const char* name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "" : found->second;
}

class MarkerLock final : public LockStore {
 public:
  MarkerLock(const Setup& setup, Traffic& traffic, Gate& gate)
      : bucket_(setup.bucket(0)), client_(setup.endpoint, traffic, Client::Loss::kHeals), gate_(gate) {}

  Result<std::optional<LockState>> read(const CallContext& call) override {
    const auto marker = read_marker(client_, bucket_, call, "minio.lock");
    if (!marker) return marker.error();
    if (!*marker) return std::optional<LockState>();
    return std::optional((*marker)->lock());
  }

  Result<bool> write(const CallContext& call, const std::optional<std::string>& expected,
                     const std::string& run_id) override {
    const auto pass = gate_.enter_shared(call, "minio.lock");
    if (!pass) return pass.error();
    const auto marker = read_marker(client_, bucket_, call, "minio.lock");
    if (!marker) return marker.error();
    // Without a marker the bucket is not ours any more; it is not for a heartbeat to claim it.
    if (!*marker || (*marker)->holder != expected.value_or("")) return false;
    return write_marker(client_, bucket_, *marker, run_id, call, "minio.lock");
  }

 private:
  std::string bucket_;
  Client client_;
  Gate& gate_;
};

}  // namespace

std::string marker_text(const std::string& holder) {
  return fmt::format("{}\n{}{}\n", kFirstLine, kHolder, holder);
}

std::optional<std::string> parse_marker(std::string_view text) {
  const auto lines = split(text, '\n');
  if (lines.size() < 2 || lines[0] != kFirstLine || !lines[1].starts_with(kHolder)) return std::nullopt;
  return lines[1].substr(kHolder.size());
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  std::array<char, 4> month{};
  const std::string copy(text);
  // NOLINTNEXTLINE(cert-err34-c): the count of fields and their ranges are checked below.
  const int fields = std::sscanf(copy.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &parts.tm_mday,
                                 month.data(), &parts.tm_year, &parts.tm_hour, &parts.tm_min, &parts.tm_sec);
  if (fields != 6 || !text.ends_with("GMT")) return std::nullopt;
  const auto* const found = std::find(kMonths.begin(), kMonths.end(), std::string_view(month.data()));
  if (found == kMonths.end()) return std::nullopt;
  parts.tm_mon = static_cast<int>(found - kMonths.begin());
  parts.tm_year -= 1900;
  return static_cast<std::int64_t>(::timegm(&parts));
}

Result<std::optional<Marker>> read_marker(Client& client, const std::string& bucket, const CallContext& call,
                                          const char* operation) {
  Request request = of_marker("GET", bucket);
  request.body_max = kMarkerMax;
  const auto answer = client.send(request, call, operation);
  if (!answer && answer.error().code != ErrorCode::kResourceExhausted) return answer.error();
  if (answer && answer->status == 404 && code_of(*answer) != "NoSuchBucket") return std::optional<Marker>();
  if (answer && !answer->good()) return answer_error(*answer, operation, bucket + "/" + kMarkerKey);
  const auto holder = answer ? parse_marker(answer->body) : std::nullopt;
  if (!holder)
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("{}/{} is not the lab's: the bucket is left as it is", bucket, kMarkerKey)};
  const auto written = parse_http_date(header(*answer, "last-modified"));
  const auto now = parse_http_date(header(*answer, "date"));
  if (!written || !now)
    return Error{ErrorCode::kUnsupported, operation,
                 "the server tells no Date or Last-Modified, from which the age of the lock is known"};
  return std::optional<Marker>(Marker{.holder = *holder,
                                      .etag = header(*answer, "etag"),
                                      .version_id = header(*answer, "x-amz-version-id"),
                                      .age = Millis{(*now - *written) * 1'000}});
}

Result<bool> write_marker(Client& client, const std::string& bucket, const std::optional<Marker>& expected,
                          const std::string& holder, const CallContext& call, const char* operation) {
  const std::string text = marker_text(holder);
  Request request = of_marker("PUT", bucket);
  request.body = text;
  request.headers = {"Content-Type: text/plain",
                     expected ? "If-Match: " + expected->etag : "If-None-Match: *"};
  auto answer = client.send(request, call, operation);
  if (!answer) return answer.error();
  if (answer->status == 412 || answer->status == 409) return false;
  if (answer->status == 501) {  // No conditional writes: write, and see below who was last.
    request.headers.pop_back();
    answer = client.demand(request, call, operation);
    if (!answer) return answer.error();
  }
  if (!answer->good()) return answer_error(*answer, operation, bucket + "/" + kMarkerKey);
  if (expected && !expected->version_id.empty() && expected->version_id != "null") {
    Request old = of_marker("DELETE", bucket);
    old.query["versionId"] = expected->version_id;
    LAB_TRY(client.demand(old, call, operation));
  }
  // Servers without conditional writes ignore the condition in silence.
  const auto now = read_marker(client, bucket, call, operation);
  if (!now) return now.error();
  return *now && (*now)->holder == holder;
}

std::unique_ptr<LockStore> lock_store(const Setup& setup, Traffic& traffic, Gate& gate) {
  return std::make_unique<MarkerLock>(setup, traffic, gate);
}

}  // namespace lab::minio
