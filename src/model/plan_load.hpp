// A plan from its TOML file, and back: strict reading, command-line overrides, the effective plan's text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "model/plan.hpp"
#include "model/plan_vocabulary.hpp"

namespace lab {

struct LoadedPlan {
  Plan plan{};
  /// What the plan asks for that is known but not built in, in words: "system 'kafka'", "key
  /// 'scan.chunker'". A dry run shows it, a run refuses it.
  std::vector<std::string> not_built_in{};
  std::vector<std::string> warnings{};
  std::vector<std::string> keys_not_built_in{};  // The part of not_built_in that overrides cannot change.
  std::string payloads_at{};  // Where the payloads come from, before an error: "FILE:LINE: key 'x': " or
                              // "--payloads: ".
};

/// Reads a plan; nothing falls back to a default that the plan names otherwise. Errors: kInvalidArgument with
/// "FILE:LINE: key 'x.y': what; did you mean 'z'?" (syntax errors with the line and a caret below),
/// kNotFound, kRefused and kIo for the file itself. No error text ever holds a value of `url`.
Result<LoadedPlan> load_plan(const std::filesystem::path& file, const Vocabulary& words);

/// The same from a text; `file` is for errors and, by its stem, the plan's name.
Result<LoadedPlan> parse_plan(std::string_view text, const std::filesystem::path& file,
                              const Vocabulary& words);

/// Flags of the command line that replace what the plan says; lists may be given as "a,b" too. A system that
/// the plan does not name gets its defaults.
struct PlanOverrides {
  std::vector<std::string> systems{};
  std::vector<std::string> payloads{};
  std::vector<std::string> grades{};
  std::optional<std::int64_t> repetitions{};
  std::optional<std::int64_t> objects{};  // Replaces totals too.
  std::optional<std::string> object_size{};
  std::optional<std::int64_t> max_retries{};
  std::optional<std::string> retry_scope{};
};

/// Changes `loaded`, its not_built_in and its warnings; on an error nothing is changed. Errors:
/// kInvalidArgument naming the flag, with the nearest valid word.
Status apply(LoadedPlan& loaded, const PlanOverrides& overrides, const Vocabulary& words);

/// The effective plan with every key, as TOML that load_plan reads back to an equal plan. Equal plans give
/// equal texts.
std::string save_plan(const Plan& plan);

/// SHA-256 of save_plan, in hexadecimal; the plan's name does not count, so a renamed file is the same plan.
std::string plan_hash(const Plan& plan);

}  // namespace lab
