// SPDX-License-Identifier: Apache-2.0
#include "stage/background.hpp"

#include <fmt/format.h>

#include "core/units.hpp"
#include "probe/mount.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOperation = "stage.background";

/// The folder of a table that was dropped is gone; what it lay in is on the same file system.
fs::path existing(fs::path folder) {
  std::error_code failure;
  while (!fs::exists(folder, failure) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

Status check_room(const std::vector<fs::path>& roots, Bytes live) {
  for (const fs::path& root : roots) {
    const auto use = file_system_use(existing(root));
    if (!use) return use.error();
    if (use->available && *use->available < live)
      return Error{ErrorCode::kResourceExhausted, kOperation,
                   fmt::format("the file system of {} has {} left, too little for background work on {}: the "
                               "size would be that of a full disk",
                               root.string(), format_bytes(*use->available), format_bytes(live))};
  }
  return ok();
}

}  // namespace

Result<std::map<std::string, double>> background_failures(Observer& observer, const CallContext& call) {
  const auto counters = observer.activity(call);
  if (!counters) return counters.error();
  std::map<std::string, double> failures;
  for (const Counter& counter : *counters)
    if (counter.unit == "failures") failures[counter.name] = counter.value;
  return failures;
}

Status check_background(Observer& observer, const std::map<std::string, double>& before, Bytes live,
                        const CallContext& call) {
  const auto now = background_failures(observer, call);
  if (!now) return now.error();
  for (const auto& [name, value] : *now) {
    const auto old = before.find(name);
    const double more = value - (old == before.end() ? 0 : old->second);
    if (more > 0)
      return Error{
          ErrorCode::kResourceExhausted, kOperation,
          fmt::format("background work of the system failed in the stage: {} grew by {:g}", name, more)};
  }
  const auto roots = observer.directories(call);
  if (roots) return check_room(*roots, live);
  // Folders that cannot be told are the business of the probes that need them.
  if (roots.error().code == ErrorCode::kConnectionLost) return roots.error();
  return ok();
}

}  // namespace lab
