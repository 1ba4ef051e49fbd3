// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/text.hpp"

namespace lab::redis {
namespace {

constexpr std::string_view kProgram = "deduplab";
constexpr const char* kScanCount = "1000";
constexpr std::string_view kSaved = "saved:";
constexpr const char* kServerRun = "server_run";
constexpr const char* kWroteAof = "wrote:aof";
constexpr const char* kWroteRdb = "wrote:rdb";

// KEYS: lock, beat. Answers {run, age in ms}, or nothing where the lock was never written.
constexpr const char* kReadLock = R"(
local held = redis.call('GET', KEYS[1])
if not held then return {} end
local beat = tonumber(redis.call('GET', KEYS[2]) or '0')
local now = redis.call('TIME')
return {held, tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) - beat}
)";

// KEYS: lock, beat. ARGV: '1' and the run that must hold it, or '0' and ''; the run to write.
// The times have one length, so that a file that holds them does.
constexpr const char* kWriteLock = R"(
redis.replicate_commands()
local held = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if held ~= ARGV[2] then return 0 end
elseif held then
  return 0
end
local now = redis.call('TIME')
if held == ARGV[3] then redis.set_repl(redis.REPL_NONE) end
redis.call('SET', KEYS[2], string.format('%d%03d', tonumber(now[1]), math.floor(tonumber(now[2]) / 1000)))
if held ~= ARGV[3] then redis.call('SET', KEYS[1], ARGV[3]) end
return 1
)";

// KEYS: lock, beat, marker.
constexpr const char* kRemoveMarker = R"(
local held = redis.call('GET', KEYS[1])
if held and held ~= '' then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 1
)";

class KeyLock final : public LockStore {
 public:
  KeyLock(Address address, KeySpace space) : address_(std::move(address)), space_(std::move(space)) {}

  Result<std::optional<LockState>> read(const CallContext& call) override {
    LAB_TRY(connect(call));
    const auto told = link_->ask(call, "redis.lock", {"EVAL", kReadLock, "2", space_.lock(), space_.beat()});
    if (!told) return told.error();
    if (told->size() < 2) return std::optional<LockState>();
    return std::optional<LockState>({std::string((*told)[0].text()), Millis{(*told)[1].number()}});
  }

  Result<bool> write(const CallContext& call, const std::optional<std::string>& expected,
                     const std::string& run_id) override {
    LAB_TRY(connect(call));
    const auto told = link_->ask(call, "redis.lock",
                                 {"EVAL", kWriteLock, "2", space_.lock(), space_.beat(), expected ? "1" : "0",
                                  expected.value_or(""), run_id});
    if (!told) return told.error();
    return told->number() == 1;
  }

 private:
  /// The lock's own connection may heal: no figure depends on it, and the lock says itself whose it is.
  Status connect(const CallContext& call) {
    if (link_ != nullptr && link_->begin(call, "redis.lock")) return ok();
    auto made = Link::open(address_, call, "redis.lock");
    if (!made) return std::move(made).error();
    link_ = std::move(*made);
    return ok();
  }

  Address address_;
  KeySpace space_;
  std::unique_ptr<Link> link_{};
};

Status forget_settings(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                       const Settings& settings) {
  std::vector<std::string> fields;
  for (const auto& [name, value] : settings) fields.push_back(std::string(kSaved) + name);
  const std::string marker = space.marker();
  Command forget{"HDEL", marker, kServerRun};
  for (const std::string& field : fields) forget.emplace_back(field);
  LAB_TRY(link.ask(call, operation, forget));
  return ok();
}

}  // namespace

std::string KeySpace::object(std::uint32_t container, const ObjectId& id) const {
  return fmt::format("{}:{}:{}", name, container, as_text(id));
}

std::string KeySpace::stream(std::uint32_t container) const {
  return fmt::format("{}:{}:stream", name, container);
}

bool KeySpace::holds_data(std::string_view key) const {
  if (object_of(key)) return true;
  if (!key.starts_with(prefix())) return false;
  std::uint32_t container = 0;
  const std::string_view number = key.substr(name.size() + 1);
  const auto read = std::from_chars(number.data(), number.data() + number.size(), container);
  return read.ec == std::errc{} && key == stream(container);
}

bool KeySpace::is_foreign(std::string_view key) const {
  return key.starts_with(prefix()) && key != marker() && key != lock() && key != beat() && !holds_data(key);
}

