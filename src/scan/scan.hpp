// How redundant files are: one pass over them, any number of chunkers, exact counts in fixed memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "model/scan_record.hpp"
#include "scan/census.hpp"
#include "scan/chunker_spec.hpp"
#include "scan/counter.hpp"
#include "scan/file_list.hpp"
#include "scan/fingerprint.hpp"

namespace lab::scan {

struct KnownOriginal {
  std::uint64_t number = 0;
  std::uint64_t expected_copies = 0;  // Itself and what copies it.
};

/// Originals to look for in the same pass. `bytes_of` is called before anything is read, and again where a
/// part of an original was found; its errors end the scan.
struct CensusRequest {
  std::vector<KnownOriginal> originals{};
  BytesOf bytes_of{};
};

struct ScanRequest {
  std::vector<std::filesystem::path> paths{};
  std::vector<ChunkerSpec> chunkers{};
  unsigned threads = 1;
  Bytes memory = 256_MiB;  // Of all buffers and counters; the list of files takes more.
  std::filesystem::path temporary{};
  FingerprintKind fingerprint = FingerprintKind::kXxh3;
  bool sketch = false;           // Sample in place of temporary files.
  std::filesystem::path emit{};  // New folder of the distinct chunks, for scan-merge; empty: none. No sketch.
  bool direct = false;
  bool verify =
      false;  // Compare the bytes of chunks that seem equal. Regular files only; no sketch, no emit.
  std::optional<CensusRequest> census{};    // With it, one worker reads whatever `threads` is.
  std::vector<std::string> classes{"all"};  // Names of the file classes, at most 128.
  ClassOf class_of = [](const std::filesystem::path&) { return std::size_t{0}; };
};

struct ChunkerReport {
  ChunkerSpec spec{};
  ChunkFigures all{};
  std::vector<ChunkFigures> classes{};  // In the order of the request.
  std::uint64_t spilled_bytes = 0;
  std::optional<Comparison> verified{};  // Where the request wants it.
};

struct CensusReport {
  CensusResult found{};
  Bytes memory{};  // Share of the slices.

  /// The sums. An original of which no copy is expected is content that should be gone. `classes` are those
  /// of the request; of one class there are no parts.
  CensusFigures figures(std::span<const std::string> classes) const;
};

struct ScanReport {
  std::vector<ChunkerReport> chunkers{};  // In the order of the request.
  std::optional<CensusReport> census{};   // Where one was asked for.
  std::vector<PathNote> left_out{};       // Not counted.
  std::vector<PathNote> incomplete{};     // Counted as read, though changed or not read to the end.
  double seconds = 0;
};

struct ScanProgress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  bool counting = false;  // All is read; distinct chunks are being counted.
};
/// Called by one thread at a time, often.
using OnProgress = std::function<void(const ScanProgress&)>;

/// The same report for each number of threads. Errors: kInvalidArgument (nothing to scan, a path or a size
/// that does not fit), kNotFound, kUnsupported, kResourceExhausted (no space for temporary files), kIo,
/// kCancelled.
Result<ScanReport> scan(const ScanRequest& request, const OnProgress& progress, const std::stop_token& stop);

}  // namespace lab::scan
