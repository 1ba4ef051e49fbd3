// The program's log: events with fields, as text or JSON on standard error and as JSON lines in a file. It
// never floods, never tells a secret and never fails a run. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "core/time.hpp"

namespace lab {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

/// "debug", "info", "warning", "error".
std::string_view to_string(LogLevel level) noexcept;
/// Errors: kInvalidArgument with the nearest name.
Result<LogLevel> parse_log_level(std::string_view text);

struct LogOptions {
  LogFormat format = LogFormat::kText;  // Of standard error; the file is always JSON.
  LogLevel level = LogLevel::kInfo;     // What is below goes nowhere.
  std::filesystem::path file{};         // Appended to; empty: none.
};

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

/// Before it, and after a failure, events go to standard error alone. A second call ends the first log.
/// Errors: what opening the file gave. All functions here are thread-safe.
Status log_start(const LogOptions& options, TimeSource& time = real_time());

/// Tells what is still held back and closes the file. At exit it comes by itself.
void log_stop();

/// One event, one line. A line of the file: {"time": UTC, "level", "event": message, "held_back": n,
/// "fields":
/// {...}}; the last two where there are any. After 5 events of one level and message only one in 30 s is
/// written, with the number held back since; after 30 s without one the count begins anew. Fields do not
/// count, so what must be seen each time belongs into the message.
void log_event(LogLevel level, std::string_view message, LogFields fields = {});

/// From now on `secret`, also percent-encoded as in a URL, is written as ***.
void log_redact(std::string secret);

/// Whether `text` is one of them, whole.
bool log_is_secret(std::string_view text);

/// `text` with the secrets of log_redact as ***: for the words of children, which become part of a record.
std::string log_redacted(std::string_view text);

/// Called around each line on standard error, for a progress line that stands there: it is cleared before and
/// may be drawn again after. They must not log. When the call returns no older hook is running.
void log_set_line_hook(std::function<void()> before, std::function<void()> after = {});

/// Lines that the file did not take since log_start. The first one is told on standard error.
std::uint64_t log_lines_lost();

}  // namespace lab
