// The rules that `deduplab setup` has on all servers for the user that it makes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

/// Whom setup makes unless a driver has an option for the name.
inline constexpr const char* kLabUserName = "dedup_lab";

inline constexpr std::string_view kLabUsersPassword = "the password that the user is to have";

/// That setup does not work on the user that it is itself logged in as: it neither marks nor drops that one.
/// Errors: kRefused.
Status check_not_self(const std::string& lab_user, const std::string& logged_in, const char* operation);

/// How printed statements spell a word that their reader fills in, the same on all servers: "${VARIABLE}".
std::string placeholder(std::string_view variable);

/// The first line of printed statements, a comment: which word to replace by `what`, and how to give them to
/// the server with `client`, a command that reads its standard input. It replaces nothing where there is no
/// variable.
std::string how_to_give(std::string_view variable, std::string_view what, std::string_view client);

/// The password that the lab's user is to have, out of the environment: another one than that of the user who
/// makes it. Errors: kInvalidArgument, which names the variable and never the password.
Result<std::string> lab_user_password(const char* variable, const std::string& lab_user,
                                      const std::string& makers_password, const char* operation);

}  // namespace lab
