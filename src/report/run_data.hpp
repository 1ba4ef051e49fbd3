// Everything the report reads: one run's journal, or several directories of one plan united.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "model/record.hpp"

namespace lab::report {

/// One record and where its samples are.
struct StageRow {
  StageRecord record{};
  std::size_t source = 0;  // Index into RunData::directories.
  std::int64_t stage_id = 0;
  std::int64_t attempt = 0;
  // Superseded only because an earlier directory has this cell too: no result, but a control of its own run.
  bool counted_elsewhere = false;
  std::optional<Millis> sampling_gap{};  // Longest time without a sample, where it was over 3 periods.
};

/// Plain data, in the order of writing; directories in the order given.
struct RunData {
  RunInfo info{};  // Of the first directory.
  std::vector<std::filesystem::path> directories{};
  std::vector<std::string> run_ids{};  // One a directory.
  std::vector<StageRow> stages{};
  std::vector<Event> events{};
  std::string environment_json = "{}";
  std::vector<std::string> notes{};  // What a reader must know: conflicts, cells left over, missing runs.
  std::uint64_t cells_planned = 0;   // Not counting controls; of the union, each cell once.
  std::uint64_t cells_finished = 0;
};

/// Reads and unites. Errors: kInvalidArgument when the directories are of different plans (systems may
/// differ), naming the key; a cell that stands finished in two directories is a conflict: the first one
/// counts, the other is kept as superseded and named in `notes`.
Result<RunData> load_runs(std::span<const std::filesystem::path> directories);

/// The longest distance of two neighbouring rounds of samples (a round is all samples of one moment), where
/// it is over three times the planned period; nothing otherwise.
std::optional<Millis> find_sampling_gap(std::span<const Sample> samples, Millis period);

/// The id of the run that the directory holds; of the first one where the data was not loaded from
/// directories.
const std::string& run_id_of(const RunData& run, std::size_t source);

/// Samples of one row. Errors: the journal's.
Result<std::vector<Sample>> load_samples(const RunData& run, const StageRow& row);

}  // namespace lab::report
