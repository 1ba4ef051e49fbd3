// `deduplab download`: real data from a list of addresses, or from a folder that stands for them.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/new_file.hpp"
#include "cli/say.hpp"
#include "core/files.hpp"
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
    if (download.size == Bytes{})  // Of a file that is to be pinned.
      say("{}: {}\n", download.place(), format_bytes(there));
    else
      say("{}: {} of {}\n", download.place(), format_bytes(there), format_bytes(download.size));
  }

 private:
  bool quiet_;
  Clock::time_point last_ = Clock::now();
};

int code_of(const Error& error) {
  const int by_signal = InterruptGuard::exit_code();
  return fail(by_signal != 0 ? by_signal : exit_code_of(error), error);
}

/// The list that is made: from the first moment on a file of its name, so that nobody else's is replaced and
/// one that cannot be made is known before anything is fetched. It always has what was measured so far.
class PinnedList {
 public:
  explicit PinnedList(const DownloadOptions& options) : options_(options) {}
  ~PinnedList() {
    if (made_ && text_.empty() && is_ours()) ::unlink(options_.pin.c_str());
  }
  PinnedList(const PinnedList&) = delete;
  PinnedList& operator=(const PinnedList&) = delete;

  Status make() {
    LAB_TRY(open_file(options_.pin, O_WRONLY | O_CREAT | O_EXCL));
    made_ = true;
    return ok();
  }
  Status write(const std::vector<ListedDownload>& measured) {
    auto text = pinned_list(options_.list, measured);
    if (!text) return text.error();
    if (!is_ours())
      return Error{
          ErrorCode::kIo, "download",
          options_.pin.string() + ": somebody else has written into it meanwhile, so it stays as it is"};
    LAB_TRY(write_file_atomic(options_.pin, *text));
    text_ = *std::move(text);
    return ok();
  }

 private:
  bool is_ours() const {
    const auto there = read_file(options_.pin);
    return there && *there == text_;
  }

  const DownloadOptions& options_;
  bool made_ = false;
  std::string text_{};  // What was written last.
};

int pin(const DownloadOptions& options, const GlobalOptions& global) {
  if (const std::string why = why_no_new_file(options.pin); !why.empty())
    return fail(kExitUsage, {ErrorCode::kInvalidArgument, "download", "--pin: " + why});
  const auto list = load_listed_downloads(options.list);
  if (!list) return fail(kExitUsage, list.error());
  std::vector<ListedDownload> open;
  std::ranges::copy_if(*list, std::back_inserter(open), [](const auto& listed) { return !listed.pinned; });
  // What cannot be written is known before anything is fetched.
  std::vector<ListedDownload> any = open;
  for (ListedDownload& listed : any) listed.download.size = Bytes{1};
  if (const auto possible = pinned_list(options.list, any); !possible)
    return fail(kExitUsage, possible.error());
  if (open.empty())
    return fail(kExitUsage, {ErrorCode::kInvalidArgument, "download",
                             "--pin: all entries of " + options.list.string() + " have a size and a sha256"});
  PinnedList pinned(options);
  if (const Status made = pinned.make(); !made) return fail(kExitNotWritten, made.error());
  const InterruptGuard interrupt;
  DownloadLine line(global.no_progress);
  std::vector<ListedDownload> measured;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::optional<Error> failure;
  for (const ListedDownload& listed : open) {
    auto fetched = fetch_unknown(listed.download, {.folder = options.into},
                                 {Clock::time_point::max(), interrupt.token()},
                                 [&line](const Download& download, Bytes there) { line(download, there); });
    if (!fetched) {
      failure = std::move(fetched).error();
      break;
    }
    say("{}: {} bytes, SHA-256 {}\n", fetched->place(), fetched->size.count, to_hex(fetched->sha256));
    all.push_back(
        {{"place", fetched->place()}, {"size", fetched->size.count}, {"sha256", to_hex(fetched->sha256)}});
    measured.push_back({.download = *std::move(fetched), .pinned = true, .line = listed.line});
    if (const Status written = pinned.write(measured); !written)
      return fail(kExitNotWritten, written.error());
  }
  if (!measured.empty())
    say("{} has {} of {} entries pinned to what their addresses gave now; that these are the right bytes is "
        "your word for it, nobody else's\n",
        options.pin.string(), measured.size(), open.size());
  if (failure) return code_of(*failure);
  if (global.json) print("{}\n", all.dump(2));
  return kExitOk;
}

}  // namespace

int download(const DownloadOptions& options, const GlobalOptions& global) {
  if (!options.pin.empty()) return pin(options, global);
  const auto list = load_download_list(options.list);
  if (!list) return fail(kExitUsage, list.error());
  DownloadSetting setting{.folder = options.into};
  if (!options.mirror.empty()) setting.mirror = options.mirror;
  const InterruptGuard interrupt;
  DownloadLine line(global.no_progress);
  const auto tally = download_all(*list, setting, {Clock::time_point::max(), interrupt.token()},
                                  [&line](const Download& download, Bytes there) { line(download, there); });
  if (!tally) return code_of(tally.error());
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
