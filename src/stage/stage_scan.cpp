// SPDX-License-Identifier: Apache-2.0
#include "stage/stage_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <thread>

#include "core/spill_file.hpp"
#include "scan/memory_plan.hpp"
#include "scan/scan.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr std::array kParts{FilePart::kPayload, FilePart::kIndex, FilePart::kLog, FilePart::kMeta,
                            FilePart::kOthers};
constexpr const char* kMixed = "mixed";  // Several parts in one file, which only the engine tells apart.

std::vector<std::string> class_names() {
  std::vector<std::string> names;
  for (const FilePart part : kParts) names.emplace_back(to_string(part));
  names.emplace_back(kMixed);
  return names;
}

/// Files are found below the first root that holds them, as in the order of the scan.
std::size_t class_of(const Observer& observer, const std::vector<fs::path>& roots, const fs::path& path) {
  for (const fs::path& root : roots) {
    const fs::path relative = path.lexically_relative(root);
    if (relative.empty() || *relative.begin() == "..") continue;
    const auto part = observer.part_of(relative);
    if (!part) break;
    return static_cast<std::size_t>(std::find(kParts.begin(), kParts.end(), *part) - kParts.begin());
  }
  return kParts.size();
}

/// The contents of the dataset and those that the system holds now, and how many copies of it the system
/// should hold now.
scan::CensusRequest census_request(const ChainState& state) {
  std::map<std::uint64_t, std::uint64_t> copies;
  for (std::uint64_t number = 0; number < state.dataset().objects(); ++number)
    copies.try_emplace(state.dataset().facts(number).content, 0);
  for (const std::uint64_t number : state.held_numbers()) copies[state.order_of(number).content] += 1;
  scan::CensusRequest request;
  for (const auto& [content, expected] : copies) request.originals.push_back({content, expected});
  auto buffer = std::make_shared<std::vector<std::byte>>();
  request.bytes_of = [source = &state.dataset().source(),
                      buffer](std::uint64_t content) -> Result<std::span<const std::byte>> {
    LAB_TRY(source->fill(content, *buffer));
    return std::span<const std::byte>(*buffer);
  };
  return request;
}

/// Ends what it is given to when the time is over or the run is stopped, whichever comes first.
class Bounded {
 public:
  Bounded(Clock::time_point deadline, const std::stop_token& stop)
      : outer_(stop, [this] { source_.request_stop(); }),
        watch_([this, deadline](const std::stop_token& done) {
          if (!sleep_until(done, deadline)) return;
          over_ = true;
          source_.request_stop();
        }) {}

  std::stop_token token() const { return source_.get_token(); }
  bool over() const { return over_; }

 private:
  std::stop_source source_{};
  std::atomic<bool> over_{false};
  std::stop_callback<std::function<void()>> outer_;
  std::jthread watch_;  // Last: it uses the others.
};

StageScan figures_of(const scan::ScanRequest& request, scan::ScanReport report) {
  StageScan made{.left_out = std::move(report.left_out),
                 .incomplete = std::move(report.incomplete),
                 .seconds = report.seconds};
  for (scan::ChunkerReport& chunker : report.chunkers) {
    made.spilled_bytes += chunker.spilled_bytes;
    made.rows.push_back({chunker.spec, std::move(chunker.all)});
    for (ChunkFigures& part : chunker.classes)
      if (part.files > 0) made.rows.push_back({chunker.spec, std::move(part)});
  }
  if (report.census) made.census = report.census->figures(request.classes);
  return made;
}

Result<StageScan> scan_files(const StageScanInput& input, const CallContext& run) {
  const CallContext call = within(run, input.plan.limit);
  const auto roots = input.observer.directories(call);
  if (!roots) return roots.error();
  if (roots->empty()) return Error{ErrorCode::kUnsupported, "scan", "no files on the local machine"};
  scan::ScanRequest request{.paths = *roots,
                            .chunkers = input.plan.chunkers,
                            .threads = input.plan.threads,
                            .memory = input.plan.memory,
                            .temporary = temporary_folder(),
                            .classes = class_names()};
  request.class_of = [&](const fs::path& path) { return class_of(input.observer, *roots, path); };
  if (input.plan.census) request.census = census_request(input.state);
  const Bounded bounded(call.deadline, call.stop);
  const auto progress = [&input](const scan::ScanProgress& seen) {
    if (input.on_progress && seen.bytes_total > 0)
      input.on_progress(static_cast<double>(seen.bytes_done) / static_cast<double>(seen.bytes_total));
  };
  auto report = scan::scan(request, progress, bounded.token());
  if (!report && bounded.over() && report.error().code == ErrorCode::kCancelled)
    return Error{ErrorCode::kTimeout, "scan",
                 "not done within the limit of " + format_duration(input.plan.limit)};
  if (!report) return std::move(report).error();
  return figures_of(request, std::move(*report));
}

}  // namespace

bool scans_after(const ScanPlan& plan, StageKind kind) {
  if (plan.chunkers.empty()) return false;
  return plan.stages.empty() || std::find(plan.stages.begin(), plan.stages.end(), kind) != plan.stages.end();
}

Status check_scan(const ScanPlan& plan) {
  if (plan.chunkers.empty()) return ok();
  const unsigned workers = plan.census ? 1 : plan.threads;
  const auto shares = scan::plan_memory(plan.memory, workers, false, plan.chunkers, plan.census);
  if (shares) return ok();
  return Error{ErrorCode::kInvalidArgument, "plan", "key 'scan.memory': " + shares.error().detail};
}

StageScan scan_stage(const StageScanInput& input, const CallContext& call) {
  auto scanned = scan_files(input, call);
  if (!scanned) return StageScan{.missing = scanned.error().text()};
  return std::move(*scanned);
}

}  // namespace lab
