// SPDX-License-Identifier: Apache-2.0
#include "cli/system_flags.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/execute.hpp"
#include "cli/plan_words.hpp"
#include "core/plain_text.hpp"
#include "core/text.hpp"
#include "model/plan_rules.hpp"

namespace lab::cli {
namespace {

Error bad(const std::string& flag, const std::string& detail) {
  return {ErrorCode::kInvalidArgument, "command line", flag + ": " + detail};
}

/// The options by their names. Errors: kInvalidArgument.
Result<std::map<std::string, std::string>> options_of(const std::vector<std::string>& words,
                                                      const SystemEntry& entry) {
  std::map<std::string, std::string> options;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) return bad("--option", "'" + word + "' is not KEY=VALUE");
    const std::string key = word.substr(0, equals);
    if (std::find(entry.options.begin(), entry.options.end(), key) == entry.options.end())
      return bad("--option", entry.options.empty()
                                 ? fmt::format("'{}': {} has no options", key, entry.name)
                                 : fmt::format("unknown option '{}'{}", key, suggestion(key, entry.options)));
    if (!options.emplace(key, word.substr(equals + 1)).second)
      return bad("--option", "'" + key + "' is given twice");
  }
  return options;
}

Status check_variant(const std::string& variant, const SystemEntry& entry) {
  std::vector<std::string> names{"default"};
  for (const VariantInfo& known : entry.variants) names.push_back(known.name);
  if (std::find(names.begin(), names.end(), variant) != names.end()) return ok();
  return bad("--variant",
             fmt::format("'{}' is not a variant of {}{}", variant, entry.name, suggestion(variant, names)));
}

/// Where the system is: a server has an address, an embedded one a folder.
Status check_place(const SystemFlags& flags, const SystemEntry& entry) {
  if (entry.embedded && !flags.url.empty())
    return bad("--url", entry.name + " is embedded: its data is in a folder, --path");
  if (entry.embedded && flags.path.empty())
    return bad("--path", entry.name + " is embedded: name the folder of its data");
  if (entry.embedded) return ok();
  if (!flags.path.empty()) return bad("--path", entry.name + " is a server: it has a --url");
  if (flags.url.empty()) return bad("--url", entry.name + " is a server: say where it is");
  if (plan_rules::holds_password(flags.url))
    return bad("--url", "it holds a password: set the environment variable " + entry.password_env);
  return ok();
}

/// What the driver has against the values, at the flag where they stand.
Status check_values(const SystemPlan& system, const SystemEntry& entry, const std::string& flag) {
  if (entry.check == nullptr) return ok();
  const Status fits = entry.check(
      {.variant = system.variants.front(), .url = system.url.value_or(""), .options = system.options});
  if (fits) return ok();
  const std::string& key = fits.error().operation;
  if (key == "url") return bad("--url", fits.error().detail);
  return bad(key.starts_with("options.") ? "--option" : flag, fits.error().detail);
}

}  // namespace

Result<NamedSystem> named_system(const SystemFlags& flags, const std::string& flag) {
  const auto known = plan_rules::parse_system(flags.name, vocabulary());
  if (!known) return bad(flag, known.error().detail);
  const SystemEntry* const entry = find_system(built_in_systems(), flags.name);
  if (entry == nullptr) return bad(flag, "'" + flags.name + "' is not built in");
  if (!entry->has_files) return bad(flag, entry->name + " keeps nothing that others could read");
  LAB_TRY(check_place(flags, *entry));
  SystemPlan system{.name = entry->name};
  if (!flags.variant.empty()) system.variants = {flags.variant};
  LAB_TRY(check_variant(system.variants.front(), *entry));
  if (!flags.url.empty()) system.url = flags.url;
  if (!flags.path.empty()) system.path = std::filesystem::absolute(flags.path).string();
  auto options = options_of(flags.options, *entry);
  if (!options) return std::move(options).error();
  system.options = std::move(*options);
  LAB_TRY(check_values(system, *entry, flag));
  NamedSystem named{.entry = *entry};
  named.plan.systems.push_back(std::move(system));
  return named;
}

std::string first_flag_of(const SystemFlags& flags) {
  if (!flags.url.empty()) return "--url";
  if (!flags.path.empty()) return "--path";
  if (!flags.variant.empty()) return "--variant";
  return flags.options.empty() ? "" : "--option";
}

std::string clean_command(const SystemPlan& system) {
  std::string command = shell_word(program_word()) + " clean --from " + shell_word(system.name);
  if (system.url) command += " --url " + shell_word(*system.url);
  if (system.path) command += " --path " + shell_word(*system.path);
  for (const auto& [key, value] : system.options) command += " --option " + shell_word(key + "=" + value);
  return command;
}

}  // namespace lab::cli
