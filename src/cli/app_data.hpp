// What the files of the option table share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/commands.hpp"

namespace lab::cli {

using Action = std::function<int()>;

/// Values of all sub-commands; they live as long as the command line is parsed and run.
struct Values {
  GlobalOptions global{};
  RunOptions run{};
  ResumeOptions resume{};
  std::filesystem::path status_directory{};
  ReportOptions report{};
  CompareOptions compare{};
  GenerateOptions generate{};
  DownloadOptions download{};
  ScanOptions scan{};
  ScanMergeOptions scan_merge{};
  DoctorOptions doctor{};
  CleanOptions clean{};
  SetupOptions setup{};
  TestbedOptions testbed{};
  DrillOptions drill{};
  bool features = false;
  std::string shell{};
  Action action{};
};

/// The flags that name one system in the place of a plan, but for its variant: `flag` is "--into" or the
/// like.
void add_system_flags(CLI::App& command, SystemFlags& flags, const char* flag, const char* what);

/// The sub-commands about data outside of runs: generate, download, scan and scan-merge.
void add_data_commands(CLI::App& app, Values& values);

}  // namespace lab::cli
