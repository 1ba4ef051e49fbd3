// The effective plan as text. Every key is written, in one order, so that equal plans are equal bytes.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "model/plan_load.hpp"

namespace lab {
namespace {

/// A TOML basic string.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\')
      (out += '\\') += letter;
    else if (code < 0x20 || code == 0x7F)
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", code);
    else
      out += letter;
  }
  return out + '"';
}

/// A key as it stands in a table or its header: bare where TOML allows it.
std::string key_text(std::string_view key) {
  constexpr std::string_view kBare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  const bool bare = !key.empty() && key.find_first_not_of(kBare) == std::string_view::npos;
  return bare ? std::string(key) : toml_string(key);
}

/// `spell` turns an item into the text that the loader parses.
template <class T, class Spell>
std::string list_of(const std::vector<T>& items, const Spell& spell) {
  std::vector<std::string> parts;
  for (const T& item : items) parts.push_back(toml_string(spell(item)));
  return "[" + join(parts, ", ") + "]";
}

std::string list_of(const std::vector<std::string>& items) {
  return list_of(items, [](const std::string& item) { return item; });
}

class Writer {
 public:
  void table(std::string_view name) { add("\n[{}]\n", name); }
  void raw(std::string_view key, std::string_view value) { add("{} = {}\n", key_text(key), value); }
  void text(std::string_view key, std::string_view value) { raw(key, toml_string(value)); }
  void text_if_any(std::string_view key, const std::optional<std::string>& value) {
    if (value) text(key, *value);
  }
  template <class T>
  void number(std::string_view key, T value) {
    raw(key, fmt::format("{}", value));
  }
  void size(std::string_view key, Bytes value) { text(key, format_bytes_exact(value)); }
  void duration(std::string_view key, Millis value) { text(key, format_duration(value)); }
  std::string take() { return std::move(out_); }

 private:
  template <class... Parts>
  void add(fmt::format_string<Parts...> shape, Parts&&... parts) {
    fmt::format_to(std::back_inserter(out_), shape, std::forward<Parts>(parts)...);
  }
  std::string out_{};
};

std::string_view spell(OrderOfWork order) { return order == OrderOfWork::kPlan ? "plan" : "shuffled"; }
std::string_view spell(RetryScope scope) { return scope == RetryScope::kSystem ? "system" : "block"; }
std::string_view spell(UpdateContent content) { return content == UpdateContent::kSame ? "same" : "new"; }
std::string_view spell(CleanupRule rule) {
  switch (rule) {
    case CleanupRule::kAlways:
      return "always";
    case CleanupRule::kSuccess:
      return "success";
    case CleanupRule::kNever:
      return "never";
  }
  return "always";
}

void write_run(Writer& out, const Plan& plan) {
  out.text_if_any("real_world_dir", plan.real_world_dir);
  out.table("run");
  if (!plan.name.empty()) out.text("name", plan.name);
  out.number("seed", plan.seed);
  out.number("repetitions", plan.repetitions);
  out.text("order_of_work", spell(plan.order_of_work));
}

void write_dataset(Writer& out, const DatasetPlan& dataset) {
  const auto size_text = [](Bytes bytes) { return format_bytes_exact(bytes); };
  const auto law_text = [](const SizeLaw& law) { return to_string(law); };
  const auto word_text = [](auto value) { return std::string(to_string(value)); };
  out.table("dataset");
  out.raw("payloads", list_of(dataset.payloads));
  out.raw("grades", list_of(dataset.grades, grade_name));
  if (dataset.objects) out.number("objects", *dataset.objects);
  if (!dataset.totals.empty()) out.raw("totals", list_of(dataset.totals, size_text));
  out.raw("object_size", list_of(dataset.object_sizes, law_text));
  out.raw("orders", list_of(dataset.orders, word_text));
  out.raw("placements", list_of(dataset.placements, word_text));
  out.number("containers", dataset.containers);
  out.raw("caches", list_of(dataset.caches));
  out.raw("modes", list_of(dataset.modes));
  out.text("popularity", to_string(dataset.popularity));
  if (!dataset.popularity.counts_file.empty())
    out.text("popularity_sha256", dataset.popularity.counts_sha256);
  // Only where it is: plans without it keep the hash that they have always had.
  if (dataset.compressible) out.text("compressible", compressible_name(*dataset.compressible));
  if (dataset.unit != DuplicateUnit{}) out.text("duplicate_unit", to_string(dataset.unit));
}

void write_stages(Writer& out, const StagesPlan& stages) {
  std::vector<std::string> chains;
  for (const Chain& chain : stages.chains)
    chains.push_back(list_of(chain, [](StageKind kind) { return std::string(to_string(kind)); }));
  out.table("stages");
  out.raw("chains", "[" + join(chains, ", ") + "]");
  out.number("update_share", stages.update_share_percent);
  out.text("update_content", spell(stages.update_content));
  out.size("verify_full_up_to", stages.verify_full_up_to);
  out.number("verify_sample", stages.verify_sample);
  out.duration("limit", stages.limit);
  // A plan without it has the hash that it had before there was such a key.
  if (stages.step_limit != StagesPlan{}.step_limit) out.duration("step_limit", stages.step_limit);
  out.duration("sample_interval", stages.sample_interval);
}

void write_settle(Writer& out, const SettlePlan& settle) {
  out.table("settle");
  out.duration("window", settle.window);
  out.size("tolerance", settle.tolerance);
  out.duration("limit", settle.limit);
  out.duration("interval", settle.interval);
  out.duration("idle", settle.idle);
}

