// Session, driver and observer of the cas system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/cas/cas.hpp"

#include "driver/embedded_observer.hpp"
#include "drivers/cas/store.hpp"

namespace lab {
namespace {

DriverInfo cas_info() {
  return {.system = "cas",
          .variant = "default",
          .bulk_path = "writes the contents that are new, one syncfs, one append to the index",
          .durability = "fsync of content, folder and index",
          .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                           Capability::kDeleteLogical, Capability::kDeleteDrop, Capability::kMaintenance,
                           Capability::kReplace},
          .second_put = SecondPut::kReplace};
}

class CasDriver final : public Driver {
 public:
  explicit CasDriver(cas::Store& store) : store_(store) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.prove"));
    const auto data = has_entries(store_.data());
    if (!data) return data.error();
    return ok();
  }
  Status reset(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.reset"));
    return store_.reset(call);
  }
  Status put(const CallContext& call, const Object& object) override {
    return store_.put(call, std::span<const Object>(&object, 1));
  }
  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    LAB_TRY(allowed(call, "cas.put_batch"));
    return store_.put(call, objects);
  }
  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    return store_.read_all(call, sink);
  }
  Result<std::uint64_t> count(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.count"));
    return store_.figures().objects.load();
  }
  Status flush(const CallContext& call) override { return store_.sync(call); }
  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    return store_.get(call, {key.container, key.id});
  }
  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    return store_.erase(call, keys);
  }

  /// Logical: a tombstone for each object. Drop: the folder with contents and index is made anew.
  Status erase_all(const CallContext& call, DeleteAll how) override {
    if (how == DeleteAll::kLogical) return store_.erase_all(call);
    if (how == DeleteAll::kDrop) return reset(call);
    return unsupported(info_, to_string(how));
  }
  Result<MaintenanceOutcome> maintain(const CallContext& call) override {
    return store_.collect_garbage(call);
  }

 private:
  cas::Store& store_;
  DriverInfo info_ = cas_info();
};

class CasObserver final : public EmbeddedObserver {
 public:
  explicit CasObserver(const cas::Store& store) : EmbeddedObserver("cas", "1", store.data()), store_(store) {}

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.settings"));
    return std::map<std::string, std::string>{};
  }

  Result<std::vector<Counter>> activity(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.activity"));
    auto counters = file_system_counters(data());
    if (!counters) return counters;
    const auto add = [&](const char* name, const auto& value, const char* unit) {
      counters->push_back({name, static_cast<double>(value.load()), unit});
    };
    const cas::Store::Figures& now = store_.figures();
    add("objects", now.objects, "1");
    add("contents", now.contents, "1");
    add("content_bytes", now.content_bytes, "bytes");
    add("index_bytes", now.index_bytes, "bytes");
    add("duplicates_met", now.duplicates_met, "1");
    add("tombstones", now.tombstones, "1");
    return counters;
  }

  /// Lengths of the contents and of the index.
  Result<Footprint> footprint(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.footprint"));
    const Bytes payload{store_.figures().content_bytes.load()};
    const Bytes index{store_.figures().index_bytes.load()};
    return Footprint{.total = payload + index, .parts = {{"payload", payload}, {"index", index}}};
  }

  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    return *relative.begin() == "objects" ? FilePart::kPayload : FilePart::kIndex;
  }

 private:
  const cas::Store& store_;
};

class CasSession final : public Session {
 public:
  explicit CasSession(std::unique_ptr<cas::Store> store) : store_(std::move(store)) {}
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.open_driver"));
    return std::unique_ptr<Driver>(new CasDriver(*store_));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "cas.open_observer"));
    return std::unique_ptr<Observer>(new CasObserver(*store_));
  }

 private:
  std::unique_ptr<cas::Store> store_;
};

Result<std::unique_ptr<Session>> open_cas(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "cas.open"));
  LAB_TRY(resolve_config(cas_system(), config));
  auto home = EmbeddedHome::open(config.path, "cas", config.run_id);
  if (!home) return std::move(home).error();
  auto store = cas::Store::open(std::move(*home), config.containers);
  if (!store) return std::move(store).error();
  return std::unique_ptr<Session>(new CasSession(std::move(*store)));
}

Status remove_cas(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "cas.remove"));
  return EmbeddedHome::remove(config.path, "cas");
}

}  // namespace

SystemEntry cas_system() {
  return {.name = "cas",
          .what = "content-addressed files: the control where duplicates are free",
          .variants = {{"default", "SHA-256 of the whole object, one append-only index"}},
          .mechanisms = {{"ingestion", "full", "one file a content, found by its SHA-256"},
                         {"compaction", "missing", "nothing is written again"},
                         {"compression", "missing", "a file is the object's bytes"},
                         {"storage", "missing", "what a file system removes is below the files"}},
          .library = "POSIX files, SHA-256",
          .open = open_cas,
          .remove = remove_cas};
}

}  // namespace lab
