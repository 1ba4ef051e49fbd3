// One worker's pass over its share of the files: reader, cutters, streams.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "scan/cdc_chunks.hpp"
#include "scan/census.hpp"
#include "scan/chunk_stream.hpp"
#include "scan/fixed_blocks.hpp"
#include "scan/reader.hpp"
#include "scan/scan.hpp"

namespace lab::scan {

/// A file, or a part of one.
struct Job {
  std::size_t file = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Large files are cut into jobs where every chunker allows it, so that several workers share them;
/// never for a census, which takes a file from its beginning to its end.
std::vector<Job> jobs_of(const FileList& list, std::span<const ChunkerSpec> chunkers, bool census);

/// Not thread-safe: one a worker. Counters are shared.
class ScanPass final : private ByteSink {
 public:
  using OnBytes = std::function<void(std::uint64_t more)>;
  /// `census` may be null; borrowed.
  ScanPass(const ScanRequest& request, std::span<const std::unique_ptr<Counter>> counters, Census* census,
           OnBytes on_bytes);

  /// Errors: those of the reader and the counters.
  Result<ReadOutcome> run(const ScanFile& file, const Job& job, const std::stop_token& stop);
  Status flush();

  const std::vector<ChunkStream>& streams() const noexcept { return streams_; }

 private:
  Status bytes(std::span<const std::byte> bytes) override;
  Status zeros(std::uint64_t count) override;
  Status first_failure();

  Reader reader_;
  std::vector<ChunkStream> streams_{};  // One for each chunker.
  std::vector<FixedBlocks> fixed_{};    // One for each alignment.
  std::vector<CdcChunks> cdc_{};        // One for all averages, or none.
  Census* census_;
  OnBytes on_bytes_;
};

}  // namespace lab::scan
