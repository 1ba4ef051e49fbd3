// The judgement of the instrument itself: could it see "no deduplication" and "full deduplication" in this
// run? SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "report/analysis.hpp"
#include "report/pairs.hpp"

namespace lab::report {

inline constexpr double kFilesEtaMax = 0.02;  // |eta| of plain files, whose answer is 0.
inline constexpr double kCasEtaMin = 0.95;    // Eta of content-addressed files, whose answer is 1.

/// One outcome a payload that has a grade above U0, at its highest grade, stage bulk_insert (where a plan's
/// chains have none, perfile_insert), default variants of `files` and `cas`, whether the plan names them or
/// they were added. Eta is the mean over the complete valid pairs of one group of one run; where there are
/// several groups or runs the worst mean counts, so that one good cell hides no bad one; pairs are those of
/// the mean with the fewest. A run that measured the payload without complete controls fails it.
std::vector<ControlOutcome> judge_controls(const RunData& run, std::span<const StageFigures> figures,
                                           const TwinIndex& twins);

}  // namespace lab::report
