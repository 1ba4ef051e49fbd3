// Session, driver and observer of the null system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/null/null.hpp"

#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/text.hpp"
#include "driver/embedded_observer.hpp"
#include "driver/placed_id.hpp"

namespace lab {
namespace {

using Payload = std::shared_ptr<const std::string>;  // Shared, so that a reader does not hold the lock.
using Batch = std::vector<std::pair<PlacedId, Payload>>;

/// Thread-safe.
class Store {
 public:
  Store(Bytes limit, std::uint32_t containers) : limit_(limit), containers_(containers) {}

  std::uint32_t containers() const noexcept { return containers_; }

  Error full() const {
    return {ErrorCode::kResourceExhausted, "null.put",
            "memory beyond max_bytes = " + format_bytes_exact(limit_)};
  }
  Bytes room() const {
    const std::lock_guard lock(mutex_);
    return limit_ - held_;
  }

  /// All or nothing.
  Status put(Batch batch) {
    const std::lock_guard lock(mutex_);
    Bytes grown = held_;
    for (const auto& [key, payload] : batch) grown += Bytes{std::ssize(*payload)};
    if (grown > limit_) return full();
    for (auto& [key, payload] : batch) {
      const Bytes size{std::ssize(*payload)};
      Payload& slot = objects_[key];
      if (slot) held_ = held_ - Bytes{std::ssize(*slot)};
      held_ += size;
      slot = std::move(payload);
      ++puts_;
    }
    return ok();
  }

  Result<Payload> get(const PlacedId& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Error{ErrorCode::kNotFound, "null.get", format_uuid(key.id)};
    return found->second;
  }

  Status erase(std::span<const ObjectKey> keys) {
    const std::lock_guard lock(mutex_);
    for (const ObjectKey& key : keys) {
      const auto found = objects_.find(PlacedId{key.container, key.id});
      if (found == objects_.end()) return Error{ErrorCode::kNotFound, "null.erase", format_uuid(key.id)};
      held_ = held_ - Bytes{std::ssize(*found->second)};
      objects_.erase(found);
      ++erasures_;
    }
    return ok();
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    objects_.clear();
    held_ = {};
  }

  Batch all() const {
    const std::lock_guard lock(mutex_);
    return {objects_.begin(), objects_.end()};
  }

  struct Figures {
    std::uint64_t objects = 0;
    Bytes held{};
    std::uint64_t puts = 0;
    std::uint64_t erasures = 0;
  };
  Figures figures() const {
    const std::lock_guard lock(mutex_);
    return {objects_.size(), held_, puts_, erasures_};
  }

 private:
  const Bytes limit_;
  const std::uint32_t containers_;
  mutable std::mutex mutex_{};
  std::unordered_map<PlacedId, Payload, PlacedIdHash> objects_{};
  Bytes held_{};
  std::uint64_t puts_ = 0;
  std::uint64_t erasures_ = 0;
};

DriverInfo null_info() {
  return {.system = "null",
          .variant = "default",
          .bulk_path = "copies into a hash table in memory",
          .durability = "none: nothing is on disk",
          .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                           Capability::kDeleteLogical, Capability::kDeleteTruncate, Capability::kDeleteDrop,
                           Capability::kReplace},
          .second_put = SecondPut::kReplace};
}

class NullDriver final : public Driver {
 public:
  explicit NullDriver(Store& store) : store_(store) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override { return allowed(call, "null.prove"); }

  Status reset(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.reset"));
    store_.clear();
    return ok();
  }

  Status put(const CallContext& call, const Object& object) override {
    return put_batch(call, std::span<const Object>(&object, 1));
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    Batch batch;
    Bytes left = store_.room();
    for (const Object& object : objects) {
      LAB_TRY(allowed(call, "null.put"));
      LAB_TRY(check_container(object.container, store_.containers(), "null.put"));
      left = left - Bytes{std::ssize(object.payload)};
      if (left < Bytes{0}) return store_.full();
      batch.emplace_back(PlacedId{object.container, object.id},
                         std::make_shared<const std::string>(as_text(object.payload)));
    }
    return store_.put(std::move(batch));
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    for (const auto& [key, payload] : store_.all()) {
      LAB_TRY(allowed(call, "null.read_all"));
      LAB_TRY(sink(key.id, key.container, as_bytes(*payload)));
    }
    return allowed(call, "null.read_all");
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.count"));
    return store_.figures().objects;
  }

