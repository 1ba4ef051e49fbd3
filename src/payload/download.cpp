// SPDX-License-Identifier: Apache-2.0
#include "payload/download.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "core/files.hpp"
#include "core/http_client.hpp"
#include "core/text.hpp"
#include "model/endpoint.hpp"
#include "payload/folder_listing.hpp"

namespace lab {

namespace fs = std::filesystem;

namespace {

constexpr const char* kOperation = "download";
constexpr std::size_t kReadBytes = 1U << 20U;
constexpr int kRedirectsMax = 5;
constexpr std::size_t kNamedMax = 20;  // Missing files, in one error.

Error failed(ErrorCode code, const Download& download, std::string_view why, bool retryable = false) {
  return {code, kOperation, fmt::format("{}: {}", download.place(), why), retryable};
}

std::string wanted(const Download& download) {
  return fmt::format("{} bytes, SHA-256 {}", download.size.count, to_hex(download.sha256));
}

/// What stands at `path`: its size and digest.
Result<std::pair<Bytes, Digest>> measure(const fs::path& path) {
  const auto file = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!file) return file.error();
  Sha256 hash;
  Bytes size;
  std::vector<std::byte> buffer(kReadBytes);
  LAB_TRY(read_pieces(*file, path, buffer, [&](std::span<const std::byte> bytes) {
    hash.update(bytes);
    size += Bytes{std::ssize(bytes)};
    return ok();
  }));
  return std::pair{size, hash.digest()};
}

/// True for the right file, false where there is none.
Result<bool> is_there(const fs::path& path, const Download& download) {
  const auto found = measure(path);
  if (!found && found.error().code == ErrorCode::kNotFound) return false;
  if (!found) return found.error();
  if (*found == std::pair{download.size, download.sha256}) return true;
  return failed(
      ErrorCode::kCorruption, download,
      fmt::format("{} has {} bytes, SHA-256 {}; the list says {}. Remove it to have it fetched again",
                  path.string(), found->first.count, to_hex(found->second), wanted(download)));
}

/// The folders of a path that are not there, the deepest first.
std::vector<fs::path> missing_folders(fs::path folder) {
  std::vector<fs::path> missing;
  std::error_code unseen;
  while (!folder.empty() && !fs::exists(fs::symlink_status(folder, unseen))) {
    missing.push_back(folder);
    folder = folder.parent_path();
  }
  return missing;
}

/// A file on its way: beside its place, under a name that nobody reads. An empty one goes with this, and
/// with it its folder and those that were made for it, if they are empty then.
class PartFile {
 public:
  ~PartFile() {
    const auto left = file_ ? size() : Result<Bytes>(Bytes{1});
    if (!left || *left != Bytes{0}) return;
    ::unlink(path_.c_str());
    // Refused by the system where anything is in them.
    ::rmdir(path_.parent_path().c_str());
    for (const fs::path& folder : made_) ::rmdir(folder.c_str());
  }
  PartFile(PartFile&&) noexcept = default;
  PartFile& operator=(PartFile&&) = delete;

  static Result<PartFile> open(const fs::path& target, const Download& download) {
    std::vector<fs::path> made = missing_folders(target.parent_path());
    LAB_TRY(make_directories(target.parent_path()));
    fs::path path = target.parent_path() / ("." + target.filename().string() + ".part");
    auto file = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
    if (!file) return std::move(file).error();
    if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0)
      return failed(ErrorCode::kInUse, download, "another process fetches it");
    return PartFile(std::move(*file), std::move(path), std::move(made));
  }

  Result<Bytes> size() const {
    struct stat info{};
    if (::fstat(file_.get(), &info) != 0) return errno_error(kOperation, path_.string(), errno);
    return Bytes{info.st_size};
  }

