// A figure that a program of the user's prints. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/process.hpp"
#include "probe/probe.hpp"

namespace lab {

struct CommandConfig {
  std::string name{};               // The probe is "command:NAME".
  std::vector<std::string> argv{};  // Run as it is, without a shell. Seen by every user: no secrets in it.
  Millis limit{10'000};             // From its start to its end; the call's deadline bounds it too.
  CopyScope scope = CopyScope::kAllCopies;
  Bytes quantum{1};  // Not known: a byte.
  Millis lag{0};     // How old its figure may be.
};

/// `command:NAME` and `command:NAME:PART`. Errors: kNotFound (no such program), kTimeout, kCancelled;
/// kRefused with the last line of its standard error where its exit code is not 0; kResourceExhausted for
/// more than 64 KiB of output; kCorruption for output that is not as parse_command_output wants it.
std::unique_ptr<Probe> make_command_probe(CommandConfig config);

/// {"bytes": 4096} or {"bytes": 4096, "parts": {"log": 1024}}: whole numbers, not negative, no other key, no
/// key twice, nothing before or after; parts are named [a-z0-9_.-]+ and sum to no more than the whole. Under
/// `name` and `name`:part. Errors: kCorruption.
Result<ByteMap> parse_command_output(std::string_view text, const std::string& name);

}  // namespace lab
