// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/sqlstate.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace lab::pgwire {
namespace {

constexpr std::size_t kStateLength = 5;

bool is_state(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z');
  });
}

}  // namespace

ErrorCode code_of_state(std::string_view state) noexcept {
  struct Meaning {
    std::string_view begin;  // A whole state, or its class; the first that fits counts.
    ErrorCode code;
  };
  constexpr Meaning kMeanings[] = {
      {"57P01", ErrorCode::kConnectionLost},  // The administrator ends the connection or the server,
      {"57P02", ErrorCode::kConnectionLost},  // another backend crashed,
      {"57P03", ErrorCode::kConnectionLost},  // or the server is starting up or shutting down.
      {"57P05", ErrorCode::kConnectionLost}, {"08", ErrorCode::kConnectionLost},
      {"57014", ErrorCode::kCancelled},      {"53", ErrorCode::kResourceExhausted},
      {"54", ErrorCode::kResourceExhausted}, {"55P03", ErrorCode::kInUse},
      {"55006", ErrorCode::kInUse},          {"42501", ErrorCode::kRefused},
      {"28", ErrorCode::kRefused},           {"23", ErrorCode::kRefused},
      {"25006", ErrorCode::kRefused},  // A read-only transaction: a standby.
      {"40", ErrorCode::kRefused},           {"2BP01", ErrorCode::kRefused},  // Other objects depend on it.
      {"42P06", ErrorCode::kRefused},  // A schema, database or table of that name was made in the meantime.
      {"42P04", ErrorCode::kRefused},        {"42P07", ErrorCode::kRefused},
      {"3D000", ErrorCode::kNotFound},       {"3F000", ErrorCode::kNotFound},
      {"42P01", ErrorCode::kNotFound},       {"0A000", ErrorCode::kUnsupported},
      {"22", ErrorCode::kInvalidArgument},   {"XX001", ErrorCode::kCorruption},
      {"XX002", ErrorCode::kCorruption},     {"58", ErrorCode::kIo},
  };
  for (const Meaning& meaning : kMeanings)
    if (state.starts_with(meaning.begin)) return meaning.code;
  return ErrorCode::kInternal;
}

bool is_retryable(std::string_view state) noexcept {
  return code_of_state(state) == ErrorCode::kConnectionLost || state.starts_with("40") || state == "53300";
}

std::string_view state_in(std::string_view verbose_message) noexcept {
  for (std::size_t at = verbose_message.find(":  "); at != std::string_view::npos;
       at = verbose_message.find(":  ", at + 1)) {
    const std::string_view state = verbose_message.substr(at + 3, kStateLength);
    if (state.size() == kStateLength && is_state(state) &&
        verbose_message.substr(at + 3 + kStateLength).starts_with(": "))
      return state;
  }
  return {};
}

std::string one_line(std::string_view message) {
  std::string line;
  for (const std::string& part : split(message, '\n')) {
    const std::string_view words = trim(part);
    if (words.empty() || words.starts_with("LOCATION:")) continue;
    if (!line.empty()) line += "; ";
    line += words;
  }
  return to_valid_utf8(line);
}

}  // namespace lab::pgwire
