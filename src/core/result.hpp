// Result<T>: a value or one Error. Spelled like std::expected, which g++ 12 lacks under C++20.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace lab {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  // The caller's input; exit code 2.
  kUnsupported,      // Not declared by this driver or variant.
  kNotFound,
  kConnectionLost,     // The connection of the system under test.
  kTimeout,            // The call's deadline passed.
  kCancelled,          // A stop was requested.
  kResourceExhausted,  // No space, no memory, a limit of ours met.
  kCorruption,         // Bytes read back are not the bytes written.
  kRefused,            // The other side, or one of our guards, said no.
  kInUse,              // Another process holds it.
  kUnsettled,          // A size was still moving at the settle limit.
  kIo,                 // The operating system failed a read or a write.
  kInternal,
};

/// The stable spelling used in journals and reports, e.g. "CONNECTION_LOST".
std::string_view to_string(ErrorCode code) noexcept;

/// One failure: what was tried, and what the other side said about it.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string operation{};  // "sqlite.put"; set where the error is made.
  std::string detail{};     // The other side's own words; never a credential.
  bool retryable = false;   // Said by the driver, which alone knows. Nobody guesses from text.

  /// "operation: detail (CODE)", for people.
  std::string text() const;
};

struct Unit {};  // Success with nothing to hand over.

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // Precondition: has_value(). Otherwise std::get throws, which only a bug can cause.
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  // Precondition: !has_value().
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Unit>;
inline Status ok() { return Unit{}; }

/// A deliberate swallow, with its reason in the code.
template <class T>
void ignore(const Result<T>& /*result*/, std::string_view /*reason*/) noexcept {}

/// A failing system call as an Error: kResourceExhausted for ENOSPC/EDQUOT/EMFILE, kNotFound for ENOENT,
/// kRefused for EACCES/EPERM/EROFS, else kIo. `subject` is the path or thing that it was about.
Error errno_error(std::string operation, std::string_view subject, int number);

[[noreturn]] inline void check_failed(const char* what, const char* why, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s (%s)\n", file, line, what, why);
  std::abort();
}

}  // namespace lab

/// Returns early with the error of a Status or Result. The project's only control-flow macro.
#define LAB_TRY(expression)                                                                            \
  do {                                                                                                 \
    if (auto lab_try_result = (expression); !lab_try_result) return std::move(lab_try_result).error(); \
  } while (false)

/// A bug, not an input, if it does not hold. Active in release builds too.
#define LAB_CHECK(condition, why) \
  (static_cast<bool>(condition) ? void(0) : ::lab::check_failed(#condition, why, __FILE__, __LINE__))
