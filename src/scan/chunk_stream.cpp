// SPDX-License-Identifier: Apache-2.0
#include "scan/chunk_stream.hpp"

namespace lab::scan {

Met& Met::operator+=(const Met& other) {
  chunks += other.chunks;
  bytes += other.bytes;
  zero_chunks += other.zero_chunks;
  zero_bytes += other.zero_bytes;
  zero_blocks += other.zero_blocks;
  return *this;
}

ChunkStream::ChunkStream(Counter& counter, std::size_t classes) : counter_(counter), met_(classes) {
  pending_.reserve(kBatch);
}

void ChunkStream::take_equal(const Fingerprint& fingerprint, std::uint32_t length, bool zero,
                             std::uint64_t count) {
  const std::uint64_t bytes = count * length;
  met_[class_] += zero ? Met{count, bytes, count, bytes, 0} : Met{count, bytes, 0, 0, 0};
  if (status_) status_ = counter_.add_copies({fingerprint, length, class_, position_}, count);
  position_ += bytes;
}

void ChunkStream::add_zero_blocks(std::uint64_t count, std::uint32_t size) {
  const std::uint64_t bytes = count * size;
  met_[class_] += Met{count, bytes, count, bytes, count};
  position_ += bytes;
}

Status ChunkStream::flush() {
  hand_over();
  return status_;
}

void ChunkStream::hand_over() {
  if (status_ && !pending_.empty()) status_ = counter_.add(pending_);
  pending_.clear();
}

}  // namespace lab::scan
