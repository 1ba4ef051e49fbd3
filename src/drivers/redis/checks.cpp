// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/checks.hpp"

#include <fmt/format.h>

#include <array>

#include "core/text.hpp"
#include "driver/lab_user.hpp"

namespace lab::redis {
namespace {

constexpr const char* kLabUser = kLabUserName;
constexpr const char* kLabPasswordVariable = "DEDUP_REDIS_LAB_PASSWORD";

// What a session uses; EVAL for the lock alone.
constexpr std::array kCommands{
    "ping", "info",   "select", "client|id",    "client|kill", "config|get", "config|set", "scan",
    "get",  "set",    "del",    "unlink",       "hset",        "hget",       "hgetall",    "hdel",
    "xadd", "xrange", "xlen",   "xdel",         "xtrim",       "multi",      "exec",       "discard",
    "eval", "time",   "bgsave", "bgrewriteaof", "strlen",      "getrange",
};

// Asked of ACL DRYRUN: with arguments, since it checks their number. Borrows the key.
std::vector<Command> probes(const std::string& key) {
  return {{"config", "set", "appendonly", "yes"},
          {"client", "kill", "id", "1"},
          {"scan", "0"},
          {"set", key, "x"},
          {"get", key},
          {"strlen", key},
          {"getrange", key, "0", "1"},
          {"unlink", key},
          {"hset", key, "a", "b"},
          {"xadd", key, "*", "a", "b"},
          {"multi"},
          {"eval", "return 1", "1", key},
          {"bgsave"},
          {"bgrewriteaof"}};
}

Finding finding(std::string what, bool passed, std::string detail, bool warning = false) {
  return {std::move(what), passed, std::move(detail), warning};
}

std::string who(Link& link, const CallContext& call) {
  const auto me = link.ask(call, "redis.examine", {"ACL", "WHOAMI"});
  return me ? std::string(me->text()) : "";
}

Finding examine_rights(Link& link, const CallContext& call, const Site& site) {
  const std::string user = who(link, call);
  const std::string key = site.space.prefix() + "probe";
  if (user.empty() || site.version < 700)
    return finding("rights", true, "cannot be asked of this server; a missing right shows at the opening",
                   true);
  std::vector<std::string> missing;
  for (const Command& probe : probes(key)) {
    Command dry{"ACL", "DRYRUN", user};
    dry.insert(dry.end(), probe.begin(), probe.end());
    const auto told = link.ask(call, "redis.examine", dry);
    if (!told)
      return finding(
          "rights", true,
          fmt::format("user {} may not ask (ACL DRYRUN); a missing right shows at the opening", user), true);
    if (told->text() != "OK") missing.emplace_back(told->text());
  }
  if (missing.empty()) return finding("rights", true, "user " + user + " has what is needed");
  return finding("rights", false,
                 fmt::format("{}; give the rights with: ACL SETUSER {} {}", join(missing, "; "), user,
                             join(rules_of(site.space), " ")));
}

Finding examine_space(Link& link, const CallContext& call, const Site& site) {
  const auto owner = ownership(link, call, "redis.examine", site.space);
  if (!owner) return finding("namespace", false, owner.error().text());
  const std::string where =
      fmt::format("keys {} in database {}", site.space.pattern(), site.address.database);
  if (*owner == Ownership::kOthers) return finding("namespace", false, not_ours(site.space, "").detail);
  if (*owner == Ownership::kNothing) return finding("namespace", true, where + ": nothing there");
  if (const Status alone = check_no_foreign(link, call, "redis.examine", site.space); !alone)
    return finding("namespace", false, alone.error().detail);
  const auto store = make_lock_store(site.address, site.space);
  if (const Status free = LabLock::check_free(*store, site.run_id, call); !free)
    return finding("namespace", false, where + ": " + free.error().text());
  return finding("namespace", true, where + ": ours");
}

/// Keys in all databases but ours.
Result<std::uint64_t> foreign_keys(Link& link, const CallContext& call, const Site& site) {
  const auto info = ask_info(link, call, "redis.examine", "keyspace");
  if (!info) return info.error();
  double all = 0;
  for (const auto& [name, text] : *info) all += number_of(parse_info(text, ',', '='), "keys");
  std::uint64_t ours = 0;
  LAB_TRY(scan(link, call, "redis.examine", site.space.pattern(),
               [&](const std::vector<std::string>& keys) -> Status {
                 for (const std::string& key : keys) ours += site.space.is_foreign(key) ? 0 : 1;
                 return ok();
               }));
  const auto total = static_cast<std::uint64_t>(all);
  return total > ours ? total - ours : 0;
}

/// What the variant changes for everybody while a session lasts, said where others have keys.
Finding examine_settings(Link& link, const CallContext& call, const Site& site) {
  std::vector<std::string> names;
  const Settings wanted = settings_of(site.setup);
  for (const auto& [name, value] : wanted) names.push_back(name);
  const auto present = config_get(link, call, "redis.examine", names);
  if (!present) return finding("settings", false, present.error().text());
  std::vector<std::string> changes;
  for (const auto& [name, value] : wanted)
    if (const auto now = present->find(name); now != present->end() && now->second != value)
      changes.push_back(fmt::format("{} '{}' to '{}'", name, now->second, value));
  if (changes.empty()) return finding("settings", true, "as variant " + site.setup.variant + " needs them");
  const std::string what =
      fmt::format("while a session lasts, variant {} sets {}", site.setup.variant, join(changes, ", "));
  const auto others = foreign_keys(link, call, site);
  if (!others) return finding("settings", false, others.error().text());
  if (*others == 0) return finding("settings", true, what);
  return finding("settings", true,
                 fmt::format("{}; this holds for the {} keys of others too, which may be less durable for "
                             "that time, and whose bytes lie in the same files",
                             what, *others),
                 true);
}

/// A pattern of keys inside the lab's own: it gives nothing more, and says that setup made the user.
std::string mark_of(const KeySpace& space) { return space.prefix() + "deduplab-made-this-user"; }

class RedisAdmin final : public Admin {
 public:
  explicit RedisAdmin(const Site& site) : site_(site) {}

