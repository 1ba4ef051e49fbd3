// The observer: what S3 tells about a server, which is little, and where its files are.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/bucket.hpp"
#include "drivers/minio/server.hpp"
#include "drivers/minio/session.hpp"

namespace lab::minio {
namespace {

constexpr Bytes kBlock = 4_KiB;  // Of the file system below: no server we know allocates in larger steps.

class MinioObserver final : public Observer {
 public:
  explicit MinioObserver(Shared& shared)
      : shared_(shared), client_(shared.setup.endpoint, shared.traffic, Client::Loss::kHeals) {}

  Result<ServerIdentity> identity(const CallContext& call) override {
    const auto answer = client_.send({}, call, "minio.identity");
    if (!answer) return answer.error();
    if (!answer->good() && answer->status != 403)
      return answer_error(*answer, "minio.identity", "the service");
    return identity_of(*answer, setup().endpoint);
  }

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.settings"));
    const auto pass = shared_.gate.enter_shared(call, "minio.settings");  // Not while buckets are made anew.
    if (!pass) return pass.error();
    std::map<std::string, std::string> differing{{"addressing", "path"}};
    if (!setup().endpoint.tls) differing["tls"] = "off";
    if (setup().endpoint.region != "us-east-1") differing["region"] = setup().endpoint.region;
    differing["multipart_above"] = format_bytes_exact(Bytes{setup().multipart_above});
    differing["parallel"] = std::to_string(setup().parallel);
    if (shared_.layout) differing["layout"] = to_string(*shared_.layout);
    const auto versioning = bucket(call, "minio.settings").versioning();
    if (!versioning) return versioning.error();
    if (*versioning == Versioning::kEnabled) differing["bucket_versioning"] = "Enabled";
    if (*versioning == Versioning::kSuspended) differing["bucket_versioning"] = "Suspended";
    LAB_TRY(add_encryption(call, differing));
    return differing;
  }

  /// What a server does behind S3 it does not show. Uploads that are not finished are all that S3 lists.
  Result<std::map<std::string, double>> busy(const CallContext& call) override {
    const auto pass = shared_.gate.enter_shared(call, "minio.busy");  // Not while buckets are made anew.
    if (!pass) return pass.error();
    double unfinished = 0;
    for (std::uint32_t container = 0; container < setup().containers; ++container) {
      const auto uploads = Bucket(client_, setup().bucket(container), call, "minio.busy").uploads();
      if (!uploads) return uploads.error();
      unfinished += static_cast<double>(uploads->size());
    }
    return std::map<std::string, double>{{"unfinished_uploads", unfinished}};
  }

  /// S3 has no counters: these are the requests of this session and the bytes of their bodies.
  Result<std::vector<Counter>> activity(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.activity"));
    const auto value = [](const std::atomic<std::uint64_t>& counter) {
      return static_cast<double>(counter.load());
    };
    const Traffic& traffic = shared_.traffic;
    return std::vector<Counter>{{"s3_requests", value(traffic.requests), "1"},
                                {"s3_requests_refused", value(traffic.refused), "1"},
                                {"s3_bytes_sent", value(traffic.bytes_sent), "bytes"},
                                {"s3_bytes_received", value(traffic.bytes_received), "bytes"}};
  }

  Result<Footprint> footprint(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.footprint"));
    return Error{ErrorCode::kUnsupported, "minio.footprint",
                 "S3 has no physical figure: what it tells of a bucket is the sum of its objects' lengths"};
  }

  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.directories"));
    if (!shared_.layout) return std::vector<std::filesystem::path>{};
    return std::vector<std::filesystem::path>{setup().directory};
  }

  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    if (!shared_.layout) return std::nullopt;
    return minio::part_of(*shared_.layout, setup().space.name, relative);
  }

  Bytes quantum() const override { return kBlock; }

  Result<double> copies(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.copies"));
    return shared_.copies;
  }

  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.statement_seconds"));
    return std::map<std::string, double>{};
  }

 private:
  const Setup& setup() const noexcept { return shared_.setup; }
  Bucket bucket(const CallContext& call, const char* operation) {
    return {client_, setup().bucket(0), call, operation};
  }

  /// Encrypted copies differ below, so it belongs to a result. Servers without encryption say so in many
  /// ways.
  Status add_encryption(const CallContext& call, std::map<std::string, std::string>& differing) {
    const auto answer =
        client_.send({.bucket = setup().bucket(0), .query = {{"encryption", ""}}}, call, "minio.settings");
    if (!answer) return answer.error();
    if (answer->status == 403) differing["bucket_encryption"] = "not allowed to be read";
    if (!answer->good()) return ok();
    const std::string algorithm = parse_encryption(answer->body);
    if (!algorithm.empty()) differing["bucket_encryption"] = algorithm;
    return ok();
  }

  Shared& shared_;
  Client client_;
};

}  // namespace

std::unique_ptr<Observer> make_observer(Shared& shared) { return std::make_unique<MinioObserver>(shared); }

}  // namespace lab::minio
