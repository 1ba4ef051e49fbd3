// SPDX-License-Identifier: Apache-2.0
#include "core/outer_environment.hpp"

#include <cstdlib>

namespace lab {
namespace {

std::vector<std::string>& entries() {
  static std::vector<std::string> hidden;
  return hidden;
}

}  // namespace

void hide_from_libraries(std::span<const char* const> names) {
  for (const char* const name : names) {
    const char* const value = std::getenv(name);
    if (value == nullptr) continue;
    entries().push_back(std::string(name) + "=" + value);
    ::unsetenv(name);
  }
}

const std::vector<std::string>& hidden_entries() { return entries(); }

}  // namespace lab
