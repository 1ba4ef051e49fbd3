// What a five-letter SQLSTATE means to us.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab::pgwire {

inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kSerializationFailure = "40001";
inline constexpr std::string_view kQueryCanceled = "57014";

/// kInternal for a state that says nothing to us.
ErrorCode code_of_state(std::string_view state) noexcept;

/// The same statement may succeed a moment later: a lost connection, a conflict with another transaction, no
/// free connection.
bool is_retryable(std::string_view state) noexcept;

/// The SQLSTATE in what libpq says of a failed login when it is told to be verbose ("FATAL:  28P01: password
/// authentication failed ..."); empty where there is none, since nobody answered.
std::string_view state_in(std::string_view verbose_message) noexcept;

/// The message without its SQLSTATE's "LOCATION:" line and blanks at its ends, in one line.
std::string one_line(std::string_view message);

}  // namespace lab::pgwire
