// Counting of emitted folders by an engine that is installed already: DuckDB, or Spark on one machine or
// many. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"
#include "core/units.hpp"
#include "scan/merge.hpp"

namespace lab::scan {

struct MergeEngine {
  enum class Kind : std::uint8_t { kDuckdb, kSpark };
  Kind kind = Kind::kDuckdb;
  std::string python = "python3";  // The interpreter that has the engine's package.
  std::string master{};            // Of Spark; empty: local, with `threads`.
  unsigned threads = 1;
  Bytes memory = 1_GiB;  // Of the engine on the local machine.
  std::filesystem::path temporary{};
};

/// "duckdb" or "spark". Errors: kInvalidArgument with the nearest word.
Result<MergeEngine::Kind> parse_engine(const std::string& word);

/// What is distinct in all of `input`. Errors: kNotFound (no such interpreter, or it lacks the package),
/// kInvalidArgument (a path that engines take for a pattern), kResourceExhausted (no memory or disk for it),
/// kIo with the engine's last words, kCorruption (an answer that is none), kCancelled.
Result<Counted> count_with(const MergeEngine& engine, const MergeInput& input, const CallContext& call);

}  // namespace lab::scan
