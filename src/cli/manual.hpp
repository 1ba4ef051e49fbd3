// Man page and shell completion, made from the option table.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace lab::cli {

/// deduplab(1) in man(7) macros.
std::string man_page(const CLI::App& app);

/// Completion script. Errors: kInvalidArgument unless the shell is bash, zsh or fish.
Result<std::string> completion(const CLI::App& app, std::string_view shell);

}  // namespace lab::cli
