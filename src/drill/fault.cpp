// SPDX-License-Identifier: Apache-2.0
#include "drill/fault.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "core/files.hpp"

namespace lab::drill {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kSmallDisk{4LL << 30};
constexpr off_t kPiece = 16 << 10;   // What is left of a filled disk is less.
constexpr Millis kEviction{30'000};  // What a pod gets between SIGTERM and SIGKILL.
constexpr Millis kLate{20};          // Each piece by a proxy that delays.
constexpr const char* kBallast = "deduplab-drill-ballast";
constexpr const char* kClockBack = "-3600";  // Seconds.

Status nothing(const Scene& /*scene*/) { return ok(); }

Status signal_server(const Scene& scene, int number) {
  return scene.bed.signal(scene.recipe, number, scene.call);
}

/// Takes what is left of the disk, in pieces that become smaller.
Status fill(const fs::path& top) {
  const auto ballast = open_file(top / kBallast, O_CREAT | O_WRONLY);
  if (!ballast) return ballast.error();
  struct statvfs disk{};
  if (::statvfs(top.c_str(), &disk) != 0) return errno_error("drill.fill", top.string(), errno);
  off_t size = 0;
  for (auto piece = static_cast<off_t>(disk.f_bfree * disk.f_frsize); piece >= kPiece;) {
    const int failure = ::posix_fallocate(ballast->get(), size, piece);
    if (failure == 0) {
      size += piece;
    } else if (failure == ENOSPC) {
      piece /= 2;
    } else if (failure != EINTR) {
      return errno_error("drill.fill", top.string(), failure);
    }
  }
  return ok();
}

Status fill_server_disk(const Scene& scene) {
  const auto top = small_disk(scene.server);
  return top ? fill(*top) : Status(top.error());
}

/// A server that has met a full disk may refuse to write until it is started anew.
Status free_server_disk(const Scene& scene) {
  const auto top = small_disk(scene.server);
  if (!top) return top.error();
  LAB_TRY(remove_tree(*top / kBallast));
  LAB_TRY(bring_up(scene));
  return scene.bed.restart(scene.recipe, scene.call);
}

Status signal_run(const Scene& scene, int number) {
  return ::kill(scene.program, number) == 0 ? ok() : errno_error("drill.signal", "the run", errno);
}

/// No more address space than it has now.
Status take_memory(const Scene& scene) {
  const auto text = read_file(fmt::format("/proc/{}/statm", scene.program));
  if (!text) return text.error();
  rlim_t pages = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), pages);
  if (parsed.ec != std::errc()) return Error{ErrorCode::kIo, "drill.memory", "/proc/PID/statm: " + *text};
  const rlim_t now = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  const rlimit limit{now, now};
  if (::prlimit(scene.program, RLIMIT_AS, &limit, nullptr) == 0) return ok();
  return errno_error("drill.memory", "prlimit", errno);
}

