// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/driver.hpp"

#include <fmt/format.h>

namespace lab::redis {
namespace {

const char* bulk_words(LayoutKind layout) {
  switch (layout) {
    case LayoutKind::kString:
      return "pipelined SET in MULTI/EXEC of up to 4 MiB";
    case LayoutKind::kHash:
      return "pipelined HSET in MULTI/EXEC of up to 4 MiB";
    case LayoutKind::kNative:
      return "pipelined HSET or SET in MULTI/EXEC of up to 4 MiB";
    case LayoutKind::kStream:
      return "pipelined XADD in MULTI/EXEC of up to 4 MiB";
  }
  return "";
}

DriverInfo info_of(const Site& site, const Layout& layout) {
  return {.system = "redis",
          .variant = site.setup.variant,
          .bulk_path = bulk_words(site.setup.layout),
          .durability = site.setup.aof
                            ? "fsync of the append-only file before the answer (appendfsync always)"
                            : "in the server's memory; on disk after the stage's flush, a BGSAVE",
          .capabilities = layout.capabilities(),
          .second_put = layout.second_put(),
          .background_work = true,
          .object_size_max = site.object_size_max};
}

}  // namespace

RedisDriver::RedisDriver(const Site& site, std::unique_ptr<Link> link)
    : site_(site),
      link_(std::move(link)),
      layout_(make_layout(site.setup.layout, site.space, site.containers, site.setup.schema)),
      info_(info_of(site, *layout_)) {}

Status RedisDriver::prove(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.prove"));
  LAB_TRY(link_->ask(call, "redis.prove", {"PING"}));
  return ok();
}

Status RedisDriver::reset(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.reset"));
  LAB_TRY(check_held(*link_, call, "redis.reset", site_.space, site_.run_id));
  LAB_TRY(check_settings(*link_, call, "redis.reset", site_));
  LAB_TRY(wipe(*link_, call, "redis.reset", site_.space));
  const auto written = persist(*link_, call, "redis.reset", site_);
  if (!written) return written.error();
  return ok();
}

Status RedisDriver::put(const CallContext& call, const Object& object) {
  LAB_TRY(link_->begin(call, "redis.put"));
  LAB_TRY(check_container(object.container, site_.containers, "redis.put"));
  return layout_->put(*link_, call, object);
}

Status RedisDriver::put_batch(const CallContext& call, std::span<const Object> objects) {
  LAB_TRY(link_->begin(call, "redis.put_batch"));
  for (const Object& object : objects)
    LAB_TRY(check_container(object.container, site_.containers, "redis.put_batch"));
  LAB_TRY(check_records(site_.setup.schema, objects, "redis.put_batch"));
  return layout_->put_batch(*link_, call, objects);
}

Status RedisDriver::read_all(const CallContext& call, const ObjectSink& sink) {
  LAB_TRY(link_->begin(call, "redis.read_all"));
  return layout_->read_all(*link_, call, sink);
}

Result<std::uint64_t> RedisDriver::count(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.count"));
  return layout_->count(*link_, call);
}

Status RedisDriver::flush(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.flush"));
  LAB_TRY(check_settings(*link_, call, "redis.flush", site_));
  if (!site_.setup.aof) {
    const auto written = persist(*link_, call, "redis.flush", site_);
    if (!written) return written.error();
    return ok();
  }
  const auto info = ask_info(*link_, call, "redis.flush", "persistence");
  if (!info) return info.error();
  if (number_of(*info, "aof_enabled") == 1 && word_of(*info, "aof_last_write_status") == "ok") return ok();
  return Error{ErrorCode::kIo, "redis.flush",
               fmt::format("the append-only file is not written: aof_enabled {}, aof_last_write_status {}",
                           word_of(*info, "aof_enabled"), word_of(*info, "aof_last_write_status"))};
}

Result<std::string> RedisDriver::get(const CallContext& call, const ObjectKey& key) {
  LAB_TRY(link_->begin(call, "redis.get"));
  LAB_TRY(check_container(key.container, site_.containers, "redis.get"));
  return layout_->get(*link_, call, key);
}

Status RedisDriver::erase(const CallContext& call, std::span<const ObjectKey> keys) {
  LAB_TRY(link_->begin(call, "redis.erase"));
  for (const ObjectKey& key : keys) LAB_TRY(check_container(key.container, site_.containers, "redis.erase"));
  return layout_->erase(*link_, call, keys);
}

Status RedisDriver::erase_all(const CallContext& call, DeleteAll how) {
  LAB_TRY(link_->begin(call, "redis.erase_all"));
  const Capability needed = how == DeleteAll::kLogical    ? Capability::kDeleteLogical
                            : how == DeleteAll::kTruncate ? Capability::kDeleteTruncate
                                                          : Capability::kDeleteDrop;
  if (!info_.has(needed)) return unsupported(info_, to_string(how));
  return layout_->erase_all(*link_, call, how);
}

Result<MaintenanceOutcome> RedisDriver::maintain(const CallContext& call) {
  LAB_TRY(link_->begin(call, "redis.maintain"));
  LAB_TRY(check_settings(*link_, call, "redis.maintain", site_));
  const auto written = persist(*link_, call, "redis.maintain", site_);
  if (!written) return written.error();
  return MaintenanceOutcome{.what = site_.setup.aof ? "BGREWRITEAOF" : "BGSAVE", .worked = *written};
}

}  // namespace lab::redis
