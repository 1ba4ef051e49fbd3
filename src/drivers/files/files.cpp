// Session, driver and observer of the files system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/files/files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "core/files.hpp"
#include "driver/embedded_home.hpp"
#include "driver/embedded_observer.hpp"
#include "driver/placed_id.hpp"
#include "drivers/files/object_files.hpp"
#include "model/uuid.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// What the connections of one session have in common. Thread-safe: the folder is the store, the kernel its
/// lock.
struct Store {
  EmbeddedHome home;
  std::uint32_t containers = 1;
  std::atomic<std::uint64_t> files_written{0};
  std::atomic<std::uint64_t> bytes_written{0};
  std::atomic<std::uint64_t> files_removed{0};
  std::atomic<std::uint64_t> syncs{0};

  Store(EmbeddedHome opened, std::uint32_t count) : home(std::move(opened)), containers(count) {}
  fs::path folder(std::uint32_t container) const { return home.data() / fmt::format("c{}", container); }

  Status make_folders() const {
    for (std::uint32_t container = 0; container < containers; ++container)
      LAB_TRY(make_directories(folder(container)));
    return sync_directory(home.data());
  }
};

DriverInfo files_info() {
  return {.system = "files",
          .variant = "default",
          .bulk_path = "writes all files, renames them, then one syncfs",
          .durability = "fsync of file and folder",
          .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                           Capability::kDeleteDrop, Capability::kReplace},
          .second_put = SecondPut::kReplace};
}

class FilesDriver final : public Driver {
 public:
  explicit FilesDriver(Store& store) : store_(store) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status prove(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.prove"));
    const auto data = has_entries(store_.home.data());
    if (!data) return data.error();
    return ok();
  }

  Status reset(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.reset"));
    LAB_TRY(store_.home.empty_data(call));
    return store_.make_folders();
  }

  /// A reader sees the old file or the new one: temporary file, fsync, rename, fsync of the folder.
  Status put(const CallContext& call, const Object& object) override {
    LAB_TRY(allowed(call, "files.put"));
    LAB_TRY(check_container(object.container, store_.containers, "files.put"));
    LAB_TRY(write_temporary(call, object, true));
    LAB_TRY(publish(object));
    return sync_folder(object.container);
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    LAB_TRY(allowed(call, "files.put_batch"));
    for (const Object& object : objects)
      LAB_TRY(check_container(object.container, store_.containers, "files.put_batch"));
    std::size_t written = 0;
    for (; written < objects.size(); ++written) {
      Status status = allowed(call, "files.put_batch");
      if (status) status = write_temporary(call, objects[written], false);
      if (status) continue;
      // Nothing has its name yet: a batch that fails here leaves no object.
      for (const Object& object : objects.first(written)) ::unlink(temporary_path(object).c_str());
      return status;
    }
    for (const Object& object : objects) LAB_TRY(publish(object));
    return sync_all();
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    LAB_TRY(allowed(call, "files.read_all"));
    for (std::uint32_t container = 0; container < store_.containers; ++container)
      LAB_TRY(files::visit_entries(call, store_.folder(container), [&](const fs::path& path) -> Status {
        const auto id = parse_uuid(path.filename().string());
        if (!id) return ok();
        const auto payload = read_file(path, Bytes{INT64_MAX});
        if (!payload) return payload.error();
        return sink(*id, container, as_bytes(*payload));
      }));
    return ok();
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.count"));
    std::uint64_t objects = 0;
    for (std::uint32_t container = 0; container < store_.containers; ++container)
      LAB_TRY(files::visit_entries(call, store_.folder(container), [&](const fs::path& path) -> Status {
        if (parse_uuid(path.filename().string())) ++objects;
        return ok();
      }));
    return objects;
  }

  Status flush(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.flush"));
    return sync_all();
  }

