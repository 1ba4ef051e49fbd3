// Words for the eye on standard error, answers on standard output. SPDX-License-Identifier: Apache-2.0
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

/// Part of the answer, on standard output. Never fails here: a write that does not succeed leaves its mark on
/// the stream, and end_of_answer finds it.
template <class... Arguments>
void print(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  const std::string text = fmt::format(format, std::forward<Arguments>(arguments)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}

/// Writes out what `print` has kept. Returns `code`, or kExitNotWritten with a line on standard error where
/// all went well but the answer was not taken.
int end_of_answer(int code);

}  // namespace lab::cli
