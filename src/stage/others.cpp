// SPDX-License-Identifier: Apache-2.0
#include "stage/others.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace lab {
namespace {

constexpr const char* kOthers = "files:others";
constexpr std::array<std::string_view, 2> kShared{"log", "meta"};  // Parts that all who use a server write.

std::int64_t moved(const StageRecord& record, const std::string& probe) {
  const auto after = record.after_bytes.find(probe);
  const auto empty = record.empty_bytes.find(probe);
  if (after == record.after_bytes.end() || empty == record.empty_bytes.end()) return 0;
  return after->second - empty->second;
}

/// Adds what the shared parts of `whole` have moved by to the residue of each, and gives the sum.
std::int64_t widen_shared(StageRecord& record, const std::string& whole) {
  std::int64_t sum = 0;
  for (const std::string_view part : kShared) {
    const std::string probe = fmt::format("{}:{}", whole, part);
    const std::int64_t bytes = std::llabs(moved(record, probe));
    if (bytes != 0) record.residue_bytes[probe] += bytes;
    sum += bytes;
  }
  return sum;
}

/// The files as a whole and what lies below them; the parts of the files have residues of their own.
bool counts_all(std::string_view probe) {
  return probe != "engine" && !probe.starts_with("engine:") && !probe.starts_with("files:");
}

}  // namespace

void allow_for_others(StageRecord& record) {
  const std::int64_t theirs = moved(record, kOthers);
  if (theirs == 0) return;
  const std::int64_t shared = widen_shared(record, "files");
  for (const auto& [probe, bytes] : record.after_bytes)
    if (counts_all(probe)) record.residue_bytes[probe] += std::llabs(theirs) + shared;
  record.remarks["files"] = fmt::format(
      "others on the same server stored {:+} bytes while the cell ran, and {} bytes of logs and of what all "
      "share may be theirs: files and what lies below them are not known better; take a server of its own",
      theirs, shared);
  const std::int64_t of_engine = widen_shared(record, "engine");
  if (of_engine == 0) return;
  record.residue_bytes["engine"] += of_engine;
  record.remarks["engine"] = fmt::format(
      "others on the same server stored {:+} bytes while the cell ran, and {} bytes of the logs and of what "
      "all share, which are in this figure, may be theirs",
      theirs, of_engine);
}

}  // namespace lab