  Result<std::string> get(const CallContext& call, const ObjectKey& key) override {
    LAB_TRY(allowed(call, "files.get"));
    LAB_TRY(check_container(key.container, store_.containers, "files.get"));
    return read_file(path_of(key.container, key.id), Bytes{INT64_MAX});
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) {
      LAB_TRY(allowed(call, "files.erase"));
      LAB_TRY(check_container(key.container, store_.containers, "files.erase"));
      LAB_TRY(unlink_file(path_of(key.container, key.id)));
    }
    for (std::uint32_t container = 0; container < store_.containers; ++container)
      for (const ObjectKey& key : keys)
        if (key.container == container) {
          LAB_TRY(sync_folder(container));
          break;
        }
    return allowed(call, "files.erase");
  }

  /// Drop: the containers' folders with all in them are removed and made anew.
  Status erase_all(const CallContext& call, DeleteAll how) override {
    if (how != DeleteAll::kDrop) return unsupported(info_, to_string(how));
    LAB_TRY(allowed(call, "files.delete_drop"));
    for (std::uint32_t container = 0; container < store_.containers; ++container) {
      LAB_TRY(files::visit_entries(call, store_.folder(container),
                                   [&](const fs::path& path) { return unlink_file(path); }));
      LAB_TRY(remove_tree(store_.folder(container)));
    }
    return store_.make_folders();
  }

 private:
  fs::path path_of(std::uint32_t container, const ObjectId& id) const {
    return store_.folder(container) / format_uuid(id);
  }
  fs::path temporary_path(const Object& object) const {
    return store_.folder(object.container) / (".tmp-" + format_uuid(object.id));
  }

  Status write_temporary(const CallContext& call, const Object& object, bool sync) {
    LAB_TRY(files::write_object(call, temporary_path(object), object.payload, sync));
    store_.bytes_written += object.payload.size();
    store_.syncs += sync ? 1 : 0;
    return ok();
  }

  Status publish(const Object& object) {
    const fs::path path = path_of(object.container, object.id);
    if (::rename(temporary_path(object).c_str(), path.c_str()) != 0)
      return errno_error("files.rename", path.string(), errno);
    store_.files_written += 1;
    return ok();
  }

  Status unlink_file(const fs::path& path) {
    if (::unlink(path.c_str()) != 0) return errno_error("files.unlink", path.string(), errno);
    store_.files_removed += 1;
    return ok();
  }

  Status sync_folder(std::uint32_t container) {
    store_.syncs += 1;
    return sync_directory(store_.folder(container));
  }

  Status sync_all() {
    store_.syncs += 1;
    return sync_file_system(store_.home.data());
  }

  Store& store_;
  DriverInfo info_ = files_info();
};

class FilesObserver final : public EmbeddedObserver {
 public:
  explicit FilesObserver(const Store& store)
      : EmbeddedObserver("files", "1", store.home.data()), store_(store) {}

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.settings"));
    return std::map<std::string, std::string>{};
  }

  Result<std::vector<Counter>> activity(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.activity"));
    auto counters = file_system_counters(data());
    if (!counters) return counters;
    const auto add = [&](const char* name, const std::atomic<std::uint64_t>& value, const char* unit) {
      counters->push_back({name, static_cast<double>(value.load()), unit});
    };
    add("files_written", store_.files_written, "1");
    add("bytes_written", store_.bytes_written, "bytes");
    add("files_removed", store_.files_removed, "1");
    add("syncs", store_.syncs, "1");
    return counters;
  }

  std::optional<FilePart> part_of(const fs::path& /*relative*/) const override { return FilePart::kPayload; }

 private:
  const Store& store_;
};

class FilesSession final : public Session {
 public:
  FilesSession(EmbeddedHome home, std::uint32_t containers) : store_(std::move(home), containers) {}
  Status prepare() const { return store_.make_folders(); }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.open_driver"));
    return std::unique_ptr<Driver>(new FilesDriver(store_));
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "files.open_observer"));
    return std::unique_ptr<Observer>(new FilesObserver(store_));
  }

 private:
  Store store_;
};

Result<std::unique_ptr<Session>> open_files(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "files.open"));
  LAB_TRY(resolve_config(files_system(), config));
  auto home = EmbeddedHome::open(config.path, "files", config.run_id);
  if (!home) return std::move(home).error();
  auto session = std::make_unique<FilesSession>(std::move(*home), config.containers);
  LAB_TRY(session->prepare());
  return std::unique_ptr<Session>(std::move(session));
}

Status remove_files(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "files.remove"));
  return EmbeddedHome::remove(config.path, "files");
}

}  // namespace

SystemEntry files_system() {
  return {.name = "files",
          .what = "one plain file an object: the control where each duplicate is paid in full",
          .variants = {{"default", "temporary file, fsync, rename, fsync of the folder"}},
          .mechanisms = {{"ingestion", "missing", "one inode an object"},
                         {"compaction", "missing", "nothing is written again"},
                         {"compression", "missing", "a file is the object's bytes"},
                         {"storage", "missing", "what a file system removes is below the files"}},
          .library = "POSIX files",
          .has_engine = false,
          .open = open_files,
          .remove = remove_files};
}

}  // namespace lab
