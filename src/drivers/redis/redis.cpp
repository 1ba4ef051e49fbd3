// Session and registry line of the redis system.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/redis.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "driver/server_namespace.hpp"
#include "drivers/redis/checks.hpp"
#include "drivers/redis/driver.hpp"
#include "drivers/redis/observer.hpp"

namespace lab {
namespace redis {
namespace {

constexpr Millis kRestoreLimit{3'000};  // A session's end must not hold a SIGTERM up.

class RedisSession final : public Session {
 public:
  explicit RedisSession(Site site) : site_(std::move(site)) {}

  /// Sets the server's settings back as they were, over the connection that is there already: on a server
  /// that is slow to answer they are at least on their way. Where that fails they stand in the marker, and
  /// the next session or a removal does it.
  ~RedisSession() override {
    if (before_.empty()) return;
    const CallContext call{Clock::now() + kRestoreLimit, {}};
    const Status back = send_back(*control_, call, "redis.close", site_.space, before_);
    if (back || back.error().code != ErrorCode::kConnectionLost) return;
    auto fresh = Link::open(site_.address, call, "redis.close");
    if (!fresh || (*fresh)->server_run() != site_.server_run) return;
    ignore(send_back(**fresh, call, "redis.close", site_.space, before_),
           "the marker remembers the settings");
  }
  RedisSession(const RedisSession&) = delete;
  RedisSession& operator=(const RedisSession&) = delete;

  /// Checks the server, claims the namespace, takes the lock, applies the variant's settings.
  Status start(const CallContext& call) {
    auto link = Link::open(site_.address, call, "redis.open");
    if (!link) return std::move(link).error();
    const auto judged = judge(**link, call, "redis.open", site_);
    if (!judged) return judged.error();
    for (const Judged& one : *judged)
      if (!one.finding.passed)
        return Error{one.code, "redis.open", one.finding.what + ": " + one.finding.detail};
    LAB_TRY(claim(**link, call, "redis.open", site_.space));
    auto lock = LabLock::take(make_lock_store(site_.address, site_.space), site_.run_id, call);
    if (!lock) return std::move(lock).error();
    lock_ = std::move(*lock);
    control_ = std::move(*link);
    return apply_settings(*control_, call, "redis.open", site_.space, settings_of(site_.setup), before_);
  }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    auto link = connect(call, "redis.open_driver");
    if (!link) return std::move(link).error();
    return std::unique_ptr<Driver>(std::make_unique<RedisDriver>(site_, std::move(*link)));
  }

  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    auto link = connect(call, "redis.open_observer");
    if (!link) return std::move(link).error();
    return std::unique_ptr<Observer>(std::make_unique<RedisObserver>(site_, std::move(*link)));
  }

 private:
  /// A server that was restarted has lost the settings of the variant: only a new session sets them.
  Result<std::unique_ptr<Link>> connect(const CallContext& call, const char* operation) {
    auto link = Link::open(site_.address, call, operation);
    if (!link || (*link)->server_run() == site_.server_run) return link;
    return Error{ErrorCode::kRefused, operation,
                 "the server was restarted since this session began, and has lost the variant's settings",
                 true};
  }

  Site site_;
  std::unique_ptr<LabLock> lock_{};
  std::unique_ptr<Link> control_{};
  Settings before_{};  // The server's own, once they are noted in the marker.
};

Status check(const SystemConfig& config) {
  LAB_TRY(site_of(redis_system(), config));
  return ok();
}

Result<std::unique_ptr<Session>> open(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "redis.open"));
  auto site = site_of(redis_system(), config);
  if (!site) return std::move(site).error();
  auto session = std::make_unique<RedisSession>(std::move(*site));
  LAB_TRY(session->start(call));
  return std::unique_ptr<Session>(std::move(session));
}

/// So that our bytes do not lie on in the files that our sessions had the server write.
Status purge_files(Link& link, const CallContext& call, const KeySpace& space) {
  constexpr const char* kOperation = "redis.remove";
  const auto known = remembered(link, call, kOperation, space);
  if (!known) return known.error();
  if (known->wrote_aof) {
    const auto info = ask_info(link, call, kOperation, "persistence");
    if (!info) return info.error();
    if (number_of(*info, "aof_enabled") == 1) {
      const auto rewritten = rewrite_aof(link, call, kOperation);
      if (!rewritten) return rewritten.error();
    } else {
      LAB_TRY(switch_aof(link, call, kOperation, true));
      LAB_TRY(switch_aof(link, call, kOperation, false));
    }
  }
  if (!known->wrote_rdb) return ok();
  const auto saved = save_rdb(link, call, kOperation);
  if (!saved) return saved.error();
  return ok();
}