void write_retry(Writer& out, const RetryPlan& retry) {
  out.table("retry");
  out.number("max_retries", retry.max_retries);
  out.text("scope", spell(retry.scope));
  out.raw("delays", list_of(retry.block_delays, format_duration));
  out.number("reconnect_attempts", retry.reconnect.attempts_max);
  out.duration("reconnect_first", retry.reconnect.delay_first);
  out.duration("reconnect_max", retry.reconnect.delay_max);
  out.number("reconnect_jitter", retry.reconnect.jitter_percent);
}

/// Only where there is a scan, so that a plan without one stays what it was.
void write_scan_plan(Writer& out, const ScanPlan& scan) {
  if (scan.chunkers.empty()) return;
  out.table("scan");
  out.raw("chunkers", list_of(scan.chunkers, chunker_name));
  if (!scan.stages.empty())
    out.raw("stages", list_of(scan.stages, [](StageKind kind) { return std::string(to_string(kind)); }));
  out.raw("census", scan.census ? "true" : "false");
  out.size("memory", scan.memory);
  out.number("threads", scan.threads);
  out.duration("limit", scan.limit);
}

void write_hooks(Writer& out, const HooksPlan& hooks) {
  if (hooks.restart.empty() && hooks.after_operations.empty()) return;
  out.table("hooks");
  if (!hooks.restart.empty()) {
    out.raw("restart", list_of(hooks.restart));
    out.duration("restart_limit", hooks.restart_limit);
  }
  if (hooks.after_operations.empty()) return;
  out.raw("after_operations", list_of(hooks.after_operations));
  out.duration("after_operations_limit", hooks.after_operations_limit);
}

void write_prometheus(Writer& out, const PrometheusPlan& prometheus) {
  if (!prometheus.url) return;
  out.table("prometheus");
  out.text("url", *prometheus.url);
  out.text_if_any("user", prometheus.user);
  out.text_if_any("password_env", prometheus.password_env);
  out.text_if_any("password_file", prometheus.password_file);
  out.duration("sample_age", prometheus.sample_age);
  out.duration("kubelet_age", prometheus.kubelet_age);
}

std::string_view spell_scope(bool one_copy) { return one_copy ? "one copy" : "all copies"; }

/// What is the same for all figures that others make; only what the plan says, so that a plan without it
/// stays what it was.
template <class Item>
void write_precision(Writer& out, const Item& item) {
  if (item.step != Item{}.step) out.size("step", item.step);
  if (item.lag != Item{}.lag) out.duration("lag", item.lag);
}

/// The tables below a system's that add rungs.
void write_rungs(Writer& out, const SystemPlan& system, const std::string& header) {
  for (const CommandProbePlan& command : system.commands) {
    out.table(header + ".commands." + key_text(command.name));
    out.raw("argv", list_of(command.argv));
    out.duration("limit", command.limit);
    out.text("scope", spell_scope(command.one_copy));
    write_precision(out, command);
  }
  for (const MetricsProbePlan& metric : system.metrics) {
    const std::string table = header + ".metrics." + key_text(metric.name);
    out.table(table);
    out.text("url", metric.url);
    out.text("metric", metric.metric);
    out.text("scope", spell_scope(metric.one_copy));
    write_precision(out, metric);
    if (metric.sum) out.raw("sum", "true");
    if (metric.age != MetricsProbePlan{}.age) out.duration("age", metric.age);
    out.text_if_any("token_env", metric.token_env);
    out.text_if_any("token_file", metric.token_file);
    if (metric.labels.empty()) continue;
    out.table(table + ".labels");
    for (const auto& [key, value] : metric.labels) out.text(key, value);
  }
}

void write_system(Writer& out, const SystemPlan& system) {
  const std::string header = "systems." + key_text(system.name);
  out.table(header);
  out.text_if_any("url", system.url);
  out.text_if_any("password_env", system.password_env);
  out.text_if_any("password_file", system.password_file);
  out.text_if_any("path", system.path);
  out.text_if_any("directory", system.directory);
  out.raw("variants", list_of(system.variants));
  out.raw("probes", list_of(system.probes));
  out.text_if_any("volume", system.volume);
  out.text_if_any("volume_token_env", system.volume_token_env);
  out.text_if_any("volume_token_file", system.volume_token_file);
  if (system.volume) out.raw("trim", system.trim ? "true" : "false");
  out.text_if_any("identity", system.identity);
  if (system.max_bytes) out.size("max_bytes", *system.max_bytes);
  if (!system.options.empty()) out.table(header + ".options");
  for (const auto& [key, value] : system.options) out.text(key, value);
  write_rungs(out, system, header);
}

}  // namespace

std::string save_plan(const Plan& plan) {
  Writer out;
  write_run(out, plan);
  write_dataset(out, plan.dataset);
  write_stages(out, plan.stages);
  write_settle(out, plan.settle);
  write_retry(out, plan.retry);
  out.table("export");
  out.text("cleanup", spell(plan.export_.cleanup));
  write_scan_plan(out, plan.scan);
  write_hooks(out, plan.hooks);
  write_prometheus(out, plan.prometheus);
  for (const SystemPlan& system : plan.systems)
    if (!system.control) write_system(out, system);
  const std::string text = out.take();
  return text.substr(text.find_first_not_of('\n'));
}

std::string plan_hash(const Plan& plan) {
  Plan unnamed = plan;
  unnamed.name.clear();
  return to_hex(sha256(save_plan(unnamed)));
}

}  // namespace lab
