// The ladder of a stage: what each rung keeps of the bytes above it, and the rung where duplicates vanish.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "model/record.hpp"
#include "model/verdict.hpp"

namespace lab::report {

struct Group;
struct RunData;
struct StageFigures;

/// From the top to the bottom; above all of them stands L.
inline constexpr std::array<std::string_view, 13> kRungs{
    "engine", "apparent", "files", "extents", "btrfs",          "filesystem", "kubelet",
    "minio",  "zfs",      "zpool", "volume",  "volume:trimmed", "vdo"};
inline constexpr std::string_view kLogicalRung = "L";

/// Two neighbours of the rungs that answered.
struct LadderStep {
  std::string above{};  // "L" or a probe.
  std::string rung{};
  double factor = 0;  // Bytes of one copy above / bytes of one copy here; 1 = nothing saved.
  std::optional<double> uncertainty = 0;  // Relative, from u_sys of both sizes; L is exact.
};

/// Rungs without a figure are left out, so each factor stands between rungs that answered.
struct Ladder {
  std::vector<LadderStep> steps{};
  double whole = 0;  // EDR of the lowest rung, L / (B / n), taken from the figures and not from the steps.
};

/// Of one valid record. Nothing where L = 0 or where no rung has a ratio.
std::optional<Ladder> compute_ladder(const StageRecord& record, const StageFigures& figures);

/// The product of the factors is the whole, to 1e-9 of it. Errors: kInternal, with both numbers.
Status check_product(std::span<const LadderStep> steps, double whole);

/// A step over the repetitions: geometric mean, interval on the log scale.
struct MeanStep {
  std::string above{}, rung{};
  double factor = 0;
  std::optional<double> low{}, high{};
  std::string no_interval{};  // Why they are absent; empty where they are not.
};

enum class VanishWord : std::uint8_t { kAt, kNowhere, kNotTold, kSemantic };

/// "at", "nowhere", "not_told", "semantic".
std::string_view to_string(VanishWord word) noexcept;

/// Where duplicates vanish.
struct Vanishing {
  VanishWord word = VanishWord::kNotTold;
  std::string rung{};  // For `at` only.
  std::string reason{};
};

/// What one rung says about duplicates; rungs from the top to the bottom.
struct RungVerdict {
  std::string rung{};
  VerdictWord word = VerdictWord::kInconclusive;
};

/// Behind the rungs stand the probes that a plan brings (`command:`, `metrics:`): where they stand is not
/// known, so they have no factor. The first rung whose verdict is partial or full while all above it say
/// none. L above them pays for every duplicate by definition. `nowhere` where every rung says none;
/// `not_told` where a rung that decides has no clear word, or no rung has one at all.
Vanishing find_vanishing(std::span<const RungVerdict> rungs);

/// The ladder of a group of repetitions.
struct LadderSummary {
  std::vector<MeanStep> steps{};  // Between rungs that have a figure in each valid repetition.
  double product = 1;             // Of the mean factors.
  double whole = 0;               // Geometric mean of the EDR of the lowest rung.
  std::uint64_t n = 0;            // Repetitions.
  std::string broken{};           // Why product and whole differ; empty where they agree.
  std::map<std::string, std::string> left_out{};  // Rung -> why it has no figure in each repetition.
  std::map<std::string, std::string> scope{};     // Probe, parts too -> "one copy", "all copies".
  std::optional<Vanishing> vanishing{};           // Of a grade above U0.
};

/// Nothing where no repetition has a ladder. `group` has its edr and verdicts already.
std::optional<LadderSummary> summarize_ladder(const RunData& run, std::span<const StageFigures> figures,
                                              const Group& group);

/// "L/apparent 1.00 x apparent/files 0.98 = 0.98; duplicates vanish at files": the ladder as one line.
std::string describe(const LadderSummary& ladder);

}  // namespace lab::report
