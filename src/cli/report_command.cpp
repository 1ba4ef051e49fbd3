// `deduplab report` and `deduplab compare`: finished runs into files and answers.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "report/compare.hpp"
#include "report/outputs.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;

Result<std::set<report::Format>> formats_of(const std::vector<std::string>& names) {
  static const std::vector<std::string> kNames{"html", "csv", "json"};
  std::set<report::Format> formats;
  for (const std::string& name : names) {
    if (name == "html")
      formats.insert(report::Format::kHtml);
    else if (name == "csv")
      formats.insert(report::Format::kCsv);
    else if (name == "json")
      formats.insert(report::Format::kJson);
    else
      return Error{ErrorCode::kInvalidArgument, "report",
                   "--format: unknown format '" + name + "'" + suggestion(name, kNames)};
  }
  return formats;
}

}  // namespace

int report(const ReportOptions& options, const GlobalOptions& global) {
  const auto formats = formats_of(options.formats);
  if (!formats) return fail(kExitUsage, formats.error());
  const auto data = report::load_runs(options.directories);
  if (!data) return fail(exit_code_of(data.error()), data.error());
  if (options.output.empty() && options.directories.size() > 1)
    return fail(kExitUsage, {ErrorCode::kInvalidArgument, "report",
                             "several directories are united: name a folder with --output"});
  const fs::path folder = options.output.empty() ? options.directories.front() : options.output;
  if (const Status made = make_directories(folder); !made) return fail(kExitNotWritten, made.error());
  const report::Analysis analysis = report::analyse(*data);
  if (const Status written = report::write_outputs(*data, analysis, folder, *formats); !written)
    return fail(kExitNotWritten, written.error());
  for (const std::string& note : data->notes) say("note: {}\n", note);
  print("{}",
        global.json ? report::results_json(*data, analysis) : report::answer_table(analysis, output_width()));
  if (!global.json && formats->contains(report::Format::kHtml))
    print("\nreport: {}\n", fs::absolute(folder / "report.html").string());
  return kExitOk;
}

int compare(const CompareOptions& options, const GlobalOptions& global) {
  std::vector<report::Threshold> thresholds;
  if (!options.fail_if.empty()) {
    auto parsed = report::parse_thresholds(options.fail_if);
    if (!parsed) return fail(kExitUsage, parsed.error());
    thresholds = std::move(*parsed);
  }
  const fs::path first_directory[] = {options.first};
  const fs::path second_directory[] = {options.second};
  const auto first = report::load_runs(first_directory);
  if (!first) return fail(exit_code_of(first.error()), first.error());
  const auto second = report::load_runs(second_directory);
  if (!second) return fail(exit_code_of(second.error()), second.error());
  const auto comparison =
      report::compare(*first, report::analyse(*first), *second, report::analyse(*second), thresholds);
  print("{}", global.json ? report::comparison_json(comparison) : report::comparison_text(comparison));
  for (const std::string& sentence : comparison.broken) say("threshold broken: {}\n", sentence);
  return comparison.broken.empty() ? kExitOk : kExitThreshold;
}

}  // namespace lab::cli
