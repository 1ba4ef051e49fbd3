// SPDX-License-Identifier: Apache-2.0
#include "scan/scan_pass.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace lab::scan {
namespace {

constexpr std::uint64_t kJobBytes = 64ULL << 20U;
constexpr std::array<std::byte, 64U << 10U> kZeros{};

bool may_cut(std::span<const ChunkerSpec> chunkers) {
  return std::all_of(chunkers.begin(), chunkers.end(), [](const ChunkerSpec& chunker) {
    return chunker.kind == ChunkerSpec::Kind::kFixed && chunker.align == 0 && kJobBytes % chunker.size == 0;
  });
}

}  // namespace

std::vector<Job> jobs_of(const FileList& list, std::span<const ChunkerSpec> chunkers, bool census) {
  std::vector<Job> jobs;
  const bool cut = !census && may_cut(chunkers);
  for (std::size_t file = 0; file < list.files.size(); ++file) {
    const std::uint64_t size = list.files[file].size;
    const std::uint64_t step = cut ? kJobBytes : std::max<std::uint64_t>(size, 1);
    std::uint64_t begin = 0;
    do {
      jobs.push_back({file, begin, std::min(size, begin + step)});
      begin += step;
    } while (begin < size);
  }
  return jobs;
}

ScanPass::ScanPass(const ScanRequest& request, std::span<const std::unique_ptr<Counter>> counters,
                   Census* census, OnBytes on_bytes)
    : reader_(ReadOptions{request.direct}), census_(census), on_bytes_(std::move(on_bytes)) {
  streams_.reserve(counters.size());  // The cutters point to them.
  std::map<std::uint32_t, std::vector<FixedBlocks::Level>> fixed;
  std::vector<CdcChunks::Level> cdc;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    ChunkStream& stream = streams_.emplace_back(*counters[i], request.classes.size());
    const ChunkerSpec& spec = request.chunkers[i];
    if (spec.kind == ChunkerSpec::Kind::kFixed)
      fixed[spec.align].push_back({spec, &stream});
    else
      cdc.push_back({spec, &stream});
  }
  for (const auto& [align, levels] : fixed) fixed_.emplace_back(request.fingerprint, levels);
  if (!cdc.empty()) cdc_.emplace_back(request.fingerprint, cdc);
}

Result<ReadOutcome> ScanPass::run(const ScanFile& file, const Job& job, const std::stop_token& stop) {
  for (ChunkStream& stream : streams_) stream.set_class(file.file_class);
  for (FixedBlocks& blocks : fixed_) blocks.begin(job.begin == 0);
  if (census_ != nullptr) census_->begin_file(static_cast<std::uint32_t>(file.file_class));
  auto outcome = reader_.read(file, job.begin, job.end, *this, stop);
  if (!outcome) return outcome;
  for (FixedBlocks& blocks : fixed_) blocks.end();
  for (CdcChunks& chunks : cdc_) chunks.end();
  if (census_ != nullptr) LAB_TRY(census_->end_file());
  LAB_TRY(first_failure());
  return outcome;
}

Status ScanPass::flush() {
  for (ChunkStream& stream : streams_) LAB_TRY(stream.flush());
  return ok();
}

Status ScanPass::bytes(std::span<const std::byte> bytes) {
  for (FixedBlocks& blocks : fixed_) blocks.bytes(bytes);
  for (CdcChunks& chunks : cdc_) chunks.bytes(bytes);
  if (census_ != nullptr) LAB_TRY(census_->scan(bytes));
  on_bytes_(bytes.size());
  return first_failure();
}

Status ScanPass::zeros(std::uint64_t count) {
  for (FixedBlocks& blocks : fixed_) blocks.zeros(count);
  for (CdcChunks& chunks : cdc_) chunks.zeros(count);
  // An original may hold zeros that the file system keeps as a hole.
  for (std::uint64_t left = census_ != nullptr ? count : 0; left > 0;) {
    const std::uint64_t some = std::min<std::uint64_t>(left, kZeros.size());
    LAB_TRY(census_->scan(std::span(kZeros).first(some)));
    left -= some;
  }
  on_bytes_(count);
  return first_failure();
}

Status ScanPass::first_failure() {
  for (ChunkStream& stream : streams_)
    if (stream.failed()) return stream.flush();
  return ok();
}

}  // namespace lab::scan
