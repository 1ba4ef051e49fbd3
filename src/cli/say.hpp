// Words for the eye, on standard error. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace lab::cli {

/// Like fmt::print(stderr, ...), but a terminal or a pipe that is gone is no failure of the program: what
/// cannot be written there is lost, and the work goes on.
template <class... Arguments>
void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) noexcept {
  try {
    const std::string text = fmt::format(format, std::forward<Arguments>(arguments)...);
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  } catch (const std::exception&) {
    return;  // No memory for a line of text: there is nobody to tell.
  }
}

}  // namespace lab::cli
