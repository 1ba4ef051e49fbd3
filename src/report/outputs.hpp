// What the report writes: CSV, JSON, HTML into a folder, and the table for the terminal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "report/analysis.hpp"

namespace lab::report {

enum class Format : std::uint8_t { kCsv, kJson, kHtml };

/// Writes results.csv, stages.csv, samples.csv, events.csv, scans.csv (kCsv), results.json (kJson),
/// report.html (kHtml) into `folder`, each by rename, complete or not at all. Errors: the file's (exit code
/// 4).
Status write_outputs(const RunData& run, const Analysis& analysis, const std::filesystem::path& folder,
                     const std::set<Format>& formats);

/// results.json's text.
std::string results_json(const RunData& run, const Analysis& analysis);

/// The self-contained page: no request leaves it.
Result<std::string> report_html(const RunData& run, const Analysis& analysis);

/// EDR, eta with interval and verdict by system, variant, payload and grade for the first stage of the
/// headline (bulk_insert, probe `files`), for a terminal of `width` columns.
std::string answer_table(const Analysis& analysis, std::size_t width = 100);

}  // namespace lab::report
