// SPDX-License-Identifier: Apache-2.0
#include "cli/scan_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace lab::cli {
namespace {

constexpr std::int64_t kThreadsMax = 64;
constexpr unsigned kThreadsDefaultMax = 8;

}  // namespace

Error scan_usage(const std::string& flag, const std::string& detail) {
  return {ErrorCode::kInvalidArgument, "scan", flag + ": " + detail};
}

Result<unsigned> scan_threads(std::optional<std::int64_t> asked) {
  if (!asked) return std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsDefaultMax);
  if (*asked < 1 || *asked > kThreadsMax)
    return scan_usage("--threads", fmt::format("{} is not from 1 to {}", *asked, kThreadsMax));
  return static_cast<unsigned>(*asked);
}

}  // namespace lab::cli
