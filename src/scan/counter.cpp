// SPDX-License-Identifier: Apache-2.0
#include "scan/counter.hpp"

#include <algorithm>
#include <vector>

namespace lab::scan {

Status Counter::add_copies(Chunk chunk, std::uint64_t copies) {
  constexpr std::uint64_t kBatch = 512;
  std::vector<Chunk> batch;
  for (; copies > 0; copies -= batch.size()) {
    batch.clear();
    while (batch.size() < std::min(copies, kBatch)) {
      batch.push_back(chunk);
      chunk.position += chunk.length;
    }
    LAB_TRY(add(batch));
  }
  return ok();
}

}  // namespace lab::scan
