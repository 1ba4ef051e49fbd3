// The sub-commands: an options struct and a function each; the command line is wired in app.cpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "driver/system.hpp"

namespace lab::cli {

struct GlobalOptions {
  bool json = false;
  bool no_progress = false;
  std::string log_format = "text";
  std::string log_level = "info";
};

/// Overrides of a plan, as given on the command line.
struct PlanFlags {
  std::vector<std::string> systems{};
  std::vector<std::string> payloads{};
  std::vector<std::string> grades{};
  std::optional<std::int64_t> repetitions{};
  std::optional<std::int64_t> objects{};
  std::string object_size{};
  std::optional<std::int64_t> max_retries{};
  std::string retry_scope{};
};

struct RunOptions {
  std::filesystem::path plan{};
  std::filesystem::path out{};
  bool resume = false;
  bool dry_run = false;
  PlanFlags flags{};
  std::string stop_after{};
};

struct ResumeOptions {
  std::filesystem::path directory{};
  std::vector<std::string> redo{};  // "system=X"
  std::string stop_after{};
};

struct ReportOptions {
  std::vector<std::filesystem::path> directories{};
  std::vector<std::string> formats{"html", "csv", "json"};
  std::filesystem::path output{};
};

struct CompareOptions {
  std::filesystem::path first{};
  std::filesystem::path second{};
  std::string fail_if{};
};

/// One system, in the place of a plan.
struct SystemFlags {
  std::string name{};
  std::string url{};
  std::string path{};
  std::string variant{};               // Empty: default.
  std::vector<std::string> options{};  // "KEY=VALUE"
};

struct GenerateOptions {
  std::string payload{};
  std::string grade = "U0";
  std::int64_t objects = 1024;
  std::string object_size = "128 KiB";
  std::uint64_t seed = 1;  // As results.json gives it: up to 64 bits.
  std::string duplicate_unit = "object";
  std::string compressible{};  // Empty: as the kind is.
  std::string popularity = "even";
  std::string order = "shuffled";
  std::string placement = "within";
  std::optional<std::int64_t> containers{};
  std::string output{};  // Empty: a system.
  std::string format{};  // Of a stream; empty: raw.
  SystemFlags into{};
  std::filesystem::path manifest{};  // Of a system; empty: none.
  std::string limit{};               // Of a system; empty: that of a stage.
  bool audit = false;
  std::string real_world_dir{};  // Empty: none.
};

struct DownloadOptions {
  std::filesystem::path list{};
  std::filesystem::path into{};
  std::filesystem::path mirror{};  // Empty: the network.
  std::filesystem::path pin{};     // A new list; empty: none is made.
};

struct DoctorOptions {
  std::filesystem::path plan{};
  std::string wait{};
};

struct CleanOptions {
  std::filesystem::path target{};  // A plan or a run directory; empty: a system.
  SystemFlags from{};
  std::vector<std::string> systems{};
  bool dry_run = false;
};

struct SetupOptions {
  std::filesystem::path plan{};
  bool print = false;
  bool apply = false;
  bool undo = false;
};

struct TestbedOptions {
  std::string action{};                // up, down, restart, status, env
  std::vector<std::string> systems{};  // None: all.
  std::filesystem::path directory{};
  std::vector<std::string> programs{};  // "SYSTEM=PATH"
};

struct DrillOptions {
  std::filesystem::path plan{};
  std::filesystem::path out{};
  std::vector<std::string> systems{};
  std::vector<std::string> faults{};
  std::vector<std::string> stages{};
  std::uint64_t seed = 1;
  std::optional<std::int64_t> sample{};  // None: all cells.
  std::string limit{};
};

struct ScanOptions {
  std::vector<std::filesystem::path> paths{};
  std::vector<std::string> chunkers{};    // None: the whole curve.
  std::vector<std::string> alignments{};  // None: 0.
  std::vector<std::string> classes{};     // GLOB=NAME; none: all files are one class.
  std::optional<std::int64_t> threads{};  // None: the processors, at most 8.
  std::string memory = "256 MiB";
  std::string fingerprint = "xxh3";
  std::filesystem::path temporary{};  // Empty: $TMPDIR, else /var/tmp.
  bool sketch = false;
  bool direct = false;
  bool verify = false;
  std::filesystem::path manifest{};    // What generate --output wrote; empty: no census.
  std::filesystem::path census_csv{};  // Empty: none.
  std::filesystem::path emit{};        // New or empty folder of the fingerprints; empty: none.
};

struct ScanMergeOptions {
  std::vector<std::filesystem::path> folders{};  // What scan --emit wrote.
  std::string engine = "duckdb";
  std::string master{};  // Of spark; empty: local.
  std::string python = "python3";
  std::optional<std::int64_t> threads{};  // None: the processors, at most 8.
  std::string memory = "1 GiB";
  std::filesystem::path temporary{};  // Empty: $TMPDIR, else /var/tmp.
};

int run(const RunOptions& options, const GlobalOptions& global);
int resume(const ResumeOptions& options, const GlobalOptions& global);
int status(const std::filesystem::path& directory, const GlobalOptions& global);
int report(const ReportOptions& options, const GlobalOptions& global);
int compare(const CompareOptions& options, const GlobalOptions& global);
int generate(const GenerateOptions& options, const GlobalOptions& global);
int download(const DownloadOptions& options, const GlobalOptions& global);
int scan(const ScanOptions& options, const GlobalOptions& global);
int scan_merge(const ScanMergeOptions& options, const GlobalOptions& global);
int doctor(const DoctorOptions& options, const GlobalOptions& global);
int setup(const SetupOptions& options, const GlobalOptions& global);
int systems(bool features, const GlobalOptions& global);
int payloads(const GlobalOptions& global);
int testbed(const TestbedOptions& options, const GlobalOptions& global);
int drill(const DrillOptions& options, const GlobalOptions& global);
int clean(const CleanOptions& options, const GlobalOptions& global);

/// The systems that are linked in: the one place that names them.
const Registry& built_in_systems();

/// Parses the command line, runs the sub-command, returns the exit code. Catches what libraries throw.
int main(int argc, char** argv);

}  // namespace lab::cli