Status remove(const SystemConfig& config, const CallContext& call) {
  constexpr const char* kOperation = "redis.remove";
  LAB_TRY(allowed(call, kOperation));
  const auto site = site_of(redis_system(), config);
  if (!site) return site.error();
  auto link = Link::open(site->address, call, kOperation);
  if (!link) return std::move(link).error();
  const auto owner = ownership(**link, call, kOperation, site->space);
  if (!owner) return owner.error();
  if (*owner == Ownership::kNothing) return ok();
  if (*owner == Ownership::kOthers) return not_ours(site->space, kOperation);
  LAB_TRY(check_no_foreign(**link, call, kOperation, site->space));
  bool saved_marker = false;
  {
    const auto lock = LabLock::take(make_lock_store(site->address, site->space), site->run_id, call);
    if (!lock) return lock.error();
    LAB_TRY(wipe(**link, call, kOperation, site->space));
    LAB_TRY(restore_settings(**link, call, kOperation, site->space));
    LAB_TRY(purge_files(**link, call, site->space));
    const auto known = remembered(**link, call, kOperation, site->space);
    if (!known) return known.error();
    saved_marker = known->wrote_rdb;
  }
  LAB_TRY(remove_marker(**link, call, kOperation, site->space));
  if (!saved_marker) return ok();
  const auto saved = save_rdb(**link, call, kOperation);  // The snapshot still holds the marker.
  if (!saved) return saved.error();
  return ok();
}

Status reach(const SystemConfig& config, const CallContext& call) {
  const auto site = site_of(redis_system(), config);
  if (!site) return site.error();
  auto link = Link::open(site->address, call, "redis.reach");
  if (!link) return std::move(link).error();
  return ok();
}

Result<ServerIdentity> identify(const SystemConfig& config, const CallContext& call) {
  const auto site = site_of(redis_system(), config);
  if (!site) return site.error();
  auto link = Link::open(site->address, call, "redis.identify");
  if (!link) return std::move(link).error();
  return RedisObserver(*site, std::move(*link)).identity(call);
}

std::vector<Finding> examine_config(const SystemConfig& config, const CallContext& call) {
  const auto site = site_of(redis_system(), config);
  if (!site) return {{"configuration", false, site.error().text()}};
  return examine(*site, call);
}

Result<std::vector<std::string>> leftovers_of(const SystemConfig& config, const CallContext& call) {
  const auto site = site_of(redis_system(), config);
  if (!site) return site.error();
  return leftovers(*site, call);
}

Result<std::unique_ptr<Admin>> admin_of(const SystemConfig& config) {
  const auto site = site_of(redis_system(), config);
  if (!site) return site.error();
  return make_admin(*site);
}

}  // namespace
}  // namespace redis

SystemEntry redis_system() {
  return {
      .name = "redis",
      .what = "Redis or Valkey, a single server",
      .embedded = false,
      .native = true,
      .variants = redis::variants(),
      .options = server_options(),
      .mechanisms =
          {{"ingestion", "missing", "Redis documentation, data types: each key has its value"},
           {"compaction", "missing", "Redis documentation, persistence: a rewrite writes each key"},
           {"compression", "indirect",
            "Redis 7.0 source, rdb.c: LZF over one string at a time, in snapshots and rewritten files"},
           {"storage", "missing", "Redis documentation, persistence: a file holds each key with its value"}},
      .library = fmt::format("hiredis {}.{}.{}", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH),
      .password_env = redis::kPasswordVariable,
      .protocol = Protocol::kRedis,
      .check = redis::check,
      .open = redis::open,
      .remove = redis::remove,
      .reach = redis::reach,
      .examine = redis::examine_config,
      .identify = redis::identify,
      .leftovers = redis::leftovers_of,
      .admin = redis::admin_of};
}

}  // namespace lab