  /// Everything after it is written at `size`.
  Status cut_to(Bytes size) const {
    if (::ftruncate(file_.get(), size.count) != 0 || ::lseek(file_.get(), size.count, SEEK_SET) < 0)
      return errno_error(kOperation, path_.string(), errno);
    return ok();
  }

  /// Whatever came, durable under its name.
  Result<std::pair<Bytes, Digest>> keep(const fs::path& target) const {
    auto found = measure(path_);
    if (!found) return found;
    LAB_TRY(put_in_place(target));
    return found;
  }

  Status append(std::string_view bytes) const { return write_all(file_, bytes, path_); }

  /// Checked against the list, then durable under its name. Of a wrong file nothing is kept.
  Status finish(const fs::path& target, const Download& download, bool retryable) const {
    const auto found = measure(path_);
    if (!found) return found.error();
    if (*found != std::pair{download.size, download.sha256}) {
      LAB_TRY(cut_to({}));
      return failed(ErrorCode::kCorruption, download,
                    fmt::format("came with {} bytes, SHA-256 {}; the list says {}", found->first.count,
                                to_hex(found->second), wanted(download)),
                    retryable);
    }
    return put_in_place(target);
  }

 private:
  Status put_in_place(const fs::path& target) const {
    LAB_TRY(sync_file(path_));
    std::error_code failure;
    fs::rename(path_, target, failure);
    if (failure) return errno_error(kOperation, target.string(), failure.value());
    return sync_directory(target.parent_path());
  }

  PartFile(FileHandle file, fs::path path, std::vector<fs::path> made)
      : file_(std::move(file)), path_(std::move(path)), made_(std::move(made)) {}

  FileHandle file_;
  fs::path path_;
  std::vector<fs::path> made_;  // Folders, the deepest first.
};

/// Where a redirect leads. Errors: kRefused for what is no plain address, and for leaving https.
Result<std::string> redirected(const std::string& from, const HttpAnswer& answer, const Download& download) {
  const auto location = answer.headers.find("location");
  std::string to = location == answer.headers.end() ? "" : location->second;
  const std::size_t origin_end = from.find('/', from.find("://") + 3);
  if (to.starts_with('/') && !to.starts_with("//")) to = from.substr(0, origin_end) + to;
  if (!check_endpoint_url(to))
    return failed(ErrorCode::kRefused, download, from + " redirects to what is no address of a file");
  if (from.starts_with("https:") && !to.starts_with("https:"))
    return failed(ErrorCode::kRefused, download, from + " redirects from https to http");
  return to;
}

class Fetch {
 public:
  Fetch(const Download& download, const DownloadSetting& setting, const PartFile& part,
        const DownloadProgress& progress)
      : download_(download), setting_(setting), part_(part), progress_(progress) {}

  /// One attempt at what is missing.
  Status attempt(HttpClient& client, const fs::path& target, const CallContext& call) {
    const auto before = part_.size();
    if (!before) return before.error();
    there_ = *before > download_.size ? Bytes{} : *before;
    LAB_TRY(part_.cut_to(there_));
    const bool resumed = there_ > Bytes{0};
    if (there_ < download_.size) LAB_TRY(ask(client, call));
    if (there_ < download_.size)
      return failed(ErrorCode::kConnectionLost, download_,
                    fmt::format("ended after {} of {} bytes", there_.count, download_.size.count), true);
    // What was put together of two answers may be of two versions: once more as a whole.
    return part_.finish(target, download_, resumed);
  }

  /// One attempt at a file of which nothing is known: always as a whole.
  Status attempt_unknown(HttpClient& client, const CallContext& call) {
    known_ = false;
    there_ = {};
    LAB_TRY(part_.cut_to({}));
    LAB_TRY(ask(client, call));
    if (there_ == Bytes{}) return failed(ErrorCode::kCorruption, download_, "came without a byte");
    return ok();
  }

  Bytes received() const { return received_; }

