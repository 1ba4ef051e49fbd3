// `deduplab download`: real data from a list of addresses, or from a folder that stands for them.
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/say.hpp"
#include "payload/download.hpp"

namespace lab::cli {
namespace {

constexpr Millis kProgressInterval{1'000};

/// A line a second at most, for the eye.
class DownloadLine {
 public:
  explicit DownloadLine(bool quiet) : quiet_(quiet) {}
  void operator()(const Download& download, Bytes there) {
    if (quiet_ || Clock::now() - last_ < kProgressInterval) return;
    last_ = Clock::now();
    say("{}: {} of {}\n", download.place(), format_bytes(there), format_bytes(download.size));
  }

 private:
  bool quiet_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

int download(const DownloadOptions& options, const GlobalOptions& global) {
  const auto list = load_download_list(options.list);
  if (!list) return fail(kExitUsage, list.error());
  DownloadSetting setting{.folder = options.into};
  if (!options.mirror.empty()) setting.mirror = options.mirror;
  const InterruptGuard interrupt;
  DownloadLine line(global.no_progress);
  const auto tally = download_all(*list, setting, {Clock::time_point::max(), interrupt.token()},
                                  [&line](const Download& download, Bytes there) { line(download, there); });
  if (!tally) {
    const int by_signal = InterruptGuard::exit_code();
    return fail(by_signal != 0 ? by_signal : exit_code_of(tally.error()), tally.error());
  }
  if (global.json) {
    const nlohmann::ordered_json all{{"there", tally->there},
                                     {"copied", tally->copied},
                                     {"fetched", tally->fetched},
                                     {"received_bytes", tally->received.count}};
    print("{}\n", all.dump(2));
  } else {
    say("{} files were there, {} copied, {} fetched; {} received\n", tally->there, tally->copied,
        tally->fetched, format_bytes(tally->received));
  }
  return kExitOk;
}

}  // namespace lab::cli
