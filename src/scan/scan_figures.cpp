// SPDX-License-Identifier: Apache-2.0
#include "scan/scan_figures.hpp"

#include <algorithm>
#include <cmath>

namespace lab::scan {
namespace {

constexpr double kNormal95 = 1.959964;  // 97.5 % of a normal distribution lie below it.

void add_rows(std::vector<HistogramRow>& rows, const DistinctFigures& counted, const DistinctFigures& zeros,
              std::uint64_t scale) {
  for (std::size_t bucket = 0; bucket < counted.buckets.size(); ++bucket) {
    const MultiplicityBucket& seen = counted.buckets[bucket];
    const MultiplicityBucket& zero = zeros.buckets[bucket];
    HistogramRow row;
    row.copies_to = bucket == 64 ? ~0ULL : 1ULL << bucket;
    row.copies_from = bucket == 0 ? 1 : (1ULL << (bucket - 1)) + 1;
    row.distinct = seen.distinct * scale + zero.distinct;
    row.chunks = seen.chunks * scale + zero.chunks;
    row.bytes = seen.bytes * scale + zero.bytes;
    if (row.distinct > 0) rows.push_back(row);
  }
}

/// Each distinct chunk was kept with a chance p = 1/scale, independently. So the sum over those kept, times
/// scale, has a variance that (1 - p) / p^2 times the sum of their squares estimates.
SampleInterval interval_of(double unique, const DistinctFigures& counted, std::uint64_t scale,
                           std::uint64_t bytes) {
  const auto inverse = static_cast<double>(scale);
  const double spread =
      kNormal95 * std::sqrt(counted.squared_bytes * (1.0 - 1.0 / inverse) * inverse * inverse);
  const auto all = static_cast<double>(bytes);
  const double fewest = static_cast<double>(counted.bytes);  // These were seen.
  return {1.0 - std::min(all, unique + spread) / all, 1.0 - std::clamp(unique - spread, fewest, all) / all};
}

ChunkFigures figures(std::string name, const FilesRead& read, const Met& met, const DistinctFigures& counted,
                     const DistinctFigures& zeros, unsigned level) {
  const std::uint64_t scale = 1ULL << level;
  ChunkFigures made{.name = std::move(name),
                    .files = read.files,
                    .bytes = read.bytes,
                    .hole_bytes = read.hole_bytes,
                    .chunks = met.chunks,
                    .unique_chunks = counted.chunks * scale + zeros.chunks,
                    .unique_bytes = counted.bytes * scale + zeros.bytes,
                    .zero_chunks = met.zero_chunks,
                    .zero_bytes = met.zero_bytes};
  if (level > 0) {
    // An estimate may come out above what there is, which is no possible value.
    made.unique_chunks = std::min(made.unique_chunks, made.chunks);
    made.unique_bytes = std::min(made.unique_bytes, made.bytes);
    if (made.bytes > 0)
      made.sampled = interval_of(static_cast<double>(made.unique_bytes), counted, scale, made.bytes);
  }
  add_rows(made.histogram, counted, zeros, scale);
  return made;
}

}  // namespace

CensusFigures CensusReport::figures(std::span<const std::string> classes) const {
  CensusFigures sums{.slices = found.slices,
                     .ambiguous_slices = found.ambiguous_slices,
                     .false_hits = found.false_hits,
                     .slice_distance = found.slice_distance,
                     .memory = memory.count};
  for (const OriginalCount& original : found.originals) {
    if (original.expected_copies == 0) {
      if (!sums.gone) sums.gone.emplace();
      sums.gone->originals += 1;
      if (!original.found) continue;
      sums.gone->copies_whole += original.found->whole_copies;
      sums.gone->located_bytes += original.found->located.count;
      continue;
    }
    sums.originals += 1;
    sums.copies_expected += original.expected_copies;
    if (!original.found) {
      sums.uncountable += 1;
      continue;
    }
    const OriginalFound& one = *original.found;
    sums.copies_countable += original.expected_copies;
    sums.copies_whole += one.whole_copies;
    sums.copies_by_bytes += static_cast<double>(one.located.count) / static_cast<double>(original.size.count);
    sums.expected_bytes += original.size.count * static_cast<std::int64_t>(original.expected_copies);
    sums.located_bytes += one.located.count;
    sums.not_found += one.located.count == 0 ? 1 : 0;
  }
  for (std::size_t i = 0; i < found.classes.size(); ++i) {
    sums.scanned_bytes += found.classes[i].scanned.count;
    if (classes.size() > 1 && found.classes[i].scanned.count > 0)
      sums.parts.push_back({classes[i], found.classes[i].scanned.count, found.classes[i].located.count});
  }
  return sums;
}

ChunkerReport chunker_report(const ChunkerSpec& spec, std::span<const std::string> classes,
                             std::span<const FilesRead> read, std::span<const Met> met,
                             const Tally& counted) {
  Tally zeros(classes.size());
  std::vector<std::uint64_t> zero_blocks;
  FilesRead all_read;
  Met all_met;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    zero_blocks.push_back(met[i].zero_blocks);
    all_read.files += read[i].files;
    all_read.bytes += read[i].bytes;
    all_read.hole_bytes += read[i].hole_bytes;
    all_met += met[i];
  }
  if (all_met.zero_blocks > 0) zeros.add(spec.size, zero_blocks);
  ChunkerReport report{.spec = spec};
  const unsigned level = counted.sample_level;
  report.all = figures("all", all_read, all_met, counted.all(), zeros.all(), level);
  for (std::size_t i = 0; i < classes.size(); ++i)
    report.classes.push_back(
        figures(classes[i], read[i], met[i], counted.of_class(i), zeros.of_class(i), level));
  return report;
}

}  // namespace lab::scan
