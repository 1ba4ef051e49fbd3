// Identity and constant answers of systems that run inside this process.
// SPDX-License-Identifier: Apache-2.0
#include "driver/embedded_observer.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::size_t kStartTimeField =
    19;  // proc(5), stat: field 22, counted from the state (field 3) as 0.

std::string read_start_tick() {
  const auto stat = read_file("/proc/self/stat", 1_MiB);
  if (!stat) return "unknown";
  // The program's name stands in parentheses and may hold blanks: fields are counted after the last one.
  const std::size_t name_end = stat->rfind(") ");
  if (name_end == std::string::npos) return "unknown";
  const auto fields = split(std::string_view(*stat).substr(name_end + 2), ' ');
  return fields.size() > kStartTimeField ? std::string(fields[kStartTimeField]) : "unknown";
}

}  // namespace

std::string process_started_at() {
  static const std::string kStarted = [] {
    const auto boot = read_file("/proc/sys/kernel/random/boot_id", 1_MiB);
    return fmt::format("{}/{}/{}", boot ? trim(*boot) : "unknown", ::getpid(), read_start_tick());
  }();
  return kStarted;
}

Result<ServerIdentity> EmbeddedObserver::identity(const CallContext& call) {
  LAB_TRY(allowed(call, "observer.identity"));
  ServerIdentity identity{
      .name = name_, .version = version_, .identity = "memory", .started_at = process_started_at()};
  if (data_.empty()) return identity;
  std::error_code failure;
  const auto canonical = std::filesystem::canonical(data_, failure);
  if (failure) return errno_error("observer.identity", data_.string(), failure.value());
  identity.identity = canonical.string();
  return identity;
}

Result<std::map<std::string, double>> EmbeddedObserver::busy(const CallContext& call) {
  LAB_TRY(allowed(call, "observer.busy"));
  return std::map<std::string, double>{};
}

Result<Footprint> EmbeddedObserver::footprint(const CallContext& call) {
  LAB_TRY(allowed(call, "observer.footprint"));
  return Error{ErrorCode::kUnsupported, "observer.footprint", name_ + " has no figure of its own"};
}

Result<std::vector<std::filesystem::path>> EmbeddedObserver::directories(const CallContext& call) {
  LAB_TRY(allowed(call, "observer.directories"));
  if (data_.empty()) return std::vector<std::filesystem::path>{};
  return std::vector{data_};
}

Result<double> EmbeddedObserver::copies(const CallContext& call) {
  LAB_TRY(allowed(call, "observer.copies"));
  return 1.0;
}

Result<std::map<std::string, double>> EmbeddedObserver::statement_seconds(const CallContext& call) {
  LAB_TRY(allowed(call, "observer.statement_seconds"));
  return std::map<std::string, double>{};
}

Result<std::vector<Counter>> file_system_counters(const std::filesystem::path& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return errno_error("observer.statvfs", path.string(), errno);
  const auto block = static_cast<double>(info.f_frsize);
  return std::vector<Counter>{
      {"filesystem_used", static_cast<double>(info.f_blocks - info.f_bfree) * block, "bytes"},
      {"filesystem_available", static_cast<double>(info.f_bavail) * block, "bytes"},
      {"filesystem_inodes_used", static_cast<double>(info.f_files - info.f_ffree), "1"},
  };
}

}  // namespace lab
