// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "cli/say.hpp"
#include "core/log.hpp"

namespace lab::cli {

int fail(int code, const Error& error) {
  const bool plain = error.code == ErrorCode::kInvalidArgument;  // Its detail is a whole sentence already.
  say("deduplab: {}\n", log_redacted(plain ? error.detail : error.text()));
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
