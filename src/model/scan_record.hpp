// What a scan of a system's files found after a stage: plain figures, made by scan, read by the report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/chunker_spec.hpp"

namespace lab {

/// A path and what is to be said of it.
struct PathNote {
  std::string path{};
  std::string reason{};
  friend auto operator<=>(const PathNote&, const PathNote&) = default;
};

/// Distinct chunks that occur from `copies_from` to `copies_to` times.
struct HistogramRow {
  std::uint64_t copies_from = 1;
  std::uint64_t copies_to = 1;
  std::uint64_t distinct = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const HistogramRow&, const HistogramRow&) = default;
};

/// 95 % of the samples that could have been taken give an interval that holds the true value.
struct SampleInterval {
  double low = 0;
  double high = 0;

  friend bool operator==(const SampleInterval&, const SampleInterval&) = default;
};

/// The figures of one chunker in all files, or in those of one class. Chunks are distinct within these.
struct ChunkFigures {
  std::string name{};  // "all", or the class: "payload", "index", "log", "meta", "mixed".
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hole_bytes = 0;
  std::uint64_t chunks = 0;
  std::uint64_t unique_chunks = 0;
  std::uint64_t unique_bytes = 0;
  std::uint64_t zero_chunks = 0;
  std::uint64_t zero_bytes = 0;  // Of chunks that are nothing but zeros, in holes or not.
  std::vector<HistogramRow> histogram{};
  std::optional<SampleInterval> sampled{};  // Of the residual. None: the counts are exact.

  /// 1 - unique/all: the share that is there more than once. Nothing where there are no bytes.
  std::optional<double> residual() const;

  friend bool operator==(const ChunkFigures&, const ChunkFigures&) = default;
};

struct ChunkRow {
  ChunkerSpec chunker{};
  ChunkFigures figures{};

  friend bool operator==(const ChunkRow&, const ChunkRow&) = default;
};

/// Contents that should not be there any more and were looked for too: deleted, or replaced by an update.
struct GoneContent {
  std::uint64_t originals = 0;
  std::uint64_t copies_whole = 0;
  std::int64_t located_bytes = 0;

  friend bool operator==(const GoneContent&, const GoneContent&) = default;
};

struct CensusPart {
  std::string name{};
  std::int64_t scanned_bytes = 0;
  std::int64_t located_bytes = 0;  // Of all contents that were looked for, those that should be gone too.

  friend bool operator==(const CensusPart&, const CensusPart&) = default;
};

/// How many copies of the known originals lie in the files. Sums over originals that should be there.
struct CensusFigures {
  std::uint64_t originals = 0;
  std::uint64_t uncountable = 0;  // Without bytes of their own: nothing can be said of them.
  std::uint64_t not_found = 0;    // With a count, and not a byte located.
  std::uint64_t copies_expected = 0;
  std::uint64_t copies_countable = 0;  // Of them, of originals that have a count.
  std::uint64_t copies_whole = 0;      // How often the least frequent part of each was found.
  double copies_by_bytes = 0;          // Located bytes in units of each original's size.
  std::int64_t expected_bytes = 0;     // Of the countable copies.
  std::int64_t located_bytes = 0;
  std::int64_t scanned_bytes = 0;
  std::uint64_t slices = 0;
  std::uint64_t ambiguous_slices = 0;
  std::uint64_t false_hits = 0;
  std::uint64_t slice_distance = 0;   // One slice in so many bytes, on average in random data.
  std::int64_t memory = 0;            // What the slices may take.
  std::optional<GoneContent> gone{};  // Absent: there is no such content.
  std::vector<CensusPart> parts{};    // Empty where the files have one class.

  /// Located by expected bytes. Nothing where nothing with a count is expected.
  std::optional<double> share_located() const;

  friend bool operator==(const CensusFigures&, const CensusFigures&) = default;
};

/// Either figures, or the reason why there are none.
struct StageScan {
  std::vector<ChunkRow> rows{};  // Of each chunker in plan order: "all", then the classes that have files.
  std::optional<CensusFigures> census{};
  std::vector<PathNote> left_out{};    // Not counted.
  std::vector<PathNote> incomplete{};  // Counted as read, though changed or not read to the end.
  std::uint64_t spilled_bytes = 0;     // Of temporary files.
  double seconds = 0;                  // Not in the stage's duration.
  std::string missing{};

  friend bool operator==(const StageScan&, const StageScan&) = default;
};

}  // namespace lab
