// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.hpp"
#include "cli/say.hpp"

#include <fmt/format.h>

namespace lab::cli {

int fail(int code, const Error& error) {
  const bool plain = error.code == ErrorCode::kInvalidArgument;  // Its detail is a whole sentence already.
  say("deduplab: {}\n", plain ? error.detail : error.text());
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

}  // namespace lab::cli
