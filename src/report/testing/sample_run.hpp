// Runs made by hand for the tests of this folder: records with known L, U and B.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/analysis.hpp"

namespace lab::report {

inline constexpr std::int64_t kObjects = 400;
inline constexpr std::int64_t kObjectBytes = 131'072;
inline constexpr std::int64_t kLogical = kObjects * kObjectBytes;  // 50 MiB
inline constexpr std::int64_t kEmptyBytes = 8'192;

/// A record to make: 400 objects of 128 KiB at a grade, of which the probe `files` keeps cost * L * (1 - eta
/// * d).
struct Shape {
  std::string system = "sqlite";
  std::string variant = "default";
  std::string payload = "random_binary";
  int grade = 0;
  int repetition = 1;
  double eta = 0;
  double cost = 1;
  std::int64_t noise = 0;
  std::int64_t quantum = 0;
  bool control = false;
};

/// Valid, settled, stage and chain bulk_insert, probes `files` and `apparent` (equal), server "Server 1.2.3".
StageRecord make_record(const Shape& shape);

void add_record(RunData& run, StageRecord record, std::size_t source = 0);

/// U0 and U90 of repetitions 1 ... etas.size().
void add_pairs(RunData& run, Shape shape, const std::vector<double>& etas, std::size_t source = 0);

/// Controls `files` (eta 0) and `cas` (eta 1) of a payload that pass, with `repetitions` pairs each.
void add_controls(RunData& run, const std::string& payload = "random_binary", int repetitions = 5,
                  std::size_t source = 0);

/// The verdict of a system's U90 group, stage bulk_insert. Fails the test where there is none.
const Verdict& verdict_of(const Analysis& analysis, const std::string& system,
                          const std::string& probe = "files");

/// The group of a system at a grade. Fails the test where there is none.
const Group& group_of(const Analysis& analysis, const std::string& system, const std::string& grade = "U90",
                      const std::string& stage = "bulk_insert");

}  // namespace lab::report
