// The driver: objects in, objects out.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "driver/placed_id.hpp"
#include "driver/waiting.hpp"
#include "drivers/minio/objects.hpp"
#include "drivers/minio/session.hpp"
#include "drivers/minio/space.hpp"

namespace lab::minio {
namespace {

constexpr Millis kAskAgain{500};  // Between two looks at what maintenance_url has done,
constexpr int kInVainMax = 10;    // as often while nothing happens,
constexpr int kAskedMax = 200;    // and as often in all: on a server that others use files always change.

class MinioDriver final : public Driver {
 public:
  explicit MinioDriver(Shared& shared)
      : shared_(shared),
        info_(info_of(shared.setup)),
        client_(shared.setup.endpoint, shared.traffic, Client::Loss::kStays) {}

  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    LAB_TRY(client_.demand({.method = "HEAD", .bucket = setup().bucket(0)}, call, "minio.prove"));
    return ok();
  }

  Status reset(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.reset"));
    return minio::reset(client_, setup(), shared_.gate, call);
  }

  Status put(const CallContext& call, const Object& object) override {
    LAB_TRY(allowed(call, "minio.put"));
    LAB_TRY(check_container(object.container, setup().containers, "minio.put"));
    return put_object(client_, setup(), object, call, "minio.put");
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    LAB_TRY(allowed(call, "minio.put_batch"));
    for (const Object& object : objects)
      LAB_TRY(check_container(object.container, setup().containers, "minio.put_batch"));
    return put_objects(client_, setup(), shared_.traffic, objects, call, "minio.put_batch");
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    const char* operation = "minio.read_all";
    LAB_TRY(allowed(call, operation));
    return each_object(
        call, operation,
        [&](std::uint32_t container, const ObjectId& id, const ListedObject& listed) -> Status {
          LAB_TRY(allowed(call, operation));
          const auto payload =
              get_object(client_, setup().bucket(container), listed.key, listed.size, call, operation);
          if (!payload) return payload.error();
          return sink(id, container, as_bytes(*payload));
        });
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.count"));
    std::uint64_t objects = 0;
    LAB_TRY(
        each_object(call, "minio.count", [&](std::uint32_t, const ObjectId&, const ListedObject&) -> Status {
          ++objects;
          return ok();
        }));
    return objects;
  }

  /// An acknowledged object is where it belongs already; S3 knows no request that brings it further.
  Status flush(const CallContext& call) override { return allowed(call, "minio.flush"); }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    LAB_TRY(allowed(call, "minio.get"));
    LAB_TRY(check_container(key.container, setup().containers, "minio.get"));
    return get_object(client_, setup().bucket(key.container), key_of(key.id), std::nullopt, call,
                      "minio.get");
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) {
      LAB_TRY(allowed(call, "minio.erase"));
      LAB_TRY(check_container(key.container, setup().containers, "minio.erase"));
      LAB_TRY(delete_object(client_, setup().bucket(key.container), key_of(key.id), call, "minio.erase"));
    }
    return allowed(call, "minio.erase");
  }

  Status erase_all(const CallContext& call, DeleteAll how) override {
    if (how == DeleteAll::kTruncate || (how == DeleteAll::kDrop && !setup().space.create))
      return unsupported(info_, to_string(how));
    const char* operation = how == DeleteAll::kDrop ? "minio.delete_drop" : "minio.delete_logical";
    LAB_TRY(allowed(call, operation));
    if (how == DeleteAll::kDrop) return drop_and_make(client_, setup(), shared_.gate, call, operation);
    for (std::uint32_t container = 0; container < setup().containers; ++container)
      LAB_TRY(Bucket(client_, setup().bucket(container), call, operation).remove_objects());
    return ok();
  }

  Result<MaintenanceOutcome> maintain(const CallContext& call) override {
    if (!info_.has(Capability::kMaintenance)) return unsupported(info_, "maintain");
    LAB_TRY(allowed(call, "minio.maintain"));
    MaintenanceOutcome outcome;
    if (setup().versioned) LAB_TRY(remove_noncurrent(call, outcome));
    if (!setup().maintenance_url.empty()) LAB_TRY(ask_for_maintenance(call, outcome));
    return outcome;
  }

 private:
  const Setup& setup() const noexcept { return shared_.setup; }

  template <class Take>
  Status each_object(const CallContext& call, const char* operation, Take&& take) {
    for (std::uint32_t container = 0; container < setup().containers; ++container) {
      const Bucket bucket(client_, setup().bucket(container), call, operation);
      const Status read = bucket.each_page([&](std::span<const ListedObject> page) -> Status {
        for (const ListedObject& listed : page) {
          const auto id = id_of_key(listed.key);
          if (!id)
            return Error{ErrorCode::kCorruption, operation,
                         fmt::format("{}/{} is not of the lab", bucket.name(), listed.key)};
          LAB_TRY(take(container, *id, listed));
        }
        return ok();
      });
      if (!read) return read;
    }
    return ok();
  }

  Status remove_noncurrent(const CallContext& call, MaintenanceOutcome& outcome) {
    std::uint64_t removed = 0;
    for (std::uint32_t container = 0; container < setup().containers; ++container) {
      const auto some =
          Bucket(client_, setup().bucket(container), call, "minio.maintain").remove_noncurrent();
      if (!some) return some.error();
      removed += *some;
    }
    outcome.what = fmt::format("deleted {} noncurrent versions and delete markers", removed);
    outcome.worked = removed > 0;
    return ok();
  }

  /// Some servers only begin with a deletion when they acknowledge it (SeaweedFS: its filer lets go of the
  /// data a second later), so it is asked for until it has done something and then has nothing left to do.
  Status ask_for_maintenance(const CallContext& call, MaintenanceOutcome& outcome) const {
    HttpClient http({.ca_file = setup().endpoint.http.ca_file});
    int asked = 0;
    int in_vain = 0;
    bool worked = false;
    LAB_TRY(poll_until(call, kAskAgain, "minio.maintain", [&]() -> Result<bool> {
      const auto changed = ask_once(http, call);
      if (!changed) return changed.error();
      worked = worked || *changed;
      in_vain += *changed ? 0 : 1;
      return ++asked >= kAskedMax || (worked ? !*changed : in_vain >= kInVainMax);
    }));
    if (!outcome.what.empty()) outcome.what += "; ";
    outcome.what += fmt::format("asked for maintenance_url {} times", asked);
    outcome.worked = outcome.worked || worked;
    return ok();
  }

  /// Whether it changed files. Our credentials are not sent there.
  Result<bool> ask_once(HttpClient& http, const CallContext& call) const {
    const auto before = tree_state(setup().directory);
    if (!before) return before.error();
    const auto answer = http.send({.url = setup().maintenance_url}, call, "minio.maintain");
    if (!answer) return answer.error();
    if (!answer->good())
      return Error{
          ErrorCode::kRefused, "minio.maintain",
          fmt::format("HTTP {} of maintenance_url: {}", answer->status, answer->body.substr(0, 300))};
    const auto after = tree_state(setup().directory);
    if (!after) return after.error();
    return after->files != before->files || after->allocated < before->allocated;
  }

  Shared& shared_;
  DriverInfo info_;
  Client client_;
};

}  // namespace

Result<std::unique_ptr<Driver>> open_driver(Shared& shared, const CallContext& call) {
  auto driver = std::make_unique<MinioDriver>(shared);
  LAB_TRY(driver->prove(call));
  return std::unique_ptr<Driver>(std::move(driver));
}

}  // namespace lab::minio
