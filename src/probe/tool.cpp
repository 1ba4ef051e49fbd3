// SPDX-License-Identifier: Apache-2.0
#include "probe/tool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "core/process.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr Millis kToolLimit{30'000};  // They ask the kernel and walk nothing.

}  // namespace

Result<std::string> run_tool(const std::vector<std::string>& argv, std::string_view origin,
                             const CallContext& call) {
  const std::string operation = "probe." + argv.front();
  // Administrators' folders are not in the PATH of every user.
  static const std::array<std::filesystem::path, 3> kAlso{"/usr/local/sbin", "/usr/sbin", "/sbin"};
  const auto program = find_program(argv.front(), kAlso);
  if (!program)
    return Error{ErrorCode::kUnsupported, operation,
                 fmt::format("'{}' is not installed: {}", argv.front(), origin)};
  Command command{.argv = argv, .environment = {"LC_ALL=C"}};
  command.argv.front() = program->string();
  const auto ended = run_command(within(call, kToolLimit), command);
  if (!ended) return ended.error();
  if (ended->exit_code != 0)
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("{} ended with exit code {}: {}", to_text(command), ended->exit_code,
                             trim(ended->output))};
  return ended->output;
}

Result<Bytes> parse_tool_bytes(std::string_view tool, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value < 0)
    return Error{ErrorCode::kIo, fmt::format("probe.{}", tool),
                 fmt::format("'{}' is not a number of bytes", text)};
  return Bytes{value};
}

}  // namespace lab
