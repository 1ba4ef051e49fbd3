// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "cli/say.hpp"
#include "core/log.hpp"
#include "core/plain_text.hpp"
#include "core/text.hpp"

namespace lab::cli {

int fail(int code, const Error& error) {
  const bool plain = error.code == ErrorCode::kInvalidArgument;  // Its detail is a whole sentence already.
  // Its own line breaks stay; of a file's or a server's words nothing else reaches the terminal.
  std::vector<std::string> lines = split(log_redacted(plain ? error.detail : error.text()), '\n');
  for (std::string& line : lines) line = without_controls(line);
  say("deduplab: {}\n", join(lines, "\n"));
  return code;
}

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInUse:
      return kExitPreflight;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kIo:
      return kExitNotWritten;
    default:
      return kExitUsage;
  }
}

int end_of_answer(int code) {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return code;
  const std::string why = errno == 0 ? "a write failed" : std::generic_category().message(errno);
  say("deduplab: standard output cannot be written: {}\n", why);
  return code == kExitOk ? kExitNotWritten : code;
}

}  // namespace lab::cli
