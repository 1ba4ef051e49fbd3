// How the memory of a scan is divided between its workers' buffers and its counters.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "scan/chunker_spec.hpp"

namespace lab::scan {

/// A counter's share for each chunker. A chunker with shorter chunks has more of them and gets more.
/// A census, if there is one, gets census_share first; `reserved` bytes are for others.
/// Errors: kInvalidArgument when the buffers leave too little, with the least that would do, and when the
/// machine has less memory.
Result<std::vector<Bytes>> plan_memory(Bytes memory, unsigned threads, bool direct,
                                       std::span<const ChunkerSpec> chunkers, bool census = false,
                                       Bytes reserved = {});

/// What of `memory` the slices of a census may take: a quarter.
Bytes census_share(Bytes memory);

}  // namespace lab::scan
