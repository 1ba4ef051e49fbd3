// What the flags of scan and scan-merge have in common. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"

namespace lab::cli {

/// kInvalidArgument: "FLAG: detail".
Error scan_usage(const std::string& flag, const std::string& detail);

/// Of --threads; without it the processors, at most 8. Errors: kInvalidArgument.
Result<unsigned> scan_threads(std::optional<std::int64_t> asked);

}  // namespace lab::cli
