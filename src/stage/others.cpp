// SPDX-License-Identifier: Apache-2.0
#include "stage/others.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace lab {
namespace {

constexpr const char* kOthers = "files:others";
constexpr const char* kLog = "files:log";
constexpr std::int64_t kLogOfAByte = 2;

std::optional<std::int64_t> grown(const StageRecord& record, const char* probe) {
  const auto after = record.after_bytes.find(probe);
  const auto empty = record.empty_bytes.find(probe);
  if (after == record.after_bytes.end() || empty == record.empty_bytes.end()) return std::nullopt;
  return after->second - empty->second;
}

/// What knows nothing of whose bytes it counts: the files as a whole, their log, and all that lies below.
bool counts_others(std::string_view probe) {
  if (probe == kLog) return true;
  return !probe.starts_with("engine") && !probe.starts_with("files:");
}

}  // namespace

void allow_for_others(StageRecord& record) {
  const std::int64_t theirs = grown(record, kOthers).value_or(0);
  if (theirs == 0) return;
  const std::int64_t data = std::llabs(theirs);
  const std::int64_t log = std::clamp<std::int64_t>(grown(record, kLog).value_or(0), 0, kLogOfAByte * data);
  for (const auto& [probe, bytes] : record.after_bytes)
    if (counts_others(probe)) record.residue_bytes[probe] += probe == kLog ? log : data + log;
  record.remarks["files"] = fmt::format(
      "others on the same server stored {:+} bytes while the cell ran, and may have written {} bytes of the "
      "logs: what files and what lies below them say is not known better; take a server of its own",
      theirs, log);
}

}  // namespace lab
