// What a journal's file holds: its names, schema and marks, and samples as packed bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

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

/// Before it is opened, since SQLite would wait for a pipe. Errors: kRefused for no regular file.
Status check_kind(mode_t mode, const std::filesystem::path& file);

/// Errors: kRefused for a SQLite file that is not ours or has another format, kCorruption for an empty one.
Status check_format(Database& database, const std::filesystem::path& file);

/// Errors: kCorruption when a value is missing or no number.
Result<RunInfo> load_run_info(Database& database);

/// A record's text with its check at the end, as a member of the JSON object: `"seal":"` and 16 hexadecimal
/// digits of the SHA-256 of all before it. SQLite notices a broken page, but not a digit that has become
/// another.
std::string sealed(std::string text);

/// The text without its seal. Errors: kCorruption where it is not what was sealed, or has none and `must`
/// have one.
Result<std::string> unsealed(std::string_view text, bool must);

/// Whether each record of the journal has a seal: all that were begun since there are any.
Result<bool> seals_records(Database& database);

/// Pages, constraints, and that indexes hold what tables do. Errors: kCorruption.
Status check_pages(Database& database);

/// Samples of one stage by metric and unit, each as 16 bytes: time in milliseconds (int64), then the value
/// (IEEE 754 double), little-endian.
using PackedSamples = std::map<std::pair<std::string, std::string>, std::string>;
PackedSamples pack(std::span<const Sample> samples);

/// Appends them to `samples`. Errors: kCorruption for a length that is no multiple of 16.
Status unpack(const std::string& metric, const std::string& unit, std::string_view packed,
              std::vector<Sample>& samples);

}  // namespace lab::journal_store
