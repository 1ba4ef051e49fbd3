// One worker's pass over its share of the files: reader, cutters, streams.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/files.hpp"
#include "scan/cdc_chunks.hpp"
#include "scan/census.hpp"
#include "scan/chunk_stream.hpp"
#include "scan/file_parts.hpp"
#include "scan/fixed_blocks.hpp"
#include "scan/reader.hpp"
#include "scan/scan.hpp"

namespace lab::scan {

/// A file whose parts are read by several workers.
struct PartedFile {
  FileHandle file{};  // None of a device.
  HoleMap holes{};
  std::optional<CacheKeeper> cache{};  // Where the page cache is looked after.
};

/// A file, or a part of one.
struct Job {
  std::size_t file = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool last = true;                       // The file ends with it.
  std::uint64_t position = 0;             // Of `begin` in all files one behind the other.
  std::optional<std::uint64_t> number{};  // Of a part whose content-defined chunks go on in the next one.
  bool hole = false;                      // All of it, when it was looked for.
  std::shared_ptr<PartedFile> parted{};   // What the job is a part of.
};

struct JobRules {
  unsigned workers = 1;
  bool joining = false;      // Parts with content-defined chunks will be joined.
  bool looks_after = false;  // The page cache.
};

/// Large files are cut into jobs where there are several workers to share them and every chunker allows it;
/// with content-defined chunks only where parts will be joined. A long hole is one job, since there is
/// nothing to share. One after the other: a list of those of a large device would take memory by its size.
/// Not thread-safe.
class JobList {
 public:
  /// `list` is borrowed.
  JobList(const FileList& list, std::span<const ChunkerSpec> chunkers, const JobRules& rules);
  std::optional<Job> next();

 private:
  void begin_parts(const ScanFile& file);

  const FileList& list_;
  JobRules rules_;
  std::uint64_t step_;  // 0: no file is cut.
  std::uint64_t whole_at_most_;
  std::size_t file_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t number_ = 0;
  std::shared_ptr<PartedFile> parted_{};  // The file at hand.
};

/// Whether files of this request are cut into parts that are joined, and what their buffers take together.
bool joins_parts(const ScanRequest& request);
Bytes part_buffers(const ScanRequest& request);

/// The chunkers whose chunks are joined.
std::vector<ChunkerSpec> content_defined_of(std::span<const ChunkerSpec> chunkers);

/// Not thread-safe: one a worker. Counters are shared.
class ScanPass final : private ByteSink {
 public:
  using OnBytes = std::function<void(std::uint64_t more)>;
  /// What one pass shares with others, or does not have. Borrowed.
  struct Shared {
    Census* census = nullptr;
    PartQueue* parts = nullptr;
  };
  ScanPass(const ScanRequest& request, std::span<const std::unique_ptr<Counter>> counters,
           const Shared& shared, OnBytes on_bytes);

  /// Errors: those of the reader and the counters.
  Result<ReadOutcome> run(const ScanFile& file, const Job& job, const std::stop_token& stop);
  Status flush();

  const std::vector<ChunkStream>& streams() const noexcept { return streams_; }

 private:
  Status bytes(std::span<const std::byte> bytes) override;
  Status zeros(std::uint64_t count) override;
  Status first_failure();
  /// All bytes of the part; `problem` where the file has changed and had none. Errors: kIo where they are not
  /// there any more.
  Status read_rest(const ScanFile& file, PartCuts& part, const std::stop_token& stop, std::string& problem);

  Reader reader_;
  std::vector<ChunkStream> streams_{};  // One for each chunker.
  std::vector<FixedBlocks> fixed_{};    // One for each alignment.
  std::vector<CdcChunks> cdc_{};        // One for all averages, or none.
  Shared shared_;
  std::optional<PartCutter> cutter_{};  // Where parts are joined.
  std::vector<ChunkTaker*> takers_{};   // The streams of its levels.
  bool cutting_ = false;                // The job at hand is a part.
  OnBytes on_bytes_;
};

}  // namespace lab::scan