 private:
  Status ask(HttpClient& client, const CallContext& call) {
    std::string address = download_.address;
    for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
      const auto answer = client.send(request_to(address), call, kOperation);
      if (!answer) return named(answer.error());
      if (answer->good()) return ok();
      if (answer->status < 300 || answer->status > 399) return refusal(address, *answer);
      auto next = redirected(address, *answer, download_);
      if (!next) return std::move(next).error();
      address = std::move(*next);
    }
    return failed(ErrorCode::kRefused, download_, fmt::format("more than {} redirects", kRedirectsMax));
  }

  HttpRequest request_to(const std::string& address) {
    HttpRequest request{.url = address,
                        .sink = [this](std::string_view bytes) { return take(bytes); },
                        .head = [this](const HttpAnswer& answer) { return begin(answer); },
                        .silence_max = setting_.silence_max};
    if (there_ > Bytes{0}) request.headers.push_back(fmt::format("Range: bytes={}-", there_.count));
    return request;
  }

  /// A server that does not go on where we were begins anew.
  Status begin(const HttpAnswer& answer) {
    if (answer.status != 206) {
      there_ = {};
      return part_.cut_to({});
    }
    const auto range = answer.headers.find("content-range");
    if (range != answer.headers.end() && range->second.starts_with(fmt::format("bytes {}-", there_.count)))
      return ok();
    return failed(ErrorCode::kCorruption, download_, "the server answered another range than was asked for");
  }

  Status take(std::string_view bytes) {
    if (known_ && there_ + Bytes{std::ssize(bytes)} > download_.size)
      return failed(ErrorCode::kCorruption, download_,
                    fmt::format("longer than the {} bytes that the list says", download_.size.count));
    LAB_TRY(part_.append(bytes));
    there_ += Bytes{std::ssize(bytes)};
    received_ += Bytes{std::ssize(bytes)};
    progress_(download_, there_);
    return ok();
  }

  Status refusal(const std::string& address, const HttpAnswer& answer) const {
    constexpr std::size_t kWordsMax = 200;
    const std::string words = to_valid_utf8(trim(std::string_view(answer.body).substr(0, kWordsMax)));
    // A range that is not there: what we have is not of this file.
    if (answer.status == 416) LAB_TRY(part_.cut_to({}));
    const bool later =
        answer.status >= 500 || answer.status == 408 || answer.status == 416 || answer.status == 429;
    const bool gone = answer.status == 404 || answer.status == 410;
    return failed(gone ? ErrorCode::kNotFound : ErrorCode::kRefused, download_,
                  fmt::format("{} answered {}{}{}", address, answer.status, words.empty() ? "" : ": ", words),
                  later);
  }

  Error named(Error error) const {
    if (!error.detail.starts_with(download_.place())) error.detail = download_.place() + ": " + error.detail;
    return error;
  }

  const Download& download_;
  const DownloadSetting& setting_;
  const PartFile& part_;
  const DownloadProgress& progress_;
  bool known_ = true;  // How large it is.
  Bytes there_{};
  Bytes received_{};
};

Status copy_from(const fs::path& mirror, const Download& download, const PartFile& part,
                 const fs::path& target, const DownloadProgress& progress) {
  const fs::path path = mirror / download.place();
  std::error_code unseen;
  if (const auto status = fs::symlink_status(path, unseen);
      fs::exists(status) && !fs::is_regular_file(status))
    return failed(ErrorCode::kRefused, download,
                  path.string() + " is not a regular file; links are not followed");
  const auto file = open_file(path, O_RDONLY);
  if (!file && file.error().code == ErrorCode::kNotFound)
    return failed(
        ErrorCode::kNotFound, download,
        fmt::format("the mirror has no {} ({}, from {})", path.string(), wanted(download), download.address));
  if (!file) return file.error();
  LAB_TRY(part.cut_to({}));
  std::vector<std::byte> buffer(kReadBytes);
  Bytes there;
  LAB_TRY(read_pieces(*file, path, buffer, [&](std::span<const std::byte> bytes) -> Status {
    there += Bytes{std::ssize(bytes)};
    if (there > download.size)
      return failed(ErrorCode::kCorruption, download, path.string() + " is longer than the list says");
    progress(download, there);
    return part.append(as_text(bytes));
  }));
  return part.finish(target, download, false);
}