  Status flush(const CallContext& call) override { return allowed(call, "null.flush"); }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    LAB_TRY(allowed(call, "null.get"));
    const auto payload = store_.get({key.container, key.id});
    if (!payload) return payload.error();
    return std::string(**payload);
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    LAB_TRY(allowed(call, "null.erase"));
    return store_.erase(keys);
  }

  Status erase_all(const CallContext& call, DeleteAll /*how*/) override {
    LAB_TRY(allowed(call, "null.erase_all"));
    store_.clear();
    return ok();
  }

 private:
  Store& store_;
  DriverInfo info_ = null_info();
};

class NullObserver final : public EmbeddedObserver {
 public:
  explicit NullObserver(const Store& store) : EmbeddedObserver("null", "1", {}), store_(store) {}

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.settings"));
    return std::map<std::string, std::string>{};
  }

  Result<std::vector<Counter>> activity(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.activity"));
    const Store::Figures now = store_.figures();
    return std::vector<Counter>{{"objects", static_cast<double>(now.objects), "1"},
                                {"memory", static_cast<double>(now.held.count), "bytes"},
                                {"puts", static_cast<double>(now.puts), "1"},
                                {"erasures", static_cast<double>(now.erasures), "1"}};
  }

  /// Payload bytes held in memory.
  Result<Footprint> footprint(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.footprint"));
    const Bytes held = store_.figures().held;
    return Footprint{.total = held, .parts = {{"payload", held}}};
  }

  std::optional<FilePart> part_of(const std::filesystem::path& /*relative*/) const override {
    return std::nullopt;
  }
  Bytes quantum() const override { return Bytes{1}; }

 private:
  const Store& store_;
};

class NullSession final : public Session {
 public:
  NullSession(Bytes limit, std::uint32_t containers) : store_(limit, containers) {}
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.open_driver"));
    return std::unique_ptr<Driver>(new NullDriver(store_));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "null.open_observer"));
    return std::unique_ptr<Observer>(new NullObserver(store_));
  }

 private:
  Store store_;
};

Result<Bytes> limit_of(const SystemConfig& config) {
  LAB_TRY(resolve_config(null_system(), config));
  const auto option = config.options.find("max_bytes");
  if (option == config.options.end()) return 1_GiB;
  auto parsed = parse_bytes(option->second);
  if (!parsed) return bad_option(option->first, option->second, ": " + parsed.error().detail);
  return parsed;
}

Status check_null(const SystemConfig& config) {
  LAB_TRY(limit_of(config));
  return ok();
}

Result<std::unique_ptr<Session>> open_null(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "null.open"));
  const auto limit = limit_of(config);
  if (!limit) return limit.error();
  return std::unique_ptr<Session>(new NullSession(*limit, config.containers));
}

Status remove_null(const SystemConfig& /*config*/, const CallContext& call) {
  return allowed(call, "null.remove");
}

}  // namespace

SystemEntry null_system() {
  return {.name = "null",
          .what = "objects in memory, nothing on disk: measures the instrument itself",
          .variants = {{"default", "a hash table"}},
          .options = {"max_bytes"},
          .mechanisms = {{"ingestion", "missing", "each object has its own bytes in memory"},
                         {"compaction", "missing", "nothing is written again"},
                         {"compression", "missing", "objects as they are"},
                         {"storage", "missing", "nothing is stored"}},
          .library = "null",
          .has_files = false,
          .check = check_null,
          .open = open_null,
          .remove = remove_null};
}

}  // namespace lab
