// What a cutter has cut, chunk by chunk, for the tests of cutters. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>
#include <vector>

#include "scan/chunk_stream.hpp"

namespace lab::scan {

struct Kept final : ChunkTaker {
  void take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) override {
    chunks.emplace_back(fingerprint, length, zero);
  }
  std::vector<std::tuple<Fingerprint, std::uint32_t, bool>> chunks{};
};

}  // namespace lab::scan
