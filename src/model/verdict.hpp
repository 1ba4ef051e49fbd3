// The answer for one matrix point, stage and probe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lab {

enum class VerdictWord : std::uint8_t {
  kNone,
  kPartial,
  kFull,
  kInconclusive,
  kTooFewRepetitions,
  kWithheld,
  kSemantic
};

/// "none", "partial", "full", "inconclusive", "too_few_repetitions", "withheld", "semantic".
std::string_view to_string(VerdictWord word) noexcept;

struct Verdict {
  std::string system{}, variant{}, payload{}, object_size{};
  std::string duplicate_unit{};  // What the grade, d and so eta are shares of: "object", "block:4 KiB", ...
  std::optional<std::int64_t> total_bytes{};
  std::string grade{}, order{}, placement{}, mode{}, cache{}, chain{}, stage{}, probe{};
  std::optional<double> eta{}, low{}, high{};
  std::uint64_t n = 0;  // Complete valid pairs.
  VerdictWord word = VerdictWord::kInconclusive;
  std::string reason{};
  std::optional<std::uint64_t> removed{}, of{};  // Semantic only.
};

}  // namespace lab
