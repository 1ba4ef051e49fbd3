// What a scan found, as JSON: in a stage's record, and in the answer of `scan --json`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "model/scan_record.hpp"

namespace lab {

/// Adds the figures, the residual among them, to `object`; the name of the class is not part of it.
void add_chunk_figures(nlohmann::ordered_json& object, const ChunkFigures& figures);

/// The sums over all files, with `chunker` "census"; a share of nothing is an absent key.
nlohmann::ordered_json census_json(const CensusFigures& census);

/// `part`, `scanned_bytes`, `located_bytes`.
nlohmann::ordered_json census_part_json(const CensusPart& part);

/// An array of `path` and `reason`.
nlohmann::ordered_json notes_json(const std::vector<PathNote>& notes);

/// Adds those of the array under `key` to `notes`; an absent key is none. Errors: kCorruption naming the key.
Status read_notes(const nlohmann::ordered_json& in, const char* key, std::vector<PathNote>& notes);

/// Adds the keys `scan`, `scan_seconds`, `scan_spilled_bytes`, `scan_left_out` and `scan_incomplete` to a
/// record, or `scan_missing` alone.
void write_scan(nlohmann::ordered_json& out, const StageScan& scan);

/// Reads back what write_scan wrote; nothing where a record has no scan. Errors: kCorruption naming the key.
Status read_scan(const nlohmann::ordered_json& in, std::optional<StageScan>& scan);

}  // namespace lab
