// SPDX-License-Identifier: Apache-2.0
#include "driver/lab_user.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace lab {

Status check_not_self(const std::string& lab_user, const std::string& logged_in, const char* operation) {
  if (lab_user != logged_in) return ok();
  return Error{ErrorCode::kRefused, operation,
               fmt::format("user {} is the one of the url: setup never changes or drops the user that it is "
                           "logged in as; give an administrator's name in the url",
                           lab_user)};
}

std::string placeholder(std::string_view variable) { return fmt::format("${{{}}}", variable); }

std::string how_to_give(std::string_view variable, std::string_view what, std::string_view client) {
  if (variable.empty())
    return fmt::format(
        "-- Save the lines below as FILE; there is no word to replace: grep -v '^--' FILE | {}", client);
  const std::string word = placeholder(variable);
  return fmt::format(
      "-- Save the lines below as FILE and export {}, {}, which takes the place of {}: grep -v '^--' FILE | "
      "envsubst '{}' | {}",
      variable, what, word, word, client);
}

Result<std::string> lab_user_password(const char* variable, const std::string& lab_user,
                                      const std::string& makers_password, const char* operation) {
  const auto bad = [&](const char* why) {
    return Error{ErrorCode::kInvalidArgument, operation, fmt::format(fmt::runtime(why), variable, lab_user)};
  };
  const char* const password = std::getenv(variable);
  if (password == nullptr || *password == '\0')
    return bad("the environment variable {} must hold the password that user {} is to have");
  if (password == makers_password)
    return bad("{} holds the password of the url's user: user {} must have another one");
  return std::string(password);
}

}  // namespace lab
