// SPDX-License-Identifier: Apache-2.0
#include "scan/scan_pass.hpp"

#include <fcntl.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace lab::scan {
namespace {

// Small enough for all workers to end at about the same time.
constexpr std::uint64_t kJobBytes = 16ULL << 20U;

constexpr std::uint64_t kPartBytes = 4ULL << 20U;  // Some joining of each part against buffers of this size.
constexpr std::uint64_t kFairShares = 8;  // A file of at most this part of a worker's share is not cut.

/// Keeps what it is given.
class Collected final : public ByteSink {
 public:
  explicit Collected(std::vector<std::byte>& to) : to_(to) {}
  Status bytes(std::span<const std::byte> bytes) override {
    to_.insert(to_.end(), bytes.begin(), bytes.end());
    return ok();
  }
  Status zeros(std::uint64_t count) override {
    to_.resize(to_.size() + count);
    return ok();
  }

 private:
  std::vector<std::byte>& to_;
};

bool content_defined(const ChunkerSpec& chunker) { return chunker.kind == ChunkerSpec::Kind::kCdc; }

/// Bytes of the jobs that files may be cut into; 0 where a chunker does not allow it.
std::uint64_t job_bytes(std::span<const ChunkerSpec> chunkers, bool join) {
  const bool any = std::any_of(chunkers.begin(), chunkers.end(), content_defined);
  if (any && !join) return 0;
  const std::uint64_t step = any ? kPartBytes : kJobBytes;
  const bool all = std::all_of(chunkers.begin(), chunkers.end(), [step](const ChunkerSpec& chunker) {
    return content_defined(chunker) || (chunker.align == 0 && step % chunker.size == 0);
  });
  return all ? step : 0;
}

}  // namespace

std::vector<ChunkerSpec> content_defined_of(std::span<const ChunkerSpec> chunkers) {
  std::vector<ChunkerSpec> specs;
  std::copy_if(chunkers.begin(), chunkers.end(), std::back_inserter(specs), content_defined);
  return specs;
}

JobList::JobList(const FileList& list, std::span<const ChunkerSpec> chunkers, const JobRules& rules)
    : list_(list),
      rules_(rules),
      step_(rules.workers == 1 ? 0 : job_bytes(chunkers, rules.joining)),
      // To join parts takes time, so that only files that one worker would be left alone with are cut.
      whole_at_most_(step_ == kPartBytes ? std::max(step_, list.bytes / (kFairShares * rules.workers))
                                         : step_) {}

void JobList::begin_parts(const ScanFile& file) {
  number_ = 0;
  parted_ = std::make_shared<PartedFile>();
  if (file.device) return;
  parted_->file = FileHandle(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!parted_->file) return;
  parted_->holes = HoleMap(parted_->file.get(), 0, file.size);
  if (rules_.looks_after) parted_->cache.emplace(parted_->file.get(), file.size);
}

std::optional<Job> JobList::next() {
  if (file_ >= list_.files.size()) return std::nullopt;
  const ScanFile& file = list_.files[file_];
  bool whole = step_ == 0 || file.size <= whole_at_most_;
  if (!whole && begin_ == 0) {
    begin_parts(file);
    whole = !file.device && !parted_->file;  // That it cannot be opened is found out once.
  }
  const std::uint64_t left = file.size - begin_;
  Job job{.file = file_,
          .begin = begin_,
          .end = whole || left <= step_ ? file.size : begin_ + step_,
          .position = file.start + begin_};
  if (!whole) {
    const HoleMap::Extent extent = parted_->holes.at(begin_);
    const std::uint64_t hole = extent.hole ? std::min(extent.end, file.size) - begin_ : 0;
    job.hole = hole == left || hole > step_;
    if (job.hole) job.end = begin_ + (hole == left ? left : hole / step_ * step_);
    if (step_ == kPartBytes) job.number = number_++;
    job.parted = parted_;
    if (parted_->cache && !job.hole) parted_->cache->begin(begin_);
  }
  job.last = job.end == file.size;
  begin_ = job.last ? 0 : job.end;
  if (job.last) {
    ++file_;
    parted_ = nullptr;
  }
  return job;
}

Bytes part_buffers(const ScanRequest& request) {
  // Bytes, the chunks that it may have, and what is open of each chunker; twice: being made, and being
  // joined.
  std::uint64_t part = kPartBytes;
  for (const ChunkerSpec& chunker : content_defined_of(request.chunkers))
    part += kPartBytes / (chunker.size / 4) * sizeof(CutChunk) + 2ULL * longest_chunk(chunker);
  return Bytes{static_cast<std::int64_t>(2 * part * request.threads)};
}

