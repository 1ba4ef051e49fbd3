// SPDX-License-Identifier: Apache-2.0
#include "model/plan_load_probes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/endpoint.hpp"
#include "model/plan_rules.hpp"

namespace lab::plan_rules {
namespace {

constexpr Millis kTick{1};

Status read_scope(const TomlReader& table, bool& one_copy) {
  const auto scope = [](std::string_view text) {
    return parse_word<bool>("a scope", text, {{"all copies", false}, {"one copy", true}});
  };
  return table.word("scope", scope, one_copy);
}

/// `check` is one of model/endpoint.hpp.
Status read_url(const TomlReader& table, Status (*check)(std::string_view), std::optional<std::string>& url) {
  LAB_TRY(table.text("url", url));
  if (!url) return ok();
  if (holds_password(*url)) return table.error("url", "the url holds a password");
  if (const Status fit = check(*url); !fit) return table.error("url", fit.error().detail);
  return ok();
}

/// Where a secret is, which never stands in a plan: a variable or a file, under NAME_env and NAME_file.
Status read_secret(const TomlReader& table, const std::string& name, std::optional<std::string>& variable,
                   std::optional<std::string>& file) {
  LAB_TRY(table.text(name + "_env", variable));
  LAB_TRY(table.text(name + "_file", file));
  if (variable && file)
    return table.error(name + "_file", fmt::format("stands beside '{}_env': give one of the two", name));
  return ok();
}

/// What the lab cannot know of a figure that others make. `Item` is a command's or a metric's plan.
template <class Item>
Status read_precision(const TomlReader& table, Item& item) {
  LAB_TRY(table.size("step", 1, item.step));
  return table.duration("lag", Millis{0}, item.lag);
}

Status read_command(const TomlReader& table, CommandProbePlan& command) {
  LAB_TRY(table.allow_only({"argv", "limit", "scope", "step", "lag"}));
  if (!table.has("argv")) return table.error("argv", "missing: the program and its arguments");
  // As a whole, since one word may stand twice.
  const auto words = [](const std::vector<std::string>& texts) -> Result<std::vector<std::string>> {
    if (texts.front().empty()) return bad("the program has no name");
    return texts;
  };
  LAB_TRY(table.whole_list("argv", words, command.argv));
  LAB_TRY(table.duration("limit", kTick, command.limit));
  LAB_TRY(read_precision(table, command));
  return read_scope(table, command.one_copy);
}

Status read_metric(const TomlReader& table, MetricsProbePlan& metric) {
  LAB_TRY(table.allow_only(
      {"url", "metric", "labels", "scope", "step", "lag", "sum", "age", "token_env", "token_file"}));
  std::optional<std::string> url;
  std::optional<std::string> name;
  LAB_TRY(read_url(table, check_endpoint_url, url));
  LAB_TRY(table.text("metric", name));
  if (!url) return table.error("url", "missing: the address of the page of metrics");
  if (!name) return table.error("metric", "missing: the name of the metric");
  if (!is_metric_name(*name)) return table.error("metric", "a metric's name is [a-zA-Z_:][a-zA-Z0-9_:]*");
  metric.url = *url;
  metric.metric = *name;
  LAB_TRY(read_precision(table, metric));
  LAB_TRY(table.flag("sum", metric.sum));
  LAB_TRY(table.duration("age", kTick, metric.age));
  LAB_TRY(read_secret(table, "token", metric.token_env, metric.token_file));
  const auto labels = table.inner("labels");
  if (!labels) return labels.error();
  if (*labels)
    for (const std::string& key : (*labels)->keys()) {
      if (!is_label_name(key)) return (*labels)->error(key, "a label's name is [a-zA-Z_][a-zA-Z0-9_]*");
      LAB_TRY((*labels)->scalar(key, metric.labels[key]));
    }
  return read_scope(table, metric.one_copy);
}

/// What stands before an address that is no path.
constexpr std::string_view kLonghorn = "longhorn:";
constexpr std::string_view kMinio = "minio:";

Status check_volume(const TomlReader& table, const SystemPlan& system) {
  for (const char* key : {"volume_token_env", "volume_token_file"})
    if (table.has(key) && !(system.volume && system.volume->starts_with(kMinio)))
      return table.error(key, "goes with volume = \"minio:<address of its metrics>\" alone");
  if (!system.volume) return ok();
  const std::string_view volume = *system.volume;
  const bool monitored = volume.starts_with(kLonghorn) || volume.starts_with(kMinio);
  if (monitored && system.trim) return table.error("trim", "goes with a path or a device alone");
  if (volume.starts_with(kLonghorn)) {
    const std::string_view claim = volume.substr(kLonghorn.size());
    const std::size_t slash = claim.find('/');
    const bool whole = slash != 0 && slash != std::string_view::npos && slash + 1 < claim.size() &&
                       claim.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.*/") == claim.npos &&
                       claim.find('/', slash + 1) == claim.npos;
    if (!whole) return table.error("volume", "write longhorn:<namespace>/<claim>");
    if (claim.find('*') < slash)
      return table.error("volume", "the namespace is one name, without '*'; the claim may have it");
  }
  if (volume.starts_with(kMinio)) {
    const std::string_view url = volume.substr(kMinio.size());
    if (holds_password(url)) return table.error("volume", "the url holds a password");
    if (const Status fit = check_endpoint_url(url); !fit)
      return table.error("volume",
                         fit.error().detail + "; write minio:http://host:9000/minio/v2/metrics/cluster");
  }
  // A run may be resumed from another folder.
  if (!monitored && !volume.starts_with('/'))
    return table.error("volume", "write an absolute path, longhorn:<namespace>/<claim> or minio:<address>");
  return ok();
}

/// The tables below `key`, each read by `read` into an item of its name.
template <class Item, class Read>
Status read_named(const TomlReader& table, std::string_view key, const Read& read, std::vector<Item>& items) {
  const auto all = table.inner(key);
  if (!all) return all.error();
  if (!*all) return ok();
  auto names = (*all)->keys();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name.empty() || name.find(':') != std::string::npos)
      return (*all)->error(name, "a probe's name is not empty and has no ':'");
    const auto one = (*all)->inner(name);
    if (!one) return one.error();
    Item item;
    item.name = name;
    LAB_TRY(read(**one, item));
    items.push_back(std::move(item));
  }
  return ok();
}