  /// Without the mark: this language cannot refuse a user that is there, and a user of somebody else's must
  /// never bear it.
  std::vector<std::string> apply_statements() const override {
    return {
        how_to_give(kLabPasswordVariable, kLabUsersPassword, "redis-cli"),
        fmt::format("-- Run first: ACL GETUSER {0}. If it shows a user, that one is somebody's: do not run "
                    "the line below, it would change it.",
                    kLabUser),
        fmt::format("ACL SETUSER {} on >{} {}", kLabUser, placeholder(kLabPasswordVariable),
                    join(rules_of(site_.space), " "))};
  }
  std::vector<std::string> undo_statements() const override {
    return {fmt::format(
                "-- Run first: ACL GETUSER {}. Only if all keys that it shows begin with {} is it the lab's.",
                kLabUser, site_.space.prefix()),
            fmt::format("ACL DELUSER {}", kLabUser)};
  }

  Status apply(const CallContext& call) override {
    LAB_TRY(allowed(call, "redis.setup"));
    const auto password =
        lab_user_password(kLabPasswordVariable, kLabUser, site_.address.password, "redis.setup");
    if (!password) return password.error();
    auto link = Link::open(site_.address, call, "redis.setup");
    if (!link) return std::move(link).error();
    LAB_TRY(check_not_self(kLabUser, who(**link, call), "redis.setup"));
    LAB_TRY(check_made_by_setup(**link, call));
    const std::string given = ">" + *password;
    auto rules = rules_of(site_.space);
    rules.push_back("~" + mark_of(site_.space));
    Command command{"ACL", "SETUSER", kLabUser, "on", given};
    for (const std::string& rule : rules) command.emplace_back(rule);
    const auto made = (*link)->ask(call, "redis.setup", command);
    if (made) return ok();
    Error error = made.error();
    if (error.detail.find(*password) != std::string::npos)  // A server may repeat what it does not take.
      error.detail = fmt::format("the server does not take the rules of user {}", kLabUser);
    return error;
  }

