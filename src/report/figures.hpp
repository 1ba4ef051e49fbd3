// What follows from one record alone: stored bytes, ratios, shares, and why one of them is missing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/record.hpp"
#include "report/analysis.hpp"

namespace lab::report {

inline constexpr std::string_view kHeadlineProbe = "files";
inline constexpr std::string_view kFreedShare = "freed_share";  // Keys in StageFigures::missing.
inline constexpr std::string_view kReuseShare = "reuse_share";
inline constexpr std::string_view kSecondsTo95 = "seconds_to_95";
inline constexpr std::string_view kClusterRatio = "edr_cluster";

/// Valid, supported and not superseded: only such a record gives numbers to a result.
bool counts(const StageRecord& record);

/// U, less what changed copies share with their original: what a system keeps that finds every copy.
std::int64_t distinct_bytes(const StageRecord& record);

/// L over distinct_bytes: the EDR of such a system. Nothing where one of them is 0.
std::optional<double> largest_ratio(const StageRecord& record);

/// "files" of "files:log"; a whole is its own whole.
std::string_view whole_of(std::string_view probe);

/// Figure of a probe, or of its whole where the part has none of its own: a part drifts, moves and steps at
/// most as its whole does. Nothing where neither was recorded.
std::optional<std::int64_t> part_or_whole(const ByteMap& figures, std::string_view probe);

/// u_sys(B) of a probe in bytes, from quantum, noise floor and residue. A quantum or residue that was not
/// recorded adds nothing; without a noise floor u_sys is not known.
std::optional<double> stored_uncertainty(const StageRecord& record, std::string_view probe);

/// u_sys(B) / |B|. Nothing where u_sys is not known or B is 0.
std::optional<double> relative_uncertainty(const StageRecord& record, std::string_view probe,
                                           std::int64_t stored);

/// True where the probe counts all copies, false for one copy. A part has the scope of its whole. Nothing
/// where it was not recorded although there is more than one copy.
std::optional<bool> counts_all_copies(const StageRecord& record, std::string_view probe);

/// Figures of a valid record, whether superseded or not. The caller decides which records count.
StageFigures compute_figures(const StageRecord& record);

}  // namespace lab::report
