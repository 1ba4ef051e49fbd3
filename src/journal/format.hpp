// What a journal's file holds: its names, schema and marks, and samples as packed bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "journal/database.hpp"
#include "journal/journal.hpp"

namespace lab::journal_store {

inline constexpr const char* kFileName = "journal.db";

/// Of a SQLite file that is a journal of ours: "ddlb" in its header.
inline constexpr int kApplicationId = 0x6464'6C62;

// Words of attempts.state.
inline constexpr const char* kRunning = "running";
inline constexpr const char* kComplete = "complete";
inline constexpr const char* kSuperseded = "superseded";

/// Schema, marks and the run's row.
Status write_schema(Database& database, const RunInfo& info);

/// Errors: kRefused for a SQLite file that is not ours or has another format, kCorruption for an empty one.
Status check_format(Database& database, const std::filesystem::path& file);

/// Errors: kCorruption when a value is missing or no number.
Result<RunInfo> load_run_info(Database& database);

/// Samples of one stage by metric and unit, each as 16 bytes: time in milliseconds (int64), then the value
/// (IEEE 754 double), little-endian.
using PackedSamples = std::map<std::pair<std::string, std::string>, std::string>;
PackedSamples pack(std::span<const Sample> samples);

/// Appends them to `samples`. Errors: kCorruption for a length that is no multiple of 16.
Status unpack(const std::string& metric, const std::string& unit, std::string_view packed,
              std::vector<Sample>& samples);

}  // namespace lab::journal_store
