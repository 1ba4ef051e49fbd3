// Pairing is strict: a pair that differs in anything but the grade would measure that difference too.
// SPDX-License-Identifier: Apache-2.0
#include "report/pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/text.hpp"
#include "report/figures.hpp"
#include "report/plan_shape.hpp"

namespace lab::report {
namespace {

constexpr std::array<std::string_view, 9> kDimensions{
    "object_size", "duplicate_unit", "total", "objects", "order", "placement", "mode", "cache", "chain"};

/// The group that a record belongs to, without its rows.
Group shape_of(const StageRecord& record) {
  const Cell& cell = record.cell;
  Group group;
  group.system = cell.system;
  group.variant = cell.variant;
  group.payload = cell.dataset.payload;
  group.object_size = object_size_name(cell.dataset);
  group.duplicate_unit = to_string(cell.dataset.unit);
  if (cell.total_bytes) group.total_bytes = cell.total_bytes->count;
  group.objects = cell.dataset.objects;
  group.grade = grade_name(cell.dataset.grade);
  group.order = to_string(cell.dataset.order);
  group.placement = to_string(cell.dataset.placement);
  group.mode = cell.mode;
  group.cache = cell.cache;
  group.chain = record.chain;
  group.stage = record.stage;
  group.control = cell.control;
  return group;
}

auto identity_of(const Group& group) {
  return std::tie(group.system, group.variant, group.payload, group.object_size, group.duplicate_unit,
                  group.total_bytes, group.objects, group.grade, group.order, group.placement, group.mode,
                  group.cache, group.chain, group.stage, group.control);
}

struct ByIdentity {
  bool operator()(const Group& a, const Group& b) const { return identity_of(a) < identity_of(b); }
};

std::string server_name(const ServerIdentity& server) {
  return server.version.empty() ? server.name : fmt::format("{} {}", server.name, server.version);
}

/// What only the records of a group can tell.
void describe_rows(const RunData& run, Group& group) {
  const auto repetition = [&](std::size_t row) { return run.stages[row].record.cell.repetition; };
  std::stable_sort(group.rows.begin(), group.rows.end(),
                   [&](std::size_t a, std::size_t b) { return repetition(a) < repetition(b); });
  std::set<std::string> servers;
  for (const std::size_t row : group.rows) {
    const StageRecord& record = run.stages[row].record;
    if (const std::string name = server_name(record.server); !name.empty()) servers.insert(name);
    if (!counts(record)) continue;
    group.valid_rows += 1;
    if (group.edr_max == 0) group.edr_max = largest_ratio(record).value_or(0);
  }
  const std::vector<std::string> names(servers.begin(), servers.end());
  group.server = join(names, ", ");
}

/// Why two records of one block are no pair; empty when they are.
std::string refusal(const StageRecord& original, const StageRecord& graded) {
  if (!original.valid || original.unsupported) return "its U0 is not valid";
  if (original.cell.dataset.dataset_seed != graded.cell.dataset.dataset_seed)
    return "its U0 has another dataset seed";
  if (original.server.name != graded.server.name || original.server.version != graded.server.version)
    return "its U0 was met by another server version";
  if (original.settings != graded.settings) return "its U0 ran under other server settings";
  if (original.copies != graded.copies) return "its U0 was kept in another number of copies";
  if (original.storage_copies && graded.storage_copies && *original.storage_copies != *graded.storage_copies)
    return "its U0 was kept by the storage in another number of copies";
  return {};
}

/// What the figures of a probe, or of the whole that it is a part of, are of; absent where nobody told.
std::optional<std::string> counted_by(const StageRecord& record, const std::string& probe) {
  for (const std::string_view name : {std::string_view(probe), whole_of(probe)})
    if (const auto found = record.counted.find(std::string(name)); found != record.counted.end())
      return found->second;
  return std::nullopt;
}

/// Why a pair that may be compared otherwise may not by this probe; empty when it may.
std::string refusal_by(const StageRecord& original, const StageRecord& graded, const std::string& probe) {
  for (const StageRecord* record : {&original, &graded})
    if (!stored_uncertainty(*record, probe)) return std::string(kNoNoiseFloor);
  const auto before = counted_by(original, probe);
  const auto now = counted_by(graded, probe);
  if (before == now) return {};
  const std::string unknown = "something that its record does not tell";
  return fmt::format("its U0 counted {}, and this {}", before.value_or(unknown), now.value_or(unknown));
}

/// Precondition: the uncertainty is known.
PairSide side_of(const StageRecord& record, std::int64_t stored, const std::string& probe) {
  return {record.logical_bytes, distinct_bytes(record), stored, stored_uncertainty(record, probe).value()};
}

/// Why a row has no stored bytes by a probe.
std::string why_missing(const StageFigures& figures, const std::string& probe) {
  const auto reason = figures.missing.find(probe);
  if (reason == figures.missing.end()) return "no figure";
  // Numbers differ by repetition and would split one cause into many.
  return reason->second.starts_with("below resolution") ? "below resolution" : reason->second;
}

}  // namespace

namespace {

/// Where the plan lists a group; what it does not list comes last.
class PlanOrder {
 public:
  explicit PlanOrder(const RunData& run) {
    if (auto shape = read_plan_shape(run.info.plan_toml)) shape_ = std::move(*shape);
    for (const StageRow& row : run.stages) systems_.try_emplace(row.record.cell.system, systems_.size());
  }
  std::tuple<std::size_t, std::size_t, std::size_t> of(const Group& group) const {
    const auto variants = shape_.variants.find(group.system);
    return {systems_.at(group.system),
            variants == shape_.variants.end() ? 0 : place_in(variants->second, group.variant),
            place_in(shape_.payloads, group.payload)};
  }