template <class Item>
bool has_named(const std::vector<Item>& items, std::string_view name) {
  return std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
}

/// A probe that must answer needs what it reads.
Status check_required(const TomlReader& table, const SystemPlan& system) {
  for (const std::string& probe : system.probes) {
    const std::string name = probe.substr(probe.find(':') + 1);
    const auto lacks = [&](std::string_view what) {
      return table.error("probes", fmt::format("'{}' needs {}", probe, what));
    };
    const bool longhorn = system.volume && system.volume->starts_with(kLonghorn);
    const bool minio = system.volume && system.volume->starts_with(kMinio);
    if (probe == "volume" && (!system.volume || minio)) return lacks("the key 'volume'");
    if (probe == "kubelet" && !longhorn) return lacks("volume = \"longhorn:<namespace>/<claim>\"");
    if (probe == "minio" && !minio) return lacks("volume = \"minio:<address of its metrics>\"");
    if (probe == "volume:trimmed" && !system.trim) return lacks("the keys 'volume' and 'trim = true'");
    if (probe.starts_with("command:") && !has_named(system.commands, name))
      return lacks(fmt::format("a table [systems.{}.commands.{}]", system.name, name));
    if (probe.starts_with("metrics:") && !has_named(system.metrics, name))
      return lacks(fmt::format("a table [systems.{}.metrics.{}]", system.name, name));
  }
  return ok();
}

}  // namespace

Status read_probes(const TomlReader& table, SystemPlan& system) {
  LAB_TRY(table.list("probes", parse_probe, system.probes));
  LAB_TRY(table.text("volume", system.volume));
  LAB_TRY(read_secret(table, "volume_token", system.volume_token_env, system.volume_token_file));
  LAB_TRY(table.flag("trim", system.trim));
  if (system.trim && !system.volume) return table.error("trim", "stands without 'volume'");
  LAB_TRY(check_volume(table, system));
  LAB_TRY(read_named(table, "commands", read_command, system.commands));
  LAB_TRY(read_named(table, "metrics", read_metric, system.metrics));
  return check_required(table, system);
}

Status read_prometheus(const TomlReader& table, PrometheusPlan& prometheus) {
  LAB_TRY(table.allow_only({"url", "user", "password_env", "password_file", "sample_age", "kubelet_age"}));
  LAB_TRY(read_url(table, check_base_url, prometheus.url));
  LAB_TRY(table.text("user", prometheus.user));
  LAB_TRY(read_secret(table, "password", prometheus.password_env, prometheus.password_file));
  LAB_TRY(table.duration("sample_age", kTick, prometheus.sample_age));
  LAB_TRY(table.duration("kubelet_age", kTick, prometheus.kubelet_age));
  if (prometheus.user && !prometheus.password_env && !prometheus.password_file)
    return table.error("user", "needs its password: name it by password_env or password_file");
  if (prometheus.user && prometheus.user->find(':') != std::string::npos)
    return table.error("user", "a user of basic authentication has no ':' (RFC 7617)");
  if (prometheus.url) return ok();
  for (const char* key : {"user", "password_env", "password_file", "sample_age", "kubelet_age"})
    if (table.has(key)) return table.error(key, "stands without 'url'");
  return ok();
}

}  // namespace lab::plan_rules
