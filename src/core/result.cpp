// The stable spellings of errors, and errno's meaning for us.
// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

#include <cerrno>
#include <system_error>

namespace lab {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kUnsupported:
      return "UNSUPPORTED";
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kConnectionLost:
      return "CONNECTION_LOST";
    case ErrorCode::kTimeout:
      return "TIMEOUT";
    case ErrorCode::kCancelled:
      return "CANCELLED";
    case ErrorCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::kCorruption:
      return "CORRUPTION";
    case ErrorCode::kRefused:
      return "REFUSED";
    case ErrorCode::kInUse:
      return "IN_USE";
    case ErrorCode::kUnsettled:
      return "UNSETTLED";
    case ErrorCode::kIo:
      return "IO";
    case ErrorCode::kInternal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

std::string Error::text() const {
  std::string all = operation;
  if (!detail.empty()) all += (all.empty() ? "" : ": ") + detail;
  return all + " (" + std::string(to_string(code)) + ")";
}

Error errno_error(std::string operation, std::string_view subject, int number) {
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE || number == ENOMEM)
    code = ErrorCode::kResourceExhausted;
  else if (number == ENOENT || number == ENOTDIR)
    code = ErrorCode::kNotFound;
  else if (number == EACCES || number == EPERM || number == EROFS)
    code = ErrorCode::kRefused;
  return {code, std::move(operation), std::string(subject) + ": " + std::generic_category().message(number)};
}

}  // namespace lab
