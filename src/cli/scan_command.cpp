// `deduplab scan`: how redundant any files are.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/census_output.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/file_classes.hpp"
#include "cli/interrupt.hpp"
#include "cli/known_content.hpp"
#include "cli/new_file.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "cli/scan_flags.hpp"
#include "cli/scan_output.hpp"
#include "core/spill_file.hpp"
#include "scan/emit.hpp"

namespace lab::cli {
namespace {

constexpr Millis kBarInterval{200};
constexpr Millis kLineInterval{60'000};

Result<std::vector<std::uint32_t>> offsets_of(const std::vector<std::string>& words) {
  std::vector<std::uint32_t> offsets;
  for (const std::string& word : words) {
    const auto bytes = parse_bytes(word);
    if (!bytes) return scan_usage("--align", bytes.error().detail);
    if (bytes->count >= 8 << 20) return scan_usage("--align", "'" + word + "' is not below 8 MiB");
    offsets.push_back(static_cast<std::uint32_t>(bytes->count));
  }
  if (offsets.empty()) offsets.push_back(0);
  return offsets;
}

Status check_csv(const ScanOptions& options) {
  if (options.manifest.empty())
    return scan_usage("--census-csv", "needs --manifest, which names the objects");
  const std::string why = why_no_new_file(options.census_csv);
  return why.empty() ? ok() : Status(scan_usage("--census-csv", why));
}

/// Temporary files may be needed late: a folder that cannot have any is told before.
Status check_temporary(const ScanOptions& options, const std::filesystem::path& folder) {
  const bool named = !options.temporary.empty();
  std::error_code unknown;
  if (!std::filesystem::is_directory(folder, unknown))
    return scan_usage("--temp", folder.string() + " is not a folder" + (named ? "" : ", TMPDIR names it"));
  if (!named) return ok();
  const auto tried = SpillFile::make(folder, "");  // It has no name and is gone with this variable.
  if (!tried) return scan_usage("--temp", "no file can be made there: " + tried.error().detail);
  return ok();
}

Status check_verify(const ScanOptions& options) {
  if (options.sketch) return scan_usage("--verify", "compares all chunks, of which --sketch keeps some");
  if (!options.emit.empty())
    return scan_usage("--verify", "proves nothing of what --emit writes: fingerprints are all that it has");
  if (options.direct) return scan_usage("--verify", "reads single chunks, which --direct cannot");
  return ok();
}

Result<scan::ScanRequest> request_of(const ScanOptions& options) {
  scan::ScanRequest request;
  request.paths = options.paths;
  auto chunkers = options.chunkers.empty() ? Result<std::vector<ChunkerSpec>>(scan::whole_curve())
                                           : scan::parse_chunkers(options.chunkers);
  if (!chunkers) return std::move(chunkers).error();
  const auto offsets = offsets_of(options.alignments);
  if (!offsets) return offsets.error();
  auto aligned = scan::with_alignments(*chunkers, *offsets);
  if (!aligned) return std::move(aligned).error();
  request.chunkers = std::move(*aligned);
  auto classes = file_classes(options.classes);
  if (!classes) return std::move(classes).error();
  request.classes = std::move(classes->names);
  request.class_of = std::move(classes->class_of);
  const auto threads = scan_threads(options.threads);
  if (!threads) return threads.error();
  request.threads = *threads;
  const auto memory = parse_bytes(options.memory);
  if (!memory) return scan_usage("--memory", memory.error().detail);
  request.memory = *memory;
  const auto fingerprint = scan::parse_fingerprint(options.fingerprint);
  if (!fingerprint) return fingerprint.error();
  request.fingerprint = *fingerprint;
  if (options.sketch && !options.temporary.empty())
    return scan_usage("--temp", "--sketch makes no temporary files");
  request.temporary = options.temporary.empty() ? temporary_folder() : options.temporary;
  if (!options.sketch) LAB_TRY(check_temporary(options, request.temporary));
  request.sketch = options.sketch;
  request.direct = options.direct;
  request.emit = options.emit;
  if (!options.emit.empty() && options.sketch)
    return scan_usage("--emit", "needs exact counts, which --sketch does not give");
  if (!options.emit.empty()) LAB_TRY(scan::check_emit_folder(options.emit));
  request.verify = options.verify;
  if (options.verify) LAB_TRY(check_verify(options));
  if (!options.census_csv.empty()) LAB_TRY(check_csv(options));
  if (!options.manifest.empty()) {
    auto known = known_content(options.manifest);
    if (!known) return std::move(known).error();
    request.census = std::move(*known);
  }
  return request;
}

/// One line that renews itself on a terminal; elsewhere a line at each tenth of the way and one a minute.
class ScanLine {
 public:
  explicit ScanLine(bool no_progress) : style_(ProgressDisplay::style_for(no_progress)) {}
  ~ScanLine() { clear(); }
  ScanLine(const ScanLine&) = delete;
  ScanLine& operator=(const ScanLine&) = delete;

  void operator()(const scan::ScanProgress& progress) {
    if (style_ == ProgressDisplay::Style::kNone) return;
    const auto now = Clock::now();
    const bool bar = style_ == ProgressDisplay::Style::kBar;
    const std::uint64_t tenth = progress.bytes_done * 10 / std::max<std::uint64_t>(progress.bytes_total, 1);
    const bool due =
        now - last_ >= (bar ? kBarInterval : kLineInterval) || (!bar && tenth != tenth_) || progress.counting;
    if (!due) return;
    last_ = now;
    tenth_ = tenth;
    say("{}{}{}", bar ? "\r\033[K" : "", text(progress), bar ? "" : "\n");
    drawn_ = bar;
  }

 private:
  std::string text(const scan::ScanProgress& progress) const {
    if (progress.counting) return "all read; counting distinct chunks";
    const double seconds = std::chrono::duration<double>(last_ - began_).count();
    const auto done = static_cast<double>(progress.bytes_done);
    const double left = std::max(0.0, static_cast<double>(progress.bytes_total) - done) * seconds / done;
    const auto eye = [](std::uint64_t bytes) {
      return format_bytes(Bytes{static_cast<std::int64_t>(bytes)});
    };
    return fmt::format("{} of {}, {}/s, {} left", eye(progress.bytes_done), eye(progress.bytes_total),
                       eye(static_cast<std::uint64_t>(done / seconds)), format_seconds(left));
  }
  void clear() {
    if (drawn_) say("\r\033[K");
    drawn_ = false;
  }

  ProgressDisplay::Style style_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point last_ = began_;
  std::uint64_t tenth_ = 0;
  bool drawn_ = false;
};

}  // namespace

int scan(const ScanOptions& options, const GlobalOptions& global) {
  const auto request = request_of(options);
  if (!request) return fail(kExitUsage, request.error());
  const InterruptGuard interrupt;
  Result<scan::ScanReport> report = [&] {
    ScanLine line(global.no_progress);
    return scan::scan(
        *request, [&line](const scan::ScanProgress& progress) { line(progress); }, interrupt.token());
  }();
  if (!report && report.error().code == ErrorCode::kCancelled) {
    const int by_signal = InterruptGuard::exit_code();
    return fail(by_signal == 0 ? kExitInterrupted : by_signal, report.error());
  }
  if (!report) return fail(exit_code_of(report.error()), report.error());
  if (global.json)
    print("{}\n", scan_json(*request, *report).dump(2));
  else
    print("{}{}", scan_table(*report), report->census ? census_text(*report->census, request->classes) : "");
  say_notes(*report);
  if (report->census && !options.census_csv.empty())
    if (const Status written = write_census_csv(*report->census, options.census_csv); !written)
      return fail(kExitNotWritten, written.error());
  return kExitOk;
}

}  // namespace lab::cli