 private:
  static std::size_t place_in(const std::vector<std::string>& names, const std::string& name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }
  PlanShape shape_{};
  std::map<std::string, std::size_t> systems_{};
};

}  // namespace

std::vector<Group> build_groups(const RunData& run) {
  std::vector<Group> groups;
  std::map<Group, std::size_t, ByIdentity> places;
  for (std::size_t row = 0; row < run.stages.size(); ++row) {
    const StageRecord& record = run.stages[row].record;
    if (record.superseded) continue;
    Group shape = shape_of(record);
    const auto [place, is_new] = places.try_emplace(shape, groups.size());
    if (is_new) groups.push_back(std::move(shape));
    groups[place->second].rows.push_back(row);
  }
  for (Group& group : groups) describe_rows(run, group);
  const PlanOrder order(run);
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const Group& a, const Group& b) { return order.of(a) < order.of(b); });
  return groups;
}

int grade_of(const Group& group) {
  const auto grade = parse_grade(group.grade);
  LAB_CHECK(grade.has_value(), "a group's grade was written by grade_name");
  return *grade;
}

std::string dimension_value(const Group& group, std::string_view dimension) {
  if (dimension == "object_size") return group.object_size;
  if (dimension == "duplicate_unit") return group.duplicate_unit;
  if (dimension == "total")
    return group.total_bytes ? format_bytes_exact(Bytes{*group.total_bytes}) : "as found";
  if (dimension == "objects") return fmt::format("{}", group.objects);
  if (dimension == "order") return group.order;
  if (dimension == "placement") return group.placement;
  if (dimension == "mode") return group.mode;
  if (dimension == "cache") return group.cache;
  return group.chain;
}

std::vector<std::string_view> varying_dimensions(std::span<const Group* const> groups) {
  std::vector<std::string_view> varying;
  for (const std::string_view dimension : kDimensions) {
    // Compared within one name only: that two payloads have different sizes tells no two lines apart. What is
    // told by the dimensions before is not told again.
    std::map<std::string, std::string> first;
    for (const Group* group : groups) {
      const auto [known, is_new] =
          first.try_emplace(point_name(*group, varying), dimension_value(*group, dimension));
      if (is_new || known->second == dimension_value(*group, dimension)) continue;
      varying.push_back(dimension);
      break;
    }
  }
  return varying;
}

