// SPDX-License-Identifier: Apache-2.0
#include "scan/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "scan-merge", std::move(detail)}; }

std::string words_of(const std::vector<EmittedChunker>& chunkers) {
  std::vector<std::string> words;
  for (const EmittedChunker& chunker : chunkers)
    words.push_back(chunker_name(chunker.spec) +
                    (chunker.spec.align > 0 ? fmt::format(" at {}", chunker.spec.align) : ""));
  return join(words, ", ");
}

/// What of `other` cannot be counted with `first`. A block's fingerprint may be made of those of smaller
/// ones, so that all chunkers must be the same.
Status fits(const fs::path& first_folder, const Emitted& first, const fs::path& folder,
            const Emitted& other) {
  const auto differ = [&](const char* what, const std::string& here, const std::string& there) {
    return bad(fmt::format("{} and {} have not the same {}: {}; {}", first_folder.string(), folder.string(),
                           what, here, there));
  };
  if (other.id == first.id)
    return bad(fmt::format("{} and {} hold the same scan", first_folder.string(), folder.string()));
  if (words_of(first.chunkers) != words_of(other.chunkers))
    return differ("chunkers", words_of(first.chunkers), words_of(other.chunkers));
  if (first.fingerprint != other.fingerprint)
    return differ("fingerprint", std::string(to_string(first.fingerprint)),
                  std::string(to_string(other.fingerprint)));
  if (first.classes != other.classes)
    return differ("classes", join(first.classes, ", "), join(other.classes, ", "));
  return ok();
}

/// Chunks and bytes as an engine has counted them, with the blocks of zeros that are in no file.
struct Sums {
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
};

Sums sums_of(const DistinctFigures& figures, const Met& met, std::uint32_t size) {
  Sums sums{met.zero_blocks, met.zero_blocks * size};
  for (const MultiplicityBucket& bucket : figures.buckets) {
    sums.chunks += bucket.chunks;
    sums.bytes += bucket.bytes;
  }
  return sums;
}

Status check_sums(const ChunkerSpec& spec, const std::string& part, const Sums& counted, const Met& met) {
  if (counted.chunks == met.chunks && counted.bytes == met.bytes) return ok();
  return Error{
      ErrorCode::kCorruption, "scan-merge",
      fmt::format("{}, {}: counted {} chunks of {} bytes, the scans have met {} of {}; a file is not "
                  "what its scan wrote",
                  chunker_name(spec), part, counted.chunks, counted.bytes, met.chunks, met.bytes)};
}

Result<ChunkerReport> merged_chunker(const MergeInput& input, std::size_t index,
                                     std::span<const FilesRead> read,
                                     const std::vector<CountedBucket>& counted) {
  const Emitted& first = input.first();
  const ChunkerSpec& spec = first.chunkers[index].spec;
  const std::size_t classes = first.classes.size();
  std::vector<Met> met(classes);
  Met all_met;
  std::uint64_t spilled = 0;
  for (const Emitted& one : input.scans) {
    spilled += one.chunkers[index].spilled_bytes;
    for (std::size_t i = 0; i < classes; ++i) {
      met[i] += one.chunkers[index].met[i];
      all_met += one.chunkers[index].met[i];
    }
  }
  Tally tally(classes);
  for (const CountedBucket& row : counted) {
    tally.add_counted(row.class_index, row.bucket, row.counted, row.unique_bytes);
    if (classes == 1) tally.add_counted(0, row.bucket, row.counted, row.unique_bytes);
  }
  LAB_TRY(check_sums(spec, "all files", sums_of(tally.all(), all_met, spec.size), all_met));
  for (std::size_t i = 0; i < classes; ++i)
    LAB_TRY(check_sums(spec, first.classes[i], sums_of(tally.of_class(i), met[i], spec.size), met[i]));
  ChunkerReport report = chunker_report(spec, first.classes, read, met, tally);
  report.spilled_bytes = spilled;
  return report;
}

}  // namespace

Result<MergeInput> read_merge_input(std::span<const fs::path> folders) {
  MergeInput input;
  for (const fs::path& folder : folders) {
    std::error_code failure;
    const fs::path absolute = fs::canonical(folder, failure);
    if (failure) return bad(fmt::format("{}: {}", folder.string(), failure.message()));
    if (std::find(input.folders.begin(), input.folders.end(), absolute) != input.folders.end())
      return bad(folder.string() + " is named twice");
    auto emitted = read_emitted(absolute);
    if (!emitted) return std::move(emitted).error();
    for (std::size_t i = 0; i < input.scans.size(); ++i)
      LAB_TRY(fits(input.folders[i], input.scans[i], absolute, *emitted));
    input.folders.push_back(absolute);
    input.scans.push_back(std::move(*emitted));
  }
  return input;
}

Result<ScanReport> merged_report(const MergeInput& input, const Counted& counted) {
  const Emitted& first = input.first();
  ScanReport report;
  std::vector<FilesRead> read(first.classes.size());
  std::set<PathNote> left_out;
  std::set<PathNote> incomplete;
  for (const Emitted& one : input.scans) {
    for (std::size_t i = 0; i < read.size(); ++i) {
      read[i].files += one.read[i].files;
      read[i].bytes += one.read[i].bytes;
      read[i].hole_bytes += one.read[i].hole_bytes;
    }
    left_out.insert(one.left_out.begin(), one.left_out.end());
    incomplete.insert(one.incomplete.begin(), one.incomplete.end());
  }
  report.left_out.assign(left_out.begin(), left_out.end());
  report.incomplete.assign(incomplete.begin(), incomplete.end());
  for (std::size_t i = 0; i < first.chunkers.size(); ++i) {
    auto chunker = merged_chunker(input, i, read, counted[i]);
    if (!chunker) return std::move(chunker).error();
    report.chunkers.push_back(std::move(*chunker));
  }
  return report;
}

}  // namespace lab::scan