std::optional<PlacedId> KeySpace::object_of(std::string_view key) const {
  if (!key.starts_with(prefix())) return std::nullopt;
  std::string_view rest = key.substr(name.size() + 1);
  PlacedId placed;
  const auto number = std::from_chars(rest.data(), rest.data() + rest.size(), placed.container);
  if (number.ec != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(number.ptr - rest.data()));
  if (rest.size() != placed.id.size() + 1 || rest[0] != ':') return std::nullopt;
  std::memcpy(placed.id.data(), rest.data() + 1, placed.id.size());
  if (key != object(placed.container, placed.id)) return std::nullopt;  // A number such as 007.
  return placed;
}

Status scan(Link& link, const CallContext& call, const char* operation, const std::string& pattern,
            const std::function<Status(const std::vector<std::string>& keys)>& page) {
  std::string cursor = "0";
  do {
    LAB_TRY(allowed(call, operation));
    const auto told = link.ask(call, operation, {"SCAN", cursor, "MATCH", pattern, "COUNT", kScanCount});
    if (!told) return told.error();
    if (told->size() != 2) return Error{ErrorCode::kCorruption, operation, "SCAN gives no cursor"};
    cursor = (*told)[0].text();
    const Answer found = (*told)[1];
    std::vector<std::string> keys;
    keys.reserve(found.size());
    for (std::size_t at = 0; at < found.size(); ++at) keys.emplace_back(found[at].text());
    if (!keys.empty()) LAB_TRY(page(keys));
  } while (cursor != "0");
  return ok();
}

Status check_no_foreign(Link& link, const CallContext& call, const char* operation, const KeySpace& space) {
  return scan(link, call, operation, space.pattern(), [&](const std::vector<std::string>& keys) -> Status {
    for (const std::string& key : keys)
      if (space.is_foreign(key))
        return Error{ErrorCode::kRefused, operation,
                     fmt::format("key '{}' lies below our prefix {} and is not ours: it is left untouched, "
                                 "and what memory and files hold would not be the lab's alone; move it, or "
                                 "choose another option 'namespace'",
                                 to_valid_utf8(key), space.prefix())};
    return ok();
  });
}

Status wipe(Link& link, const CallContext& call, const char* operation, const KeySpace& space) {
  LAB_TRY(check_no_foreign(link, call, operation, space));
  return scan(link, call, operation, space.pattern(), [&](const std::vector<std::string>& keys) -> Status {
    Command command{"UNLINK"};
    for (const std::string& key : keys)
      if (space.holds_data(key)) command.emplace_back(key);
    if (command.size() > 1) LAB_TRY(link.ask(call, operation, command));
    return ok();
  });
}

Error not_ours(const KeySpace& space, const char* operation) {
  return {ErrorCode::kRefused, operation,
          fmt::format("there are keys {0} that are not known to be ours: without our {1} they are left "
                      "untouched; choose another option 'namespace'. A run whose {1} was taken away leaves "
                      "keys {2}:0:stream and {2}:0:???????????????? (16 bytes), with 1, 2, ... for further "
                      "containers: look at them (SCAN 0 MATCH with that pattern) and delete them by hand "
                      "(UNLINK)",
                      space.pattern(), space.marker(), space.name)};
}

Result<Ownership> ownership(Link& link, const CallContext& call, const char* operation,
                            const KeySpace& space) {
  const auto marker = link.ask(call, operation, {"HGET", space.marker(), "program"});
  if (!marker && marker.error().code == ErrorCode::kCorruption) return Ownership::kOthers;  // Not a hash.
  if (!marker) return marker.error();
  if (!marker->is_nil()) return marker->text() == kProgram ? Ownership::kOurs : Ownership::kOthers;
  bool any = false;
  LAB_TRY(scan(link, call, operation, space.pattern(), [&](const std::vector<std::string>&) -> Status {
    any = true;
    return ok();
  }));
  return any ? Ownership::kOthers : Ownership::kNothing;
}

Status claim(Link& link, const CallContext& call, const char* operation, const KeySpace& space) {
  const auto owner = ownership(link, call, operation, space);
  if (!owner) return owner.error();
  if (*owner == Ownership::kOurs) return check_no_foreign(link, call, operation, space);
  if (*owner == Ownership::kOthers) return not_ours(space, operation);
  LAB_TRY(link.ask(call, operation, {"HSET", space.marker(), "program", kProgram, "version", "1"}));
  return ok();
}

