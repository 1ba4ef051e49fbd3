// SPDX-License-Identifier: Apache-2.0
#include "scan/memory_plan.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "scan/chunk_stream.hpp"
#include "scan/reader.hpp"

namespace lab::scan {
namespace {

constexpr std::int64_t kLeastShare = 256 << 10;  // Runs of 16,000 chunks; smaller ones make merging slow.

std::int64_t worker_bytes(bool direct, std::span<const ChunkerSpec> chunkers) {
  auto bytes = static_cast<std::int64_t>(direct ? Reader::kDirectPiece : Reader::kPiece);
  for (const ChunkerSpec& chunker : chunkers)
    bytes += static_cast<std::int64_t>(ChunkStream::kBytes) + longest_chunk(chunker);
  return bytes;
}

/// Not asked for in whole, so that the system may grant more than it has, and end the process later.
Status check_machine(Bytes memory) {
  const Bytes machine{static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE)};
  if (machine.count <= 0 || memory <= machine) return ok();
  return Error{
      ErrorCode::kInvalidArgument, "scan",
      fmt::format("{} are more than the machine has, {}", format_bytes(memory), format_bytes(machine))};
}

}  // namespace

Bytes census_share(Bytes memory) { return std::min(Bytes{memory.count / 4}, 64_GiB); }

Result<std::vector<Bytes>> plan_memory(Bytes memory, unsigned threads, bool direct,
                                       std::span<const ChunkerSpec> chunkers, bool census, Bytes reserved) {
  LAB_TRY(check_machine(memory));
  const std::int64_t buffers = worker_bytes(direct, chunkers) * threads + reserved.count;
  const std::int64_t least = kLeastShare * std::ssize(chunkers);
  const std::int64_t usable = memory.count - (census ? census_share(memory).count : 0);
  if (usable < buffers + least) {
    const std::int64_t needed = census ? (buffers + least) / 3 * 4 + 4 : buffers + least;
    const Bytes whole{(needed + (1 << 20) - 1) / (1 << 20) * (1 << 20)};
    return Error{ErrorCode::kInvalidArgument, "scan",
                 fmt::format("{} is too little for {} thread{} and {} chunker{}; give at least {}",
                             format_bytes_exact(memory), threads, threads == 1 ? "" : "s", chunkers.size(),
                             chunkers.size() == 1 ? "" : "s", format_bytes_exact(whole))};
  }
  double weights = 0;
  for (const ChunkerSpec& chunker : chunkers) weights += 1.0 / chunker.size;
  const auto rest = static_cast<double>(usable - buffers - least);
  std::vector<Bytes> shares;
  for (const ChunkerSpec& chunker : chunkers)
    shares.push_back(Bytes{kLeastShare + static_cast<std::int64_t>(rest / weights / chunker.size)});
  return shares;
}

}  // namespace lab::scan