std::string point_name(const Group& group, std::span<const std::string_view> dimensions) {
  std::string name =
      fmt::format("{}/{} {} {} {}", group.system, group.variant, group.payload, group.grade, group.stage);
  for (const std::string_view dimension : dimensions)
    name += fmt::format(" {}={}", dimension, dimension_value(group, dimension));
  return name;
}

std::string point_without_grade(const Group& group) {
  Group other = group;
  other.grade.clear();
  return point_name(other, kDimensions);
}

TwinIndex::Key TwinIndex::key_of(const StageRow& row) {
  return {row.source, block_id(row.record.cell), row.record.chain, row.record.stage};
}

TwinIndex::TwinIndex(const RunData& run) {
  for (std::size_t row = 0; row < run.stages.size(); ++row) {
    const StageRow& stage = run.stages[row];
    const bool of_result = !stage.record.superseded || stage.counted_elsewhere;
    if (of_result && stage.record.cell.dataset.grade == 0) originals_.try_emplace(key_of(stage), row);
  }
}

std::optional<std::size_t> TwinIndex::find(const StageRow& graded) const {
  const auto found = originals_.find(key_of(graded));
  if (found == originals_.end()) return std::nullopt;
  return found->second;
}

PairSet pair_rows(const RunData& run, const TwinIndex& twins, std::span<const std::size_t> graded_rows) {
  PairSet set;
  for (const std::size_t row : graded_rows) {
    const StageRow& graded = run.stages[row];
    if (!graded.record.valid || graded.record.unsupported) {
      set.refused[graded.record.unsupported ? "unsupported" : "not valid"] += 1;
      continue;
    }
    const auto twin = twins.find(graded);
    if (!twin) {
      set.refused["there is no U0 of its block"] += 1;
      continue;
    }
    const std::string why = refusal(run.stages[*twin].record, graded.record);
    if (why.empty())
      set.pairs.push_back({*twin, row});
    else
      set.refused[why] += 1;
  }
  return set;
}

EtaSample etas_of(const RunData& run, std::span<const StageFigures> figures, const PairSet& pairs,
                  const std::string& probe) {
  EtaSample sample{.refused = pairs.refused};
  double uncertainties = 0;
  for (const Pair& pair : pairs.pairs) {
    const auto original = figures[pair.original].stored_bytes.find(probe);
    const auto graded = figures[pair.graded].stored_bytes.find(probe);
    if (original == figures[pair.original].stored_bytes.end()) {
      sample.refused["U0: " + why_missing(figures[pair.original], probe)] += 1;
      continue;
    }
    if (graded == figures[pair.graded].stored_bytes.end()) {
      sample.refused[why_missing(figures[pair.graded], probe)] += 1;
      continue;
    }
    const std::string why =
        refusal_by(run.stages[pair.original].record, run.stages[pair.graded].record, probe);
    if (!why.empty()) {
      sample.refused[why] += 1;
      continue;
    }
    const auto eta =
        duplicate_removal_efficiency(side_of(run.stages[pair.original].record, original->second, probe),
                                     side_of(run.stages[pair.graded].record, graded->second, probe));
    if (!eta) {
      sample.refused[eta.error().detail] += 1;
      continue;
    }
    sample.etas.push_back(eta->eta);
    uncertainties += eta->uncertainty;
  }
  if (!sample.etas.empty()) sample.uncertainty = uncertainties / static_cast<double>(sample.etas.size());
  return sample;
}

std::string describe_refused(const std::map<std::string, std::uint64_t>& refused, std::string_view thing) {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : refused)
    parts.push_back(fmt::format("{} {}{} refused: {}", count, thing, count == 1 ? "" : "s", reason));
  return join(parts, "; ");
}

}  // namespace lab::report
