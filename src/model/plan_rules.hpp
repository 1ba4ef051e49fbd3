// Rules that hold for a plan whether it comes from a file or from flags: words, limits, sums.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/text.hpp"
#include "model/plan_load.hpp"

namespace lab::plan_rules {

inline constexpr std::int64_t kObjectsMax = 1'000'000'000;
inline constexpr std::int64_t kRepetitionsMax = 1'000;
inline constexpr std::int64_t kContainersMax = 1'000;
inline constexpr std::int64_t kRetriesMax = 1'000;
inline constexpr std::uint64_t kCellsMax = 1'000'000;

Error bad(std::string detail);

/// Errors: "'x' is not <what>; did you mean 'y'?", where `what` is "a mode".
template <class T>
Result<T> parse_word(std::string_view what, std::string_view text,
                     std::initializer_list<std::pair<std::string_view, T>> words) {
  std::vector<std::string> names;
  for (const auto& [name, value] : words) {
    if (name == text) return value;
    names.emplace_back(name);
  }
  return bad("'" + std::string(text) + "' is not " + std::string(what) + suggestion(text, names));
}

Result<RetryScope> parse_retry_scope(std::string_view text);
Result<std::string> parse_system(std::string_view text, const Vocabulary& words);
Result<std::string> parse_payload(std::string_view text, const Vocabulary& words);
Result<std::string> parse_mode(std::string_view text);
Result<std::string> parse_probe(std::string_view text);

/// Sizes and counts that must fit each other: totals that hold no object, datasets beyond counting, too many
/// cells.
Status check_amounts(const Plan& plan);

/// An object size "record" is of payloads that have records. A directory takes the first of several sizes.
Status check_records(const DatasetPlan& dataset, const Vocabulary& words);

/// Fills not_built_in and warnings from the plan as it is now.
void review(LoadedPlan& loaded, const Vocabulary& words);

/// True when a password or a token stands in `url`: in its user part or as a parameter. Errs on the careful
/// side.
bool holds_password(std::string_view url);

}  // namespace lab::plan_rules
