// Tools of file systems and volumes that tell sizes: run within a limit, named when they are absent.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "core/units.hpp"

namespace lab {

/// What the tool printed. `origin` says where it comes from. Errors: kUnsupported ("'zpool' is not installed:
/// Debian's package zfsutils-linux"), kRefused (it ended with an error: its own words), kTimeout, kCancelled.
Result<std::string> run_tool(const std::vector<std::string>& argv, std::string_view origin,
                             const CallContext& call);

/// A whole number of bytes. Errors: kIo, with the text and the tool that gave it.
Result<Bytes> parse_tool_bytes(std::string_view tool, std::string_view text);

}  // namespace lab
