// The tables of a plan file, key by key.
// SPDX-License-Identifier: Apache-2.0
#include "model/plan_load.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>

#include "core/files.hpp"
#include "core/plain_text.hpp"
#include "model/counts_file.hpp"
#include "model/plan_load_probes.hpp"
#include "model/plan_load_scan.hpp"
#include "model/plan_rules.hpp"
#include "model/toml_reader.hpp"

namespace lab {
namespace {

using plan_rules::bad;
using plan_rules::parse_word;

constexpr Bytes kFileMax{1 << 20};
constexpr std::size_t kNameMax = 100;  // It is part of a folder's name.
constexpr Millis kTick{1};             // The least duration that is not "no waiting at all".

/// Reads an integer of the plan into a field of any integer type; limits keep it in range.
template <class T>
Status read_integer(const TomlReader& table, std::string_view key, std::int64_t least, std::int64_t most,
                    T& out) {
  auto number = static_cast<std::int64_t>(out);
  LAB_TRY(table.integer(key, least, most, number));
  out = static_cast<T>(number);
  return ok();
}

Status read_run(const TomlReader& table, Plan& plan) {
  LAB_TRY(table.allow_only({"name", "seed", "repetitions", "order_of_work"}));
  std::optional<std::string> name;
  LAB_TRY(table.text("name", name));
  if (name && (name->empty() || name->size() > kNameMax || without_controls(*name) != *name))
    return table.error("name", fmt::format("a name has 1 to {} bytes and no control characters", kNameMax));
  if (name) plan.name = *name;
  LAB_TRY(read_integer(table, "seed", 0, std::numeric_limits<std::int64_t>::max(), plan.seed));
  LAB_TRY(read_integer(table, "repetitions", 1, plan_rules::kRepetitionsMax, plan.repetitions));
  const auto parse = [](std::string_view text) {
    return parse_word<OrderOfWork>("an order of work", text,
                                   {{"shuffled", OrderOfWork::kShuffled}, {"plan", OrderOfWork::kPlan}});
  };
  return table.word("order_of_work", parse, plan.order_of_work);
}

Result<Bytes> parse_total(std::string_view text) {
  auto total = parse_bytes(text);
  if (total && total->count == 0) return bad("a total must be at least 1 byte");
  return total;
}

/// A file of counts is read with the plan, so that it is part of what the plan is.
Status read_popularity(const TomlReader& table, Popularity& popularity) {
  LAB_TRY(table.word("popularity", parse_popularity, popularity));
  std::optional<std::string> known;
  LAB_TRY(table.text("popularity_sha256", known));
  if (popularity.counts_file.empty())
    return known ? table.error("popularity_sha256", "stands without a file of counts") : ok();
  // A run may be resumed from another folder.
  std::error_code failed;
  const auto path = std::filesystem::absolute(popularity.counts_file, failed);
  if (failed) return table.error("popularity", popularity.counts_file + ": " + failed.message());
  popularity.counts_file = path.string();
  const auto read = load_counts(path);
  if (!read) return table.error("popularity", read.error().detail);
  if (known && *known != read->sha256)
    return table.error("popularity", fmt::format("{} has changed: its SHA-256 is {}, not {}",
                                                 popularity.counts_file, read->sha256, *known));
  popularity.counts_sha256 = read->sha256;
  return ok();
}

Status read_amount(const TomlReader& table, DatasetPlan& dataset) {
  if (table.has("objects") && table.has("totals"))
    return table.error("totals", "stands beside 'objects': give one of the two");
  if (!table.has("objects") && !table.has("totals"))
    return table.error("objects", "missing: give 'objects' (a count) or 'totals' (sizes)");
  if (table.has("objects"))
    LAB_TRY(read_integer(table, "objects", 1, plan_rules::kObjectsMax, dataset.objects.emplace(1)));
  LAB_TRY(table.one_or_list("totals", parse_total, dataset.totals));
  return table.one_or_list("object_size", parse_size_law, dataset.object_sizes);
}

Status read_dataset(const TomlReader& table, const Vocabulary& words, LoadedPlan& loaded) {
  LAB_TRY(table.allow_only({"payloads", "grades", "objects", "totals", "object_size", "orders", "placements",
                            "containers", "caches", "modes", "popularity", "popularity_sha256",
                            "compressible", "duplicate_unit"}));
  DatasetPlan& dataset = loaded.plan.dataset;
  if (!table.has("payloads")) return table.error("payloads", "missing: a plan names at least one payload");
  const auto payload = [&](std::string_view text) { return plan_rules::parse_payload(text, words); };
  LAB_TRY(table.list("payloads", payload, dataset.payloads));
  loaded.payloads_at = table.error("payloads", "").detail;
  LAB_TRY(table.list("grades", parse_grade, dataset.grades));
  LAB_TRY(read_amount(table, dataset));
  LAB_TRY(table.list("orders", parse_order, dataset.orders));
  LAB_TRY(table.list("placements", parse_placement, dataset.placements));
  LAB_TRY(read_integer(table, "containers", 1, plan_rules::kContainersMax, dataset.containers));
  const bool across = std::find(dataset.placements.begin(), dataset.placements.end(), Placement::kAcross) !=
                      dataset.placements.end();
  if (across && dataset.containers < 2)
    return table.error("containers", "placement 'across' needs at least 2 containers");
  const auto cache = [](std::string_view text) {
    return parse_word<std::string>("a cache state", text, {{"warm", "warm"}, {"cold", "cold"}});
  };
  LAB_TRY(table.list("caches", cache, dataset.caches));
  LAB_TRY(table.list("modes", plan_rules::parse_mode, dataset.modes));
  LAB_TRY(read_popularity(table, dataset.popularity));
  LAB_TRY(table.word("compressible", parse_compressible, dataset.compressible));
  LAB_TRY(table.word("duplicate_unit", parse_duplicate_unit, dataset.unit));
  if (const Status fits = plan_rules::check_amounts(loaded.plan); !fits)
    return table.error(dataset.objects ? "objects" : "totals", fits.error().detail);
  if (const Status fits = plan_rules::check_records(dataset, words); !fits)
    return table.error("object_size", fits.error().detail);
  return ok();
}

Result<Chain> parse_chain(const std::vector<std::string>& names) {
  Chain chain;
  for (const std::string& name : names) {
    const auto kind = parse_stage_kind(name);
    if (!kind) return kind.error();
    chain.push_back(*kind);
  }
  LAB_TRY(check_chain(chain));
  return chain;
}

Status read_stages(const TomlReader& table, StagesPlan& stages) {
  LAB_TRY(table.allow_only({"chains", "update_share", "update_content", "verify_full_up_to", "verify_sample",
                            "limit", "step_limit", "sample_interval"}));
  LAB_TRY(table.list_of_lists("chains", parse_chain, stages.chains));
  LAB_TRY(read_integer(table, "update_share", 1, 100, stages.update_share_percent));
  const auto content = [](std::string_view text) {
    return parse_word<UpdateContent>("a content of updates", text,
                                     {{"same", UpdateContent::kSame}, {"new", UpdateContent::kNew}});
  };
  LAB_TRY(table.word("update_content", content, stages.update_content));
  LAB_TRY(table.size("verify_full_up_to", 0, stages.verify_full_up_to));
  LAB_TRY(read_integer(table, "verify_sample", 1, plan_rules::kObjectsMax, stages.verify_sample));
  LAB_TRY(table.duration("limit", kTick, stages.limit));
  LAB_TRY(table.duration("step_limit", kTick, stages.step_limit));
  return table.duration("sample_interval", kTick, stages.sample_interval);
}

Status read_settle(const TomlReader& table, SettlePlan& settle) {
  LAB_TRY(table.allow_only({"window", "tolerance", "limit", "interval", "idle"}));
  LAB_TRY(table.duration("window", Millis{0}, settle.window));
  LAB_TRY(table.size("tolerance", 0, settle.tolerance));
  LAB_TRY(table.duration("limit", kTick, settle.limit));
  LAB_TRY(table.duration("interval", kTick, settle.interval));
  LAB_TRY(table.duration("idle", Millis{1}, settle.idle));
  if (settle.limit < settle.window)
    return table.error("limit", fmt::format("{} is shorter than the window of {}",
                                            format_duration(settle.limit), format_duration(settle.window)));
  return ok();
}

Status read_retry(const TomlReader& table, RetryPlan& retry) {
  LAB_TRY(table.allow_only({"max_retries", "scope", "delays", "reconnect_attempts", "reconnect_first",
                            "reconnect_max", "reconnect_jitter"}));
  LAB_TRY(read_integer(table, "max_retries", 0, plan_rules::kRetriesMax, retry.max_retries));
  LAB_TRY(table.word("scope", plan_rules::parse_retry_scope, retry.scope));
  // As a whole, since one delay may stand twice.
  const auto delays = [](const std::vector<std::string>& texts) -> Result<std::vector<Millis>> {
    std::vector<Millis> all;
    for (const std::string& text : texts) {
      const auto delay = parse_duration(text);
      if (!delay) return delay.error();
      all.push_back(*delay);
    }
    return all;
  };
  LAB_TRY(table.whole_list("delays", delays, retry.block_delays));
  LAB_TRY(
      read_integer(table, "reconnect_attempts", 1, plan_rules::kRetriesMax, retry.reconnect.attempts_max));
  LAB_TRY(table.duration("reconnect_first", Millis{0}, retry.reconnect.delay_first));
  LAB_TRY(table.duration("reconnect_max", Millis{0}, retry.reconnect.delay_max));
  LAB_TRY(read_integer(table, "reconnect_jitter", 0, 100, retry.reconnect.jitter_percent));
  if (retry.reconnect.delay_max < retry.reconnect.delay_first)
    return table.error("reconnect_max", "is shorter than 'reconnect_first'");
  return ok();
}

Status read_export(const TomlReader& table, LoadedPlan& loaded) {
  LAB_TRY(table.allow_only({"cleanup", "git"}));
  if (table.has("git")) loaded.keys_not_built_in.emplace_back("key 'export.git'");
  const auto parse = [](std::string_view text) {
    return parse_word<CleanupRule>("a clean-up rule", text,
                                   {{"always", CleanupRule::kAlways},
                                    {"success", CleanupRule::kSuccess},
                                    {"never", CleanupRule::kNever}});
  };
  return table.word("cleanup", parse, loaded.plan.export_.cleanup);
}

/// A place such as {directory} that is misspelt would be handed to the program as it is. Other braces are the
/// program's own.
Status check_places(const std::string& word, const std::vector<std::string>& known) {
  for (std::size_t at = word.find('{'); at != std::string::npos; at = word.find('{', at + 1)) {
    const std::size_t end = word.find('}', at);
    if (end == std::string::npos) return ok();
    const std::string place = word.substr(at, end - at + 1);
    const bool shell = at > 0 && word[at - 1] == '$';
    if (shell || std::find(known.begin(), known.end(), place) != known.end()) continue;
    if (const auto near = nearest_word(place, known))
      return bad(fmt::format("'{}' stands for nothing; did you mean '{}'?", place, *near));
  }
  return ok();
}

Status read_hooks(const TomlReader& table, HooksPlan& hooks) {
  LAB_TRY(table.allow_only({"restart", "restart_limit", "after_operations", "after_operations_limit"}));
  std::vector<std::string> places{"{system}"};
  // As a whole, since one word may stand twice.
  const auto words = [&](const std::vector<std::string>& texts) -> Result<std::vector<std::string>> {
    if (texts.front().empty()) return bad("the program has no name");
    for (const std::string& text : texts) LAB_TRY(check_places(text, places));
    return texts;
  };
  LAB_TRY(table.whole_list("restart", words, hooks.restart));
  places.insert(places.end(), {"{stage}", "{directory}"});
  if (table.has("restart_limit") && hooks.restart.empty())
    return table.error("restart_limit", "stands without 'restart'");
  LAB_TRY(table.duration("restart_limit", kTick, hooks.restart_limit));
  LAB_TRY(table.whole_list("after_operations", words, hooks.after_operations));
  if (table.has("after_operations_limit") && hooks.after_operations.empty())
    return table.error("after_operations_limit", "stands without 'after_operations'");
  return table.duration("after_operations_limit", kTick, hooks.after_operations_limit);
}

/// A table whose keys are not built in: nothing in it is left out in silence.
Status read_known_only(const TomlReader& root, LoadedPlan& loaded) {
  const auto table = root.inner("telemetry");
  if (!table) return table.error();
  if (!*table) return ok();
  for (const std::string& key : (*table)->keys())
    loaded.keys_not_built_in.push_back(fmt::format("key 'telemetry.{}'", key));
  return ok();
}

Status read_options(const TomlReader& table, const SystemWords& words, SystemPlan& system) {
  const auto options = table.inner("options");
  if (!options) return options.error();
  if (!*options) return ok();
  for (const std::string& key : (*options)->keys()) {
    const bool known = std::find(words.options.begin(), words.options.end(), key) != words.options.end();
    if (words.built_in && !known) {
      const std::string hint = words.options.empty() ? fmt::format("; '{}' has no options", words.name)
                                                     : suggestion(key, words.options);
      return (*options)->error(key, "unknown option" + hint);
    }
    LAB_TRY((*options)->scalar(key, system.options[key]));
  }
  return ok();
}

/// Where a system is and how it is reached.
Status read_place(const TomlReader& table, const SystemWords& words, SystemPlan& system) {
  LAB_TRY(table.text("url", system.url));
  if (system.url && plan_rules::holds_password(*system.url))
    return table.error("url", "the url holds a password: use password_env or password_file");
  LAB_TRY(table.text("password_env", system.password_env));
  LAB_TRY(table.text("password_file", system.password_file));
  if (system.password_env && system.password_file)
    return table.error("password_file", "stands beside 'password_env': give one of the two");
  LAB_TRY(table.text("directory", system.directory));
  LAB_TRY(table.text("path", system.path));
  if (words.embedded)
    for (const char* key : {"url", "password_env", "password_file", "directory"})
      if (table.has(key))
        return table.error(key, fmt::format("'{}' is embedded: it has a 'path' only", system.name));
  if (!words.embedded && system.path)
    return table.error("path",
                       fmt::format("'{}' is a server: its files are named by 'directory'", system.name));
  return ok();
}

/// What the driver has against the values; a fault of an option is reported where the option stands.
Status look_at_values(const TomlReader& table, const SystemWords& words, const SystemPlan& system) {
  const auto fault = words.look ? words.look(system) : std::nullopt;
  if (!fault) return ok();
  constexpr std::string_view kOptions = "options.";
  const auto options = table.inner("options");
  if (!options) return options.error();
  if (*options && fault->key.starts_with(kOptions))
    return (*options)->error(fault->key.substr(kOptions.size()), fault->what);
  return table.error(fault->key, fault->what);
}

Status read_system(const TomlReader& table, const SystemWords& words, SystemPlan& system) {
  LAB_TRY(table.allow_only({"url", "password_env", "password_file", "variants", "directory", "path", "probes",
                            "volume", "volume_token_env", "volume_token_file", "trim", "commands", "metrics",
                            "identity", "max_bytes", "options"}));
  const auto variant = [&](std::string_view text) -> Result<std::string> {
    const bool known = std::find(words.variants.begin(), words.variants.end(), text) != words.variants.end();
    if (known || text == "default" || (!words.built_in && !text.empty())) return std::string(text);
    std::vector<std::string> names = words.variants;
    if (std::find(names.begin(), names.end(), "default") == names.end()) names.emplace_back("default");
    return bad(fmt::format("'{}' is not a variant of {}{}", text, words.name, suggestion(text, names)));
  };
  LAB_TRY(table.list("variants", variant, system.variants));
  LAB_TRY(read_place(table, words, system));
  LAB_TRY(plan_rules::read_probes(table, system));
  LAB_TRY(table.text("identity", system.identity));
  if (table.has("max_bytes")) LAB_TRY(table.size("max_bytes", 1, system.max_bytes.emplace()));
  LAB_TRY(read_options(table, words, system));
  return look_at_values(table, words, system);
}

Status read_systems(const TomlReader& root, const Vocabulary& words, Plan& plan) {
  constexpr std::string_view kWant = "a plan names at least one system, as [systems.sqlite]";
  const auto systems = root.inner("systems");
  if (!systems) return systems.error();
  if (!*systems || (*systems)->keys().empty()) return root.error("systems", kWant);
  for (const std::string& name : (*systems)->keys()) {
    const auto known = plan_rules::parse_system(name, words);
    if (!known) return (*systems)->error(name, known.error().detail);
    const auto table = (*systems)->inner(name);
    if (!table) return table.error();
    SystemPlan system{.name = name};
    LAB_TRY(read_system(**table, *find_system_words(words, name), system));
    plan.systems.push_back(std::move(system));
  }
  return ok();
}

/// Reads the table under `key` if there is one.
template <class Read>
Status in_table(const TomlReader& root, std::string_view key, const Read& read) {
  const auto table = root.inner(key);
  if (!table) return table.error();
  return *table ? read(**table) : ok();
}

/// A volume that is looked up needs the server that knows it.
Status check_claims(const TomlReader& root, const Plan& plan) {
  if (plan.prometheus.url) return ok();
  for (const SystemPlan& system : plan.systems) {
    if (!system.volume || !system.volume->starts_with("longhorn:")) continue;
    const auto systems = root.inner("systems");
    if (!systems) return systems.error();
    const auto table = (*systems)->inner(system.name);
    if (!table) return table.error();
    return (*table)->error("volume", fmt::format("'{}' needs [prometheus] with a url", *system.volume));
  }
  return ok();
}

Status read_root(const TomlReader& root, const Vocabulary& words, LoadedPlan& loaded) {
  Plan& plan = loaded.plan;
  LAB_TRY(root.allow_only({"run", "dataset", "stages", "settle", "scan", "systems", "telemetry", "export",
                           "hooks", "retry", "prometheus", "real_world_dir"}));
  LAB_TRY(root.text("real_world_dir", plan.real_world_dir));
  LAB_TRY(in_table(root, "run", [&](const TomlReader& table) { return read_run(table, plan); }));
  LAB_TRY(read_systems(root, words, plan));
  if (!root.has("dataset")) return root.error("dataset", "missing: a plan has a [dataset] with payloads");
  LAB_TRY(
      in_table(root, "dataset", [&](const TomlReader& table) { return read_dataset(table, words, loaded); }));
  LAB_TRY(in_table(root, "stages", [&](const TomlReader& table) { return read_stages(table, plan.stages); }));
  LAB_TRY(in_table(root, "settle", [&](const TomlReader& table) { return read_settle(table, plan.settle); }));
  LAB_TRY(in_table(root, "scan", [&](const TomlReader& table) {
    return plan_rules::read_scan(table, plan.stages, plan.scan);
  }));
  LAB_TRY(in_table(root, "retry", [&](const TomlReader& table) { return read_retry(table, plan.retry); }));
  LAB_TRY(in_table(root, "export", [&](const TomlReader& table) { return read_export(table, loaded); }));
  LAB_TRY(in_table(root, "hooks", [&](const TomlReader& table) { return read_hooks(table, plan.hooks); }));
  LAB_TRY(in_table(root, "prometheus", [&](const TomlReader& table) {
    return plan_rules::read_prometheus(table, plan.prometheus);
  }));
  LAB_TRY(check_claims(root, plan));
  return read_known_only(root, loaded);
}

}  // namespace

Result<LoadedPlan> parse_plan(std::string_view text, const std::filesystem::path& file,
                              const Vocabulary& words) {
  const std::string name = file.string();
  const auto table = parse_toml(text, name);
  if (!table) return table.error();
  LoadedPlan loaded;
  loaded.plan.name = without_controls(file.stem().string());
  LAB_TRY(read_root(TomlReader(name, *table, ""), words, loaded));
  plan_rules::review(loaded, words);
  return loaded;
}

Result<LoadedPlan> load_plan(const std::filesystem::path& file, const Vocabulary& words) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return errno_error("plan", file.string(), errno);
  if (S_ISDIR(info.st_mode)) return bad(fmt::format("{}: is a directory, not a plan file", file.string()));
  if (!S_ISREG(info.st_mode)) return bad(fmt::format("{}: is not a regular file", file.string()));
  const auto text = read_file(file, kFileMax);
  if (!text && text.error().code == ErrorCode::kResourceExhausted)
    return bad(fmt::format("{}: is larger than {}", file.string(), format_bytes(kFileMax)));
  if (!text) return text.error();
  return parse_plan(*text, file, words);
}

}  // namespace lab
