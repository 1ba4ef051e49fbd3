// The lease: taken by link(2), renewed by rename, and taken over by exactly one of many that find it dead.
// SPDX-License-Identifier: Apache-2.0
#include "journal/lease.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <random>
#include <system_error>
#include <thread>

#include "core/files.hpp"
#include "journal/holder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using journal_lease::boot_time_ms;
using journal_lease::Claim;
using journal_lease::find_claim;
using journal_lease::FoundClaim;
using journal_lease::judge;
using journal_lease::Life;

constexpr const char* kFileName = "lease.json";
constexpr const char* kTemporarySuffix = ".tmp";
constexpr const char* kGuardSuffix = ".taking";
constexpr int kAttempts = 20;   // At a file that others change at the same time.
constexpr int kGuardsDeep = 3;  // Takeovers that were themselves killed, one inside the other.

std::string random_token() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

Error in_use(const fs::path& directory, const std::string& description) {
  return {ErrorCode::kInUse, "lease.acquire", directory.string() + ": held by " + description};
}

/// Puts one claim into files of a run directory. Not thread-safe.
class Claimer {
 public:
  Claimer(fs::path directory, Claim claim, Millis expiry)
      : directory_(std::move(directory)), claim_(std::move(claim)), expiry_(expiry) {
    temporary_ = directory_ / (".lease." + claim_.token + kTemporarySuffix);
  }

  /// Makes `file` ours. Errors: kInUse when somebody holds it, or takes it over.
  Status take(const fs::path& file, int depth = 0);

  /// Our claim with a new heartbeat in place of what `file` is. Returns the time since boot of the heartbeat.
  Result<std::int64_t> put(const fs::path& file);
  /// The same where there is no file. False: there is one.
  Result<bool> put_new(const fs::path& file);

  bool is_ours(const FoundClaim& found) const { return found.claim && found.claim->token == claim_.token; }

  /// Removes what dead processes left: their temporary files and guards.
  void sweep() const;

  std::int64_t heartbeat_boot_ms() const { return claim_.heartbeat_boot_ms; }

 private:
  Status write_temporary();
  Result<bool> link_or_create(const fs::path& file);
  Life watch(const fs::path& file, const FoundClaim& found) const;
  Result<bool> replace(const fs::path& file, const FoundClaim& dead, int depth);

  fs::path directory_;
  fs::path temporary_;
  Claim claim_;
  Millis expiry_;
  std::optional<std::int64_t> server_now_ms_{};  // Stamped on our last temporary file.
};

Status Claimer::write_temporary() {
  claim_.heartbeat_boot_ms =
      boot_time_ms();  // Before the write: what others see is never younger than it was.
  claim_.heartbeat_ms = wall_time_ms();
  ::unlink(temporary_.c_str());
  auto file = open_file(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!file) return std::move(file).error();
  LAB_TRY(write_all(*file, journal_lease::to_text(claim_), temporary_));
  if (::fsync(file->get()) != 0) return errno_error("fsync", temporary_.string(), errno);
  struct stat info{};
  if (::fstat(file->get(), &info) == 0)
    server_now_ms_ = std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
  return ok();
}

Result<std::int64_t> Claimer::put(const fs::path& file) {
  LAB_TRY(write_temporary());
  if (::rename(temporary_.c_str(), file.c_str()) == 0) return claim_.heartbeat_boot_ms;
  return errno_error("rename", file.string(), errno);
}

Result<bool> Claimer::link_or_create(const fs::path& file) {
  if (::link(temporary_.c_str(), file.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
    return errno_error("link", file.string(), errno);
  // No hard links here. A crash between creation and write leaves an empty file, that is watched as unclear.
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno == EEXIST) return false;
  if (descriptor < 0) return errno_error("open", file.string(), errno);
  LAB_TRY(write_all(FileHandle(descriptor), journal_lease::to_text(claim_), file));
  return true;
}

Result<bool> Claimer::put_new(const fs::path& file) {
  Status written = write_temporary();
  Result<bool> placed = written ? link_or_create(file) : Result<bool>(written.error());
  ::unlink(temporary_.c_str());
  return placed;
}

/// A file that does not change for the expiry time has no holder that lives.
Life Claimer::watch(const fs::path& file, const FoundClaim& found) const {
  const auto end = Clock::now() + expiry_;
  const Millis step = std::clamp(expiry_ / 100, Millis{1}, Millis{250});
  while (Clock::now() < end) {
    std::this_thread::sleep_for(step);
    const auto present = find_claim(file);
    if (!present || !*present || (*present)->bytes != found.bytes) return Life::kAlive;
  }
  return Life::kGone;
}

/// Of all that found `dead`, only the holder of the guard named after it may replace it; and only while it is
/// still there, since an earlier holder of the guard may have replaced it already. Nobody else changes the
/// file: its holder is gone, and a new one needs it to be absent.
Result<bool> Claimer::replace(const fs::path& file, const FoundClaim& dead, int depth) {
  const fs::path guard = directory_ / (".lease." + dead.name() + kGuardSuffix);
  LAB_TRY(take(guard, depth + 1));
  const auto present = find_claim(file);
  Result<bool> replaced = false;
  if (!present) {
    replaced = present.error();
  } else if (*present && (*present)->bytes == dead.bytes) {
    const auto put_at = put(file);
    replaced = put_at ? Result<bool>(true) : Result<bool>(put_at.error());
  }
  ::unlink(guard.c_str());
  return replaced;
}

Status Claimer::take(const fs::path& file, int depth) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto placed = put_new(file);
    if (!placed) return placed.error();
    if (*placed) return ok();
    const auto found = find_claim(file);
    if (!found) return found.error();
    if (!*found) continue;              // Released just now.
    if (is_ours(**found)) return ok();  // NFS may lose the answer to a link that was made.
    Life life = judge(**found, claim_.holder, expiry_, server_now_ms_);
    if (life == Life::kUnclear) life = watch(file, **found);
    if (life == Life::kAlive || depth == kGuardsDeep) return in_use(directory_, (*found)->description());
    const auto replaced = replace(file, **found, depth);
    if (!replaced) return replaced.error();
    if (*replaced) return ok();
  }
  return in_use(directory_, "processes that take it over");
}