std::vector<Fault> server_faults() {
  return {
      {.name = "kill",
       .what = "the server is killed (-9), and started again after 3 s",
       .heals_after = Millis{3'000},
       .ends_server = true,
       .inject = [](const Scene& scene) { return signal_server(scene, SIGKILL); },
       .heal = bring_up},
      {.name = "kill_for_good",
       .what = "the server is killed (-9), and started again when the run has ended",
       .ends_server = true,
       .inject = [](const Scene& scene) { return signal_server(scene, SIGKILL); },
       .heal = bring_up},
      {.name = "freeze",
       .what = "the server is stopped for 20 s",
       .heals_after = Millis{20'000},
       .inject = [](const Scene& scene) { return signal_server(scene, SIGSTOP); },
       .heal = [](const Scene& scene) { return signal_server(scene, SIGCONT); }},
      {.name = "cut",
       .what = "all connections to the server are cut once",
       .needs = Needs::kProxy,
       .inject = [](const Scene& scene) { return scene.proxy->cut(), ok(); }},
      {.name = "delay",
       .what = "each piece between run and server is 20 ms late",
       .needs = Needs::kProxy,
       .inject = [](const Scene& scene) { return scene.proxy->delay(kLate), ok(); },
       .heal = [](const Scene& scene) { return scene.proxy->delay(Millis{0}), ok(); }},
      {.name = "half_open",
       .what = "what is sent between run and server is lost, and no connection ends",
       .needs = Needs::kProxy,
       .limit = Millis{10'000},
       .inject = [](const Scene& scene) { return scene.proxy->swallow(), ok(); },
       .heal = [](const Scene& scene) { return scene.proxy->go_on(), ok(); }},
      {.name = "disk_full",
       .what = "the server's disk is full until the run has ended",
       .needs = Needs::kServerDisk,
       .inject = fill_server_disk,
       .heal = free_server_disk},
  };
}

std::vector<Fault> run_faults() {
  return {
      {.name = "run_disk_full",
       .what = "the disk of the run directory is full until the run has ended",
       .needs = Needs::kRunDisk,
       .exit_codes = {1, 4},
       .inject = [](const Scene& scene) { return fill(scene.run_disk); },
       .heal = [](const Scene& scene) { return remove_tree(scene.run_disk / kBallast); }},
      {.name = "clock_back",
       .what = "the run's wall clock is set back by an hour",
       .needs = Needs::kClock,
       .not_for = {{"kafka", "libfaketime also changes the waits within librdkafka, which a clock does not"}},
       .inject = [](const Scene& scene) { return write_file_atomic(scene.clock, kClockBack); },
       .heal = [](const Scene& scene) { return write_file_atomic(scene.clock, "+0"); }},
      {.name = "self_kill",
       .what = "the run is killed (-9)",
       .exit_codes = {128 + SIGKILL},
       .inject = [](const Scene& scene) { return signal_run(scene, SIGKILL); }},
      {.name = "self_term",
       .what = "the run gets SIGTERM",
       .exit_codes = {128 + SIGTERM},
       .ends_within = kEviction,
       .inject = [](const Scene& scene) { return signal_run(scene, SIGTERM); }},
      {.name = "self_int",
       .what = "the run gets SIGINT",
       .exit_codes = {128 + SIGINT},
       .ends_within = kEviction,
       .inject = [](const Scene& scene) { return signal_run(scene, SIGINT); }},
      {.name = "self_oom",
       .what = "the run gets no more memory",
       .exit_codes = {0, 1, 128 + SIGABRT},
       .inject = take_memory},
  };
}

}  // namespace

/// Starts it where it has ended, and anew where it runs without answering.
Status bring_up(const Scene& scene) {
  const auto status = scene.bed.status(scene.recipe, scene.call);
  if (!status) return status.error();
  if (status->state == testbed::ServerState::kRunning) return ok();
  if (status->state == testbed::ServerState::kNotAnswering)
    return scene.bed.restart(scene.recipe, scene.call);
  const auto started = scene.bed.up(scene.recipe, scene.call);
  return started ? ok() : Status(started.error());
}

const std::vector<Fault>& faults() {
  static const std::vector<Fault> kFaults = [] {
    std::vector<Fault> all = server_faults();
    for (Fault& fault : run_faults()) all.push_back(std::move(fault));
    for (Fault& fault : all)
      if (fault.heal == nullptr) fault.heal = nothing;
    return all;
  }();
  return kFaults;
}

const Fault* find_fault(std::string_view name) {
  const auto found =
      std::find_if(faults().begin(), faults().end(), [&](const Fault& fault) { return fault.name == name; });
  return found == faults().end() ? nullptr : &*found;
}

std::vector<std::string> fault_names() {
  std::vector<std::string> names;
  for (const Fault& fault : faults()) names.emplace_back(fault.name);
  return names;
}

Result<fs::path> small_disk(const fs::path& folder) {
  struct stat root{};
  struct stat mine{};
  struct statvfs disk{};
  if (::stat("/", &root) != 0 || ::stat(folder.c_str(), &mine) != 0 || ::statvfs(folder.c_str(), &disk) != 0)
    return errno_error("drill.disk", folder.string(), errno);
  if (mine.st_dev == root.st_dev ||
      disk.f_blocks * disk.f_frsize > static_cast<std::uint64_t>(kSmallDisk.count))
    return Error{ErrorCode::kRefused, "drill.disk",
                 folder.string() + " is not on a file system of its own of at most 4 GiB"};
  fs::path top = folder;
  struct stat above{};
  while (::stat(top.parent_path().c_str(), &above) == 0 && above.st_dev == mine.st_dev)
    top = top.parent_path();
  return top;
}

Result<fs::path> clock_library() {
  constexpr std::array kPlaces{"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                               "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
                               "/usr/lib/faketime/libfaketimeMT.so.1"};
  for (const char* place : kPlaces)
    if (::access(place, R_OK) == 0) return fs::path(place);
  return Error{ErrorCode::kNotFound, "drill.clock", "libfaketime is not installed (apt install libfaketime)"};
}

std::vector<std::string> clock_environment(const fs::path& library, const fs::path& clock) {
  return {"LD_PRELOAD=" + library.string(), "FAKETIME_TIMESTAMP_FILE=" + clock.string(),
          "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_RESET=1"};
}

}  // namespace lab::drill