Status check_held(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                  const std::string& run_id) {
  const auto marker = link.ask(call, operation, {"HGET", space.marker(), "program"});
  if (!marker && marker.error().code == ErrorCode::kCorruption) return not_ours(space, operation);
  if (!marker) return marker.error();
  if (marker->text() != kProgram)
    return Error{ErrorCode::kRefused, operation, "our marker " + space.marker() + " is gone"};
  const auto held = link.ask(call, operation, {"GET", space.lock()});
  if (!held) return held.error();
  if (!held->is_nil() && held->text() == run_id) return ok();
  return Error{
      ErrorCode::kInUse, operation,
      fmt::format("the lock {} is held by '{}' now, not by run '{}'", space.lock(), held->text(), run_id)};
}

std::unique_ptr<LockStore> make_lock_store(const Address& address, const KeySpace& space) {
  return std::make_unique<KeyLock>(address, space);
}

Status remove_marker(Link& link, const CallContext& call, const char* operation, const KeySpace& space) {
  const auto gone =
      link.ask(call, operation, {"EVAL", kRemoveMarker, "3", space.lock(), space.beat(), space.marker()});
  if (!gone) return gone.error();
  if (gone->number() == 1) return ok();
  return Error{ErrorCode::kInUse, operation, "another run took the namespace while it was being removed"};
}

Result<Remembered> remembered(Link& link, const CallContext& call, const char* operation,
                              const KeySpace& space) {
  const auto fields = link.ask(call, operation, {"HGETALL", space.marker()});
  if (!fields) return fields.error();
  Remembered known;
  for (std::size_t at = 0; at + 1 < fields->size(); at += 2) {
    const std::string field((*fields)[at].text());
    const std::string value((*fields)[at + 1].text());
    if (field.starts_with(kSaved)) known.settings.emplace_back(field.substr(kSaved.size()), value);
    if (field == kServerRun) known.server_run = value;
    known.wrote_aof = known.wrote_aof || field == kWroteAof;
    known.wrote_rdb = known.wrote_rdb || field == kWroteRdb;
  }
  // Switching the append-only file on or off comes last: then it is written under the other settings.
  std::stable_partition(known.settings.begin(), known.settings.end(),
                        [](const auto& setting) { return setting.first != "appendonly"; });
  return known;
}

Status apply_settings(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                      const Settings& wanted, Settings& before) {
  // What a session left behind that could not end: back first, so that the server's own values are noted.
  LAB_TRY(restore_settings(link, call, operation, space));
  std::vector<std::string> names;
  for (const auto& [name, value] : wanted) names.push_back(name);
  const auto present = config_get(link, call, operation, names);
  if (!present) return present.error();
  std::vector<std::string> fields;
  Settings noted;
  for (const std::string& name : names) {
    const auto now = present->find(name);
    if (now == present->end()) continue;  // This version does not have it.
    noted.emplace_back(name, now->second);
    fields.push_back(std::string(kSaved) + name);
    fields.push_back(now->second);
  }
  const bool aof =
      !wanted.empty() && wanted.back() == std::pair<std::string, std::string>("appendonly", "yes");
  const std::string marker = space.marker();
  Command note{"HSET", marker, kServerRun, link.server_run(), aof ? kWroteAof : kWroteRdb, "1"};
  for (const std::string& field : fields) note.emplace_back(field);
  LAB_TRY(link.ask(call, operation, note));
  before = std::move(noted);
  for (const auto& [name, value] : wanted) {
    const auto now = present->find(name);
    if (now == present->end()) continue;
    if (name == "appendonly") {
      LAB_TRY(switch_aof(link, call, operation, value == "yes"));
    } else if (now->second != value) {
      LAB_TRY(config_set(link, call, operation, name, value));
    }
  }
  return ok();
}

Status send_back(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                 const Settings& before) {
  LAB_TRY(link.begin(call, operation));
  for (const auto& [name, value] : before)
    LAB_TRY(link.send(call, operation, {"CONFIG", "SET", name, value}));
  std::optional<Error> bad;
  while (link.awaited() > 0) {
    const auto set = link.receive(call, operation);
    if (!set && !link.whole()) return set.error();
    if (!set && !bad) bad = set.error();
  }
  if (bad) return *bad;
  return forget_settings(link, call, operation, space, before);
}

Status restore_settings(Link& link, const CallContext& call, const char* operation, const KeySpace& space) {
  const auto known = remembered(link, call, operation, space);
  if (!known) return known.error();
  if (known->settings.empty()) return ok();
  if (known->server_run == link.server_run()) {
    for (const auto& [name, value] : known->settings) {
      if (name == "appendonly") {
        LAB_TRY(switch_aof(link, call, operation, value == "yes"));
      } else {
        LAB_TRY(config_set(link, call, operation, name, value));
      }
    }
  }
  return forget_settings(link, call, operation, space, known->settings);
}

}  // namespace lab::redis
