// What a copy costs: bytes, log bytes, seconds and client CPU a duplicate object, from a line through the
// grades. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/statistics.hpp"

namespace lab::report {

struct Group;
struct RunData;
struct StageFigures;
class TwinIndex;

/// One quantity of one matrix point and inserting stage. With N objects of which x are duplicates, the line
/// through the grades of one block is y(x); each figure is an estimate over the blocks:
///   original   = y(0) / N    an object when none is a duplicate, fixed costs shared out
///   copy       = y(N) / N    an object when (nearly) all are duplicates
///   difference = slope       a duplicate in the place of an original; below 0: saved
struct CopyCost {
  std::string quantity{};  // "stored_bytes:files", "stored_bytes:files:log", "duration_seconds",
                           // "client_cpu_seconds"
  std::string unit{};      // "bytes", "s"
  std::vector<std::string> grades{};
  std::uint64_t objects = 0;  // N
  std::optional<Estimate> original{}, copy{}, difference{};
  // Systematic, of the means; 0 for times. Nothing where a size has no noise floor.
  std::optional<double> u_copy{}, u_difference{};
  std::map<std::string, std::uint64_t> refused{};  // Blocks that are not in it: reason -> how many.
};

/// The costs at the matrix points of `groups`, by the index of their U0 group. bulk_insert and perfile_insert
/// only. A block counts where all grades of its point are valid pairs with U0 and have the quantity.
std::map<std::size_t, std::vector<CopyCost>> compute_costs(const RunData& run,
                                                           std::span<const StageFigures> figures,
                                                           std::span<const Group> groups,
                                                           const TwinIndex& twins);

}  // namespace lab::report
