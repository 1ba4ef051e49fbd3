// Which files a format stands for, and that a failure names its file.
// SPDX-License-Identifier: Apache-2.0
#include "report/outputs.hpp"

#include <functional>

#include "core/files.hpp"
#include "report/csv_files.hpp"

namespace lab::report {
namespace {

constexpr unsigned kReadableByOthers = 0644;

/// The same error, naming the file once.
Status named(Status status, const std::filesystem::path& path) {
  if (status) return status;
  Error error = status.error();
  if (error.detail.find(path.string()) == std::string::npos)
    error.detail = path.string() + ": " + error.detail;
  return error;
}

Status write_csv(const RunData& run, const Analysis& analysis, const std::filesystem::path& folder) {
  const auto results = folder / "results.csv";
  const auto stages = folder / "stages.csv";
  const auto samples = folder / "samples.csv";
  const auto events = folder / "events.csv";
  const auto scans = folder / "scans.csv";
  LAB_TRY(named(write_results_csv(run, analysis, results), results));
  LAB_TRY(named(write_stages_csv(run, analysis, stages), stages));
  LAB_TRY(named(write_samples_csv(run, samples), samples));
  LAB_TRY(named(write_events_csv(run, events), events));
  return named(write_scans_csv(run, scans), scans);
}

Status write_html(const RunData& run, const Analysis& analysis, const std::filesystem::path& path) {
  const auto page = report_html(run, analysis);
  if (!page) return named(page.error(), path);
  return named(write_file_atomic(path, *page, kReadableByOthers), path);
}

}  // namespace

Status write_outputs(const RunData& run, const Analysis& analysis, const std::filesystem::path& folder,
                     const std::set<Format>& formats) {
  LAB_TRY(make_directories(folder));
  if (formats.contains(Format::kCsv)) LAB_TRY(write_csv(run, analysis, folder));
  if (formats.contains(Format::kJson)) {
    const auto path = folder / "results.json";
    LAB_TRY(named(write_file_atomic(path, results_json(run, analysis), kReadableByOthers), path));
  }
  if (formats.contains(Format::kHtml)) LAB_TRY(write_html(run, analysis, folder / "report.html"));
  return ok();
}

}  // namespace lab::report
