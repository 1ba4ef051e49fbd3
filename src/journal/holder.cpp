// Identity of a process among all that may share a run directory, and the judgement over a found claim.
// SPDX-License-Identifier: Apache-2.0
#include "journal/holder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/process_stamp.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace lab {

HolderIdentity this_process() {
  HolderIdentity self;
  self.boot_id = boot_id();
  std::error_code failure;
  self.pid_namespace = std::filesystem::read_symlink("/proc/self/ns/pid", failure).string();
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) self.host = host.data();
  self.pid = ::getpid();
  if (const auto stat = process_stat("self")) self.pid_started = stat->started;
  return self;
}

namespace journal_lease {
namespace {

/// What the local machine knows of the process in `holder`; nothing where it cannot know.
std::optional<bool> runs_here(const HolderIdentity& holder, const HolderIdentity& self) {
  const bool comparable = !holder.boot_id.empty() && holder.boot_id == self.boot_id &&
                          !holder.pid_namespace.empty() && holder.pid_namespace == self.pid_namespace;
  if (!comparable) return std::nullopt;
  if (const auto stat = process_stat(std::to_string(holder.pid)))
    return !stat->ended() && stat->started == holder.pid_started;
  // Other users' processes may be hidden from /proc (its option hidepid).
  if (::kill(static_cast<pid_t>(holder.pid), 0) == 0 || errno != ESRCH) return std::nullopt;
  return false;
}

std::optional<Claim> parse(std::string_view bytes) try {
  const auto json = nlohmann::json::parse(bytes);
  Claim claim;
  claim.token = json.at("token").get<std::string>();
  claim.run_id = json.at("run_id").get<std::string>();
  claim.heartbeat_ms = json.at("heartbeat_ms").get<std::int64_t>();
  claim.heartbeat_boot_ms = json.at("heartbeat_boot_ms").get<std::int64_t>();
  claim.holder.boot_id = json.at("boot_id").get<std::string>();
  claim.holder.pid_namespace = json.at("pid_namespace").get<std::string>();
  claim.holder.host = json.at("host").get<std::string>();
  claim.holder.pid = json.at("pid").get<long>();
  claim.holder.pid_started = json.at("pid_started").get<std::string>();
  if (claim.token.empty() || claim.holder.pid <= 0) return std::nullopt;
  return claim;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

}  // namespace

std::int64_t boot_time_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::string to_text(const Claim& claim) {
  nlohmann::ordered_json json;
  json["run_id"] = to_valid_utf8(claim.run_id);
  json["host"] = to_valid_utf8(claim.holder.host);
  json["pid"] = claim.holder.pid;
  json["pid_started"] = claim.holder.pid_started;
  json["pid_namespace"] = to_valid_utf8(claim.holder.pid_namespace);
  json["boot_id"] = to_valid_utf8(claim.holder.boot_id);
  json["token"] = claim.token;
  json["heartbeat_ms"] = claim.heartbeat_ms;
  json["heartbeat_boot_ms"] = claim.heartbeat_boot_ms;
  return json.dump() + "\n";
}

std::string FoundClaim::name() const { return to_hex(sha256(claim ? claim->token : bytes)).substr(0, 32); }

std::string FoundClaim::description() const {
  if (!claim) return "a lease file that is not readable";
  const double age = static_cast<double>(wall_time_ms() - claim->heartbeat_ms) / 1000;
  return fmt::format("pid {} on host {} (run {}), heartbeat {:.1f} s {}", claim->holder.pid,
                     claim->holder.host, claim->run_id, std::abs(age), age < 0 ? "in the future" : "ago");
}

Result<std::optional<FoundClaim>> find_claim(const std::filesystem::path& file) {
  constexpr Bytes kLargest{1 << 16};  // A claim has some 300 bytes.
  auto bytes = read_file(file, kLargest);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::optional<FoundClaim>{};
  if (!bytes) return std::move(bytes).error();
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::optional<FoundClaim>{};
    return errno_error("lease.read", file.string(), errno);
  }
  FoundClaim found{.bytes = std::move(*bytes)};
  found.claim = parse(found.bytes);
  found.written_ms = std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
  return std::optional(std::move(found));
}

Life judge(const FoundClaim& found, const HolderIdentity& self, Millis expiry,
           std::optional<std::int64_t> server_now_ms) {
  if (!found.claim) return Life::kUnclear;
  if (runs_here(found.claim->holder, self) == false) return Life::kGone;
  const bool same_boot = !self.boot_id.empty() && found.claim->holder.boot_id == self.boot_id;
  const std::int64_t age_ms = same_boot ? boot_time_ms() - found.claim->heartbeat_boot_ms
                                        : wall_time_ms() - found.claim->heartbeat_ms;
  if (age_ms < -expiry.count()) return Life::kUnclear;
  if (age_ms <= expiry.count()) return Life::kAlive;
  const bool old_by_server = server_now_ms && *server_now_ms - found.written_ms > expiry.count();
  return same_boot || old_by_server ? Life::kGone : Life::kUnclear;
}

}  // namespace journal_lease
}  // namespace lab
