// `deduplab scan-merge`: how redundant the files of several scans are together.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/say.hpp"
#include "cli/scan_flags.hpp"
#include "cli/scan_output.hpp"
#include "core/spill_file.hpp"
#include "scan/merge_engine.hpp"

namespace lab::cli {
namespace {

Result<scan::MergeEngine> engine_of(const ScanMergeOptions& options) {
  scan::MergeEngine engine{.python = options.python, .master = options.master};
  const auto kind = scan::parse_engine(options.engine);
  if (!kind) return kind.error();
  engine.kind = *kind;
  if (!options.master.empty() && *kind != scan::MergeEngine::Kind::kSpark)
    return scan_usage("--master", "is of --engine spark");
  const auto threads = scan_threads(options.threads);
  if (!threads) return threads.error();
  engine.threads = *threads;
  const auto memory = parse_bytes(options.memory);
  if (!memory) return scan_usage("--memory", memory.error().detail);
  if (*memory < 64_MiB) return scan_usage("--memory", "an engine needs 64 MiB at least");
  engine.memory = *memory;
  engine.temporary = options.temporary.empty() ? temporary_folder() : options.temporary;
  std::error_code unknown;
  if (!std::filesystem::is_directory(engine.temporary, unknown))
    return scan_usage("--temp", engine.temporary.string() + " is not a folder");
  return engine;
}

void say_start(const scan::MergeInput& input, const std::string& engine) {
  std::uint64_t rows = 0;
  for (const scan::Emitted& one : input.scans)
    for (const scan::EmittedChunker& chunker : one.chunkers)
      for (const scan::EmittedFile& file : chunker.files) rows += file.rows;
  say("{} scans, {} rows, counted by {}\n", input.scans.size(), rows, engine);
}

Result<scan::ScanReport> merged(const scan::MergeEngine& engine, const scan::MergeInput& input,
                                const std::stop_token& stop) {
  const auto began = Clock::now();
  const auto counted = scan::count_with(engine, input, {.stop = stop});
  if (!counted) return counted.error();
  auto report = scan::merged_report(input, *counted);
  if (report) report->seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return report;
}

}  // namespace

int scan_merge(const ScanMergeOptions& options, const GlobalOptions& global) {
  const auto engine = engine_of(options);
  if (!engine) return fail(kExitUsage, engine.error());
  const auto input = scan::read_merge_input(options.folders);
  if (!input) return fail(kExitUsage, input.error());
  if (!global.no_progress) say_start(*input, options.engine);
  const InterruptGuard interrupt;
  const auto report = merged(*engine, *input, interrupt.token());
  if (!report && report.error().code == ErrorCode::kCancelled) {
    const int by_signal = InterruptGuard::exit_code();
    return fail(by_signal == 0 ? kExitInterrupted : by_signal, report.error());
  }
  if (!report && report.error().code == ErrorCode::kNotFound) return fail(kExitPreflight, report.error());
  if (!report) return fail(exit_code_of(report.error()), report.error());
  const scan::ScanRequest request{.fingerprint = input->first().fingerprint,
                                  .classes = input->first().classes};
  if (global.json)
    print("{}\n", scan_json(request, *report).dump(2));
  else
    print("{}", scan_table(*report));
  say_notes(*report);
  return kExitOk;
}

}  // namespace lab::cli