/// The error of one file, with what else is missing and what a machine without a network can do about it.
Error without_network(const Error& error, std::span<const Download> missing, const fs::path& folder) {
  std::string detail = fmt::format(
      "{}\nWithout a network, put these files below {}, or name a folder that has them so by --mirror:",
      error.detail, folder.string());
  for (std::size_t i = 0; i < missing.size() && i < kNamedMax; ++i)
    detail += fmt::format("\n  {} ({}) from {}", missing[i].place(), wanted(missing[i]), missing[i].address);
  if (missing.size() > kNamedMax) detail += fmt::format("\n  and {} more", missing.size() - kNamedMax);
  return {error.code, error.operation, std::move(detail), error.retryable};
}

}  // namespace

Result<DownloadTally> download_all(std::span<const Download> downloads, const DownloadSetting& setting,
                                   const CallContext& call, const DownloadProgress& progress) {
  DownloadTally tally;
  std::vector<Download> missing;
  for (const Download& download : downloads) {
    const auto there = is_there(setting.folder / download.place(), download);
    if (!there) return there.error();
    if (*there)
      tally.there += 1;
    else
      missing.push_back(download);
  }
  HttpClient client({});
  Random random(
      static_cast<std::uint64_t>(wall_time_ms()));  // Of pauses, so that machines do not ask in step.
  for (std::size_t next = 0; next < missing.size(); ++next) {
    const Download& download = missing[next];
    const fs::path target = setting.folder / download.place();
    LAB_TRY(allowed(call, kOperation));
    const auto part = PartFile::open(target, download);
    if (!part) return part.error();
    Fetch fetch(download, setting, *part, progress);
    const Status obtained = setting.mirror ? copy_from(*setting.mirror, download, *part, target, progress)
                                           : retry(call, setting.retry, *setting.time, random,
                                                   [&] { return fetch.attempt(client, target, call); });
    if (!obtained && obtained.error().code == ErrorCode::kConnectionLost)
      return without_network(obtained.error(), std::span(missing).subspan(next), setting.folder);
    if (!obtained && obtained.error().code == ErrorCode::kCorruption)
      ignore(part->cut_to({}), "nothing goes on from wrong bytes; the error is theirs");
    if (!obtained) return obtained.error();
    (setting.mirror ? tally.copied : tally.fetched) += 1;
    tally.received += setting.mirror ? download.size : fetch.received();
  }
  return tally;
}

Result<Download> fetch_unknown(const Download& download, const DownloadSetting& setting,
                               const CallContext& call, const DownloadProgress& progress) {
  LAB_TRY(allowed(call, kOperation));
  const fs::path target = setting.folder / download.place();
  std::error_code unseen;
  if (fs::exists(fs::symlink_status(target, unseen)))
    return failed(
        ErrorCode::kRefused, download,
        target.string() + " is there already, and nothing says whether it is the right one; remove it");
  const auto part = PartFile::open(target, download);
  if (!part) return part.error();
  HttpClient client({});
  Random random(static_cast<std::uint64_t>(wall_time_ms()));
  Fetch fetch(download, setting, *part, progress);
  const Status obtained =
      retry(call, setting.retry, *setting.time, random, [&] { return fetch.attempt_unknown(client, call); });
  if (!obtained) {
    ignore(part->cut_to({}), "what has no known end is never gone on with; the error is the other one");
    return obtained.error();
  }
  const auto found = part->keep(target);
  if (!found) return found.error();
  Download measured = download;
  measured.size = found->first;
  measured.sha256 = found->second;
  return measured;
}

}  // namespace lab