  Status undo(const CallContext& call) override {
    LAB_TRY(allowed(call, "redis.setup"));
    auto link = Link::open(site_.address, call, "redis.setup");
    if (!link) return std::move(link).error();
    LAB_TRY(check_not_self(kLabUser, who(**link, call), "redis.setup"));
    LAB_TRY(check_made_by_setup(**link, call));
    LAB_TRY((*link)->ask(call, "redis.setup", {"ACL", "DELUSER", kLabUser}));
    return ok();
  }

 private:
  /// A user that is not there is fine. Errors: kRefused for one without the mark.
  Status check_made_by_setup(Link& link, const CallContext& call) const {
    const auto user = link.ask(call, "redis.setup", {"ACL", "GETUSER", kLabUser});
    if (!user) return user.error();
    if (user->size() == 0) return ok();
    const std::string mark = "~" + mark_of(site_.space);
    for (std::size_t at = 0; at + 1 < user->size(); at += 2) {
      if ((*user)[at].text() != "keys") continue;
      const Answer keys = (*user)[at + 1];  // A text since Redis 7, before it a list without the '~'.
      const auto patterns = split(std::string(keys.text()), ' ');
      bool marked = std::find(patterns.begin(), patterns.end(), mark) != patterns.end();
      for (std::size_t one = 0; one < keys.size(); ++one)
        marked = marked || keys[one].text() == std::string_view(mark).substr(1);
      if (marked) return ok();
    }
    return Error{
        ErrorCode::kRefused, "redis.setup",
        fmt::format("user {} is there and was not made by deduplab setup: rename or drop it", kLabUser)};
  }

  Site site_;
};

}  // namespace

std::vector<std::string> rules_of(const KeySpace& space) {
  std::vector<std::string> rules{"~" + space.pattern()};
  for (const char* command : kCommands) rules.push_back(std::string("+") + command);
  rules.emplace_back("+acl|whoami");
  rules.emplace_back("+acl|dryrun");
  return rules;
}

std::unique_ptr<Admin> make_admin(const Site& site) { return std::make_unique<RedisAdmin>(site); }

std::vector<Finding> examine(const Site& site, const CallContext& call) {
  auto link = Link::open(site.address, call, "redis.examine");
  if (!link) return {not_connected(link.error())};
  std::vector<Finding> findings{
      finding("connection", true, fmt::format("{}:{}", site.address.host, site.address.port))};
  Site seen = site;
  const auto judged = judge(**link, call, "redis.examine", seen);
  if (!judged) {
    findings.push_back(finding("server", false, judged.error().text()));
    return findings;
  }
  bool fit = true;
  for (const Judged& one : *judged) {
    findings.push_back(one.finding);
    fit = fit && one.finding.passed;
  }
  if (!fit) return findings;
  findings.push_back(examine_rights(**link, call, seen));
  findings.push_back(examine_space(**link, call, seen));
  findings.push_back(examine_settings(**link, call, seen));
  return findings;
}

Result<std::vector<std::string>> leftovers(const Site& site, const CallContext& call) {
  constexpr const char* kOperation = "redis.leftovers";
  auto link = Link::open(site.address, call, kOperation);
  if (!link) return std::move(link).error();
  std::vector<std::string> lines;
  const auto owner = ownership(**link, call, kOperation, site.space);
  if (!owner) return owner.error();
  if (*owner == Ownership::kNothing) return lines;
  if (*owner == Ownership::kOthers) return not_ours(site.space, kOperation);
  LAB_TRY(check_no_foreign(**link, call, kOperation, site.space));
  std::uint64_t keys = 0;
  LAB_TRY(scan(**link, call, kOperation, site.space.pattern(),
               [&](const std::vector<std::string>& page) -> Status {
                 for (const std::string& key : page) keys += site.space.holds_data(key) ? 1 : 0;
                 return ok();
               }));
  if (keys > 0)
    lines.push_back(
        fmt::format("{} keys {} in database {}", keys, site.space.pattern(), site.address.database));
  lines.push_back(fmt::format("marker {} and lock", site.space.marker()));
  const auto known = remembered(**link, call, kOperation, site.space);
  if (!known) return known.error();
  if (known->server_run == (*link)->server_run())
    for (const auto& [name, value] : known->settings)
      lines.push_back(fmt::format("setting {}, which was '{}'", name, value));
  return lines;
}

}  // namespace lab::redis