bool joins_parts(const ScanRequest& request) {
  return request.threads > 1 && !request.census && !request.verify &&
         !content_defined_of(request.chunkers).empty() && job_bytes(request.chunkers, true) != 0 &&
         3 * part_buffers(request).count <= 2 * request.memory.count;
}

ScanPass::ScanPass(const ScanRequest& request, std::span<const std::unique_ptr<Counter>> counters,
                   const Shared& shared, OnBytes on_bytes)
    : reader_(ReadOptions{.direct = request.direct, .again = request.verify}),
      shared_(shared),
      on_bytes_(std::move(on_bytes)) {
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
  for (const CdcChunks::Level& level : cdc) takers_.push_back(level.taker);
  if (shared_.parts != nullptr) cutter_.emplace(request.fingerprint, content_defined_of(request.chunkers));
}

Result<ReadOutcome> ScanPass::run(const ScanFile& file, const Job& job, const std::stop_token& stop) {
  for (ChunkStream& stream : streams_) {
    stream.set_class(file.file_class);
    stream.set_position(job.position);
  }
  for (FixedBlocks& blocks : fixed_) blocks.begin(job.begin == 0);
  cutting_ = job.number.has_value();
  if (cutting_) cutter_->begin(job.hole ? 0 : job.end - job.begin, shared_.parts->old_part());
  if (shared_.census != nullptr) shared_.census->begin_file(static_cast<std::uint32_t>(file.file_class));
  CacheKeeper* const cache = job.parted && job.parted->cache ? &*job.parted->cache : nullptr;
  const HoleMap* const holes = job.parted ? &job.parted->holes : nullptr;
  auto outcome = reader_.read(file, {job.begin, job.end, job.hole, holes, cache}, *this, stop);
  if (cache != nullptr) cache->end(job.begin, job.end);  // Also of what could not be read.
  if (!outcome) return outcome;
  for (FixedBlocks& blocks : fixed_) blocks.end();
  if (cutting_) {
    PartCuts part = cutter_->take();
    part.begin = job.begin;
    part.ends = job.last || outcome->bytes < job.end - job.begin;
    LAB_TRY(shared_.parts->put(job.file, *job.number, std::move(part), takers_,
                               [&](PartCuts& of) { return read_rest(file, of, stop, outcome->problem); }));
  } else {
    for (CdcChunks& chunks : cdc_) chunks.end();
  }
  if (shared_.census != nullptr) LAB_TRY(shared_.census->end_file());
  LAB_TRY(first_failure());
  return outcome;
}

Status ScanPass::read_rest(const ScanFile& file, PartCuts& part, const std::stop_token& stop,
                           std::string& problem) {
  // The reader begins at a multiple of its pieces.
  part.bytes.resize(part.bytes.size() / Reader::kDirectPiece * Reader::kDirectPiece);
  Collected rest(part.bytes);
  const auto outcome = reader_.read(
      file, {.begin = part.begin + part.bytes.size(), .end = part.begin + part.size}, rest, stop);
  if (!outcome) return outcome.error();
  // It may have changed since all of it was read once.
  if (problem.empty()) problem = outcome->problem;
  if (part.bytes.size() == part.size) return ok();
  return Error{ErrorCode::kIo, "scan",
               file.path.string() + ": a part of it is read twice, and the second time: " + outcome->problem};
}

Status ScanPass::flush() {
  for (ChunkStream& stream : streams_) LAB_TRY(stream.flush());
  return ok();
}

Status ScanPass::bytes(std::span<const std::byte> bytes) {
  for (FixedBlocks& blocks : fixed_) blocks.bytes(bytes);
  if (cutting_)
    cutter_->bytes(bytes);
  else
    for (CdcChunks& chunks : cdc_) chunks.bytes(bytes);
  if (shared_.census != nullptr) LAB_TRY(shared_.census->scan(bytes));
  on_bytes_(bytes.size());
  return first_failure();
}

Status ScanPass::zeros(std::uint64_t count) {
  for (FixedBlocks& blocks : fixed_) blocks.zeros(count);
  if (cutting_)
    cutter_->zeros(count);
  else
    for (CdcChunks& chunks : cdc_) chunks.zeros(count);
  // An original may hold zeros that the file system keeps as a hole.
  if (shared_.census != nullptr) LAB_TRY(shared_.census->zeros(count));
  on_bytes_(count);
  return first_failure();
}

Status ScanPass::first_failure() {
  for (ChunkStream& stream : streams_)
    if (stream.failed()) return stream.flush();
  return ok();
}

}  // namespace lab::scan
