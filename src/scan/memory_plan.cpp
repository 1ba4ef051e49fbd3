// SPDX-License-Identifier: Apache-2.0
#include "scan/memory_plan.hpp"

#include <fmt/format.h>

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

}  // namespace

Result<std::vector<Bytes>> plan_memory(Bytes memory, unsigned threads, bool direct,
                                       std::span<const ChunkerSpec> chunkers) {
  const std::int64_t buffers = worker_bytes(direct, chunkers) * threads;
  const std::int64_t least = kLeastShare * std::ssize(chunkers);
  if (memory.count < buffers + least) {
    const Bytes whole{(buffers + least + (1 << 20) - 1) / (1 << 20) * (1 << 20)};
    return Error{ErrorCode::kInvalidArgument, "scan",
                 fmt::format("--memory: {} is too little for {} thread{} and {} chunker{}; give at least {}",
                             format_bytes_exact(memory), threads, threads == 1 ? "" : "s", chunkers.size(),
                             chunkers.size() == 1 ? "" : "s", format_bytes_exact(whole))};
  }
  double weights = 0;
  for (const ChunkerSpec& chunker : chunkers) weights += 1.0 / chunker.size;
  const auto rest = static_cast<double>(memory.count - buffers - least);
  std::vector<Bytes> shares;
  for (const ChunkerSpec& chunker : chunkers)
    shares.push_back(Bytes{kLeastShare + static_cast<std::int64_t>(rest / weights / chunker.size)});
  return shares;
}

}  // namespace lab::scan
