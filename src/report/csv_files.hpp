// The five CSV files of a run directory. docs/results.md lists their columns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "report/analysis.hpp"

namespace lab::report {

/// results.csv: one metric a row, every record that is not superseded. A value that failed is blank.
/// Errors of all five: the file's; of write_samples_csv also the journal's.
Status write_results_csv(const RunData& run, const Analysis& analysis, const std::filesystem::path& path);

/// stages.csv: one record a row, superseded ones too, the same columns whatever the run holds.
Status write_stages_csv(const RunData& run, const Analysis& analysis, const std::filesystem::path& path);

/// samples.csv: one sample a row, of the records that are not superseded. Holds the samples of one record in
/// memory at a time.
Status write_samples_csv(const RunData& run, const std::filesystem::path& path);

/// events.csv: one event a row, in the order of writing.
Status write_events_csv(const RunData& run, const std::filesystem::path& path);

/// scans.csv: one figure of one scan a row, of the records that count; only its header where none was
/// scanned.
Status write_scans_csv(const RunData& run, const std::filesystem::path& path);

}  // namespace lab::report
