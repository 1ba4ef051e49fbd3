// Records by formula, so that each test states only what it is about.
// SPDX-License-Identifier: Apache-2.0
#include "report/testing/sample_run.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace lab::report {

StageRecord make_record(const Shape& shape) {
  StageRecord record;
  Cell& cell = record.cell;
  cell.system = shape.system;
  cell.variant = shape.variant;
  cell.dataset.payload = shape.payload;
  cell.dataset.grade = shape.grade;
  cell.dataset.objects = kObjects;
  cell.dataset.object_size.low = Bytes{kObjectBytes};
  cell.dataset.dataset_seed = dataset_seed_of(42, shape.payload, shape.repetition);
  cell.total_bytes = Bytes{kLogical};
  cell.mode = "blob";
  cell.cache = "warm";
  cell.repetition = shape.repetition;
  cell.control = shape.control;
  record.cell_id = cell_id(cell);
  record.chain = "bulk_insert";
  record.stage = "bulk_insert";
  record.server = {"Server", "1.2.3", "here", "now"};
  record.valid = true;
  record.settled = true;
  record.objects = kObjects;
  record.objects_live = kObjects;
  record.bytes_acked = kLogical;
  record.logical_bytes = kLogical;
  record.unique_objects = distinct_objects(kObjects, shape.grade);
  record.unique_bytes = static_cast<std::int64_t>(record.unique_objects) * kObjectBytes;
  const double share = 1 - static_cast<double>(record.unique_bytes) / static_cast<double>(kLogical);
  const auto stored = std::llround(shape.cost * static_cast<double>(kLogical) * (1 - shape.eta * share));
  for (const std::string probe : {"files", "apparent"}) {
    record.empty_bytes[probe] = kEmptyBytes;
    record.before_bytes[probe] = kEmptyBytes;
    record.after_bytes[probe] = kEmptyBytes + stored;
    record.noise_bytes[probe] = shape.noise;
    record.quantum_bytes[probe] = shape.quantum;
    record.residue_bytes[probe] = 0;
    record.scope[probe] = "all copies";
  }
  record.duration_seconds = 2;
  record.ended_ms = 1'700'000'000'000 + shape.repetition;
  return record;
}

void add_record(RunData& run, StageRecord record, std::size_t source) {
  const auto number = static_cast<std::int64_t>(run.stages.size()) + 1;
  run.stages.push_back({.record = std::move(record), .source = source, .stage_id = number, .attempt = 1});
}

void add_pairs(RunData& run, Shape shape, const std::vector<double>& etas, std::size_t source) {
  shape.repetition = 0;
  for (const double eta : etas) {
    shape.repetition += 1;
    shape.grade = 0;
    add_record(run, make_record(shape), source);
    shape.grade = 90;
    shape.eta = eta;
    add_record(run, make_record(shape), source);
  }
}

void add_controls(RunData& run, const std::string& payload, int repetitions, std::size_t source) {
  const auto count = static_cast<std::size_t>(repetitions);
  add_pairs(run, {.system = "files", .payload = payload, .control = true}, std::vector<double>(count, 0.0),
            source);
  add_pairs(run, {.system = "cas", .payload = payload, .control = true}, std::vector<double>(count, 1.0),
            source);
}

const Group& group_of(const Analysis& analysis, const std::string& system, const std::string& grade,
                      const std::string& stage) {
  for (const Group& group : analysis.groups)
    if (group.system == system && group.grade == grade && group.stage == stage) return group;
  ADD_FAILURE() << "no group " << system << " " << grade << " " << stage;
  static const Group kNone;
  return kNone;
}

const Verdict& verdict_of(const Analysis& analysis, const std::string& system, const std::string& probe) {
  const Group& group = group_of(analysis, system);
  const auto found = group.verdicts.find(probe);
  if (found != group.verdicts.end()) return found->second;
  ADD_FAILURE() << "no verdict of " << system << " by " << probe;
  static const Verdict kNone;
  return kNone;
}

}  // namespace lab::report
