// toml++ ends here: its tables become plain maps of text.
// SPDX-License-Identifier: Apache-2.0
#include "report/plan_shape.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "model/toml_reader.hpp"

namespace lab::report {
namespace {

std::string value_text(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

/// Leaves of a table under dotted names. An array is a leaf: its order matters.
void flatten(const toml::table& table, const std::string& prefix, Settings& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table())
      flatten(*inner, name + ".", out);
    else
      out[name] = value_text(node);
  }
}

std::vector<std::string> variants_of(const toml::table& system) {
  std::vector<std::string> names;
  if (const toml::array* variants = system["variants"].as_array())
    for (const toml::node& variant : *variants) names.push_back(variant.value_or(std::string()));
  if (names.empty()) names.emplace_back("default");
  return names;
}

void read_systems(const toml::table& systems, PlanShape& shape) {
  for (const auto& [name, node] : systems) {
    const toml::table* system = node.as_table();
    if (system == nullptr) continue;
    const std::string key(name.str());
    flatten(*system, "", shape.systems[key]);
    shape.systems[key].erase("variants");
    shape.variants[key] = variants_of(*system);
  }
}

}  // namespace

Result<PlanShape> read_plan_shape(std::string_view toml_text) {
  auto parsed = parse_toml(toml_text, "plan.toml");
  if (!parsed) return std::move(parsed).error();
  toml::table root = std::move(*parsed);
  PlanShape shape;
  if (const toml::table* systems = root["systems"].as_table()) read_systems(*systems, shape);
  root.erase("systems");
  if (const toml::array* payloads = root["dataset"]["payloads"].as_array())
    for (const toml::node& payload : *payloads) shape.payloads.push_back(payload.value_or(std::string()));
  if (const auto interval = root["stages"]["sample_interval"].value<std::string>())
    if (const auto duration = parse_duration(*interval)) shape.sample_interval = *duration;
  flatten(root, "", shape.settings);
  return shape;
}

std::optional<std::string> first_difference(const Settings& a, const Settings& b) {
  std::set<std::string> keys;
  for (const Settings* settings : {&a, &b})
    for (const auto& [key, value] : *settings) keys.insert(key);
  const auto value_in = [](const Settings& settings, const std::string& key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string("not set") : found->second;
  };
  for (const std::string& key : keys) {
    const std::string first = value_in(a, key);
    const std::string second = value_in(b, key);
    if (first != second) return fmt::format("{} is {} and {}", key, first, second);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> planned_cells_of_union(const std::vector<PlannedRun>& runs) {
  std::set<std::pair<std::string, std::string>> variants;
  std::optional<std::uint64_t> cells_a_variant;
  for (const PlannedRun& run : runs) {
    std::uint64_t own = 0;
    for (const auto& [system, names] : run.shape->variants) {
      own += names.size();
      for (const std::string& name : names) variants.emplace(system, name);
    }
    if (own == 0 || run.cells % own != 0) return std::nullopt;
    if (cells_a_variant && *cells_a_variant != run.cells / own) return std::nullopt;
    cells_a_variant = run.cells / own;
  }
  if (!cells_a_variant) return std::nullopt;
  return *cells_a_variant * variants.size();
}

}  // namespace lab::report
