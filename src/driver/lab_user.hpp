// The rules that `deduplab setup` has on all servers for the user that it makes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/result.hpp"

namespace lab {

/// Whom setup makes unless a driver has an option for the name.
inline constexpr const char* kLabUserName = "dedup_lab";

/// That setup does not work on the user that it is itself logged in as: it neither marks nor drops that one.
/// Errors: kRefused.
Status check_not_self(const std::string& lab_user, const std::string& logged_in, const char* operation);

/// The password that the lab's user is to have, out of the environment: another one than that of the user who
/// makes it. Errors: kInvalidArgument, which names the variable and never the password.
Result<std::string> lab_user_password(const char* variable, const std::string& lab_user,
                                      const std::string& makers_password, const char* operation);

}  // namespace lab
