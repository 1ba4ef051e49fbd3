// Which records belong together: groups of repetitions, and the U0 record that a graded record is compared
// with. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "report/analysis.hpp"
#include "report/statistics.hpp"

namespace lab::report {

/// The groups of all records that are not superseded, rows by repetition. Systems, and stages of one point,
/// in the order of first appearance; a system's variants and payloads as the plan lists them, whatever the
/// order of work was. Verdicts, intervals and etas are not filled in.
std::vector<Group> build_groups(const RunData& run);

/// Grade of a group's name: 90 of "U90". Precondition: made by build_groups.
int grade_of(const Group& group);

/// "sqlite/default random_binary U90 bulk_insert", then the dimensions that are given.
std::string point_name(const Group& group, std::span<const std::string_view> dimensions = {});

/// The dimensions in which groups of one name differ: of object_size, duplicate_unit, total, objects, order,
/// placement, mode, cache, chain.
std::vector<std::string_view> varying_dimensions(std::span<const Group* const> groups);

/// All that names a point but its grade.
std::string point_without_grade(const Group& group);

/// A group's value in one of these dimensions, as text.
std::string dimension_value(const Group& group, std::string_view dimension);

/// Finds the U0 record of the same block, chain, stage and run. Records that are superseded only because
/// another directory has the cell too are found as well: their own twins may be asked for.
class TwinIndex {
 public:
  explicit TwinIndex(const RunData& run);
  /// The U0 row, valid or not. Nothing where there is none.
  std::optional<std::size_t> find(const StageRow& graded) const;

 private:
  using Key = std::tuple<std::size_t, std::string, std::string, std::string>;  // Source, block, chain, stage.
  static Key key_of(const StageRow& row);
  std::map<Key, std::size_t> originals_{};
};

struct Pair {
  std::size_t original = 0;  // Rows of RunData::stages.
  std::size_t graded = 0;
};

/// Pairs that may be compared, and why the others may not: reason -> how many.
struct PairSet {
  std::vector<Pair> pairs{};
  std::map<std::string, std::uint64_t> refused{};
};

/// A pair is one block of one run with both records valid, of one dataset seed, and met by the same server
/// name, version, settings and number of copies. Everything else is refused with its reason.
PairSet pair_rows(const RunData& run, const TwinIndex& twins, std::span<const std::size_t> graded_rows);

/// Eta of each pair that is complete for one probe, in the order of the pairs.
struct EtaSample {
  std::vector<double> etas{};
  double uncertainty = 0;  // Mean over the pairs; shared by them, so not divided by sqrt(n).
  std::map<std::string, std::uint64_t> refused{};  // Those of the PairSet and what is missing for this probe.
};
EtaSample etas_of(const RunData& run, std::span<const StageFigures> figures, const PairSet& pairs,
                  const std::string& probe);

/// "2 pairs without a valid U0; 1 pair below resolution": empty when nothing was refused.
/// `thing` is what was refused, in the singular.
std::string describe_refused(const std::map<std::string, std::uint64_t>& refused,
                             std::string_view thing = "pair");

}  // namespace lab::report