void Claimer::sweep() const {
  std::error_code failure;
  for (fs::directory_iterator entry(directory_, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    const bool of_a_lease =
        name.starts_with(".lease.") && (name.ends_with(kTemporarySuffix) || name.ends_with(kGuardSuffix));
    if (!of_a_lease) continue;
    const auto found = find_claim(entry->path());
    if (found && *found && judge(**found, claim_.holder, expiry_, server_now_ms_) == Life::kGone)
      ::unlink(entry->path().c_str());
  }
}

class FileLease final : public Lease {
 public:
  FileLease(fs::path file, Claimer claimer, const LeaseTimes& times)
      : file_(std::move(file)),
        claimer_(std::move(claimer)),
        times_(times),
        renewed_ms_(claimer_.heartbeat_boot_ms()) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (sleep_until(stop, Clock::now() + times_.heartbeat)) renew();
    });
  }
  ~FileLease() override;

  bool lost() const override { return taken_ || too_old(); }

 private:
  /// Others may take it at the expiry, so we stop a tenth of it earlier.
  bool too_old() const { return boot_time_ms() - renewed_ms_ > (times_.expiry - times_.expiry / 10).count(); }
  void renew();

  const fs::path file_;
  Claimer claimer_;
  const LeaseTimes times_;
  std::atomic<std::int64_t> renewed_ms_;
  std::atomic<bool> taken_ = false;
  std::jthread thread_;
};

/// A failure is tried again at the next heartbeat, until it is too late.
void FileLease::renew() {
  const auto found = find_claim(file_);
  if (!found) return;
  if (*found && !claimer_.is_ours(**found)) taken_ = true;
  if (too_old()) taken_ = true;  // For good: another process may be about to take it.
  if (taken_) return;
  if (!*found) {  // Somebody removed the file by hand.
    const auto placed = claimer_.put_new(file_);
    if (placed && *placed) renewed_ms_ = claimer_.heartbeat_boot_ms();
    return;
  }
  if (const auto put_at = claimer_.put(file_)) renewed_ms_ = *put_at;
}

FileLease::~FileLease() {
  thread_.request_stop();
  thread_.join();
  if (lost()) return;
  const auto found = find_claim(file_);
  if (found && *found && claimer_.is_ours(**found)) ::unlink(file_.c_str());
}

}  // namespace

Result<std::unique_ptr<Lease>> Lease::acquire(const fs::path& directory, const std::string& run_id,
                                              const LeaseTimes& times, const HolderIdentity& self) {
  const fs::path file = directory / kFileName;
  Claimer claimer(directory, {.holder = self, .run_id = run_id, .token = random_token()}, times.expiry);
  LAB_TRY(claimer.take(file));
  claimer.sweep();
  try {
    return std::unique_ptr<Lease>(std::make_unique<FileLease>(file, std::move(claimer), times));
  } catch (const std::system_error& failure) {  // No thread to be had, so nobody would renew it.
    ::unlink(file.c_str());
    return Error{ErrorCode::kResourceExhausted, "lease.acquire", failure.what()};
  }
}

Result<std::string> describe_holder(const fs::path& directory) {
  const auto found = find_claim(directory / kFileName);
  if (!found) return found.error();
  if (!*found) return std::string();
  const Life life = judge(**found, this_process(), LeaseTimes{}.expiry, std::nullopt);
  if (life == Life::kGone) return std::string();
  return (*found)->description() + (life == Life::kUnclear ? "; not clear whether it still runs" : "");
}

}  // namespace lab
