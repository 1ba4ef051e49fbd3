// One log for the process. spdlog writes to the terminal; the file is ours, since a full disk must not tear a
// line. SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/files.hpp"
#include "core/plain_text.hpp"
#include "core/redaction.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr int kFloodPasses = 5;
constexpr std::chrono::seconds kFloodInterval{30};
constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};

/// An event as it is written: valid UTF-8, without secrets.
struct Line {
  std::int64_t wall_ms = 0;
  LogLevel level = LogLevel::kInfo;
  std::string message{};
  std::vector<std::pair<std::string, std::string>> fields{};
  std::uint64_t held_back = 0;
};

std::string json_line(const Line& line) {
  nlohmann::ordered_json json;
  json["time"] = format_utc(line.wall_ms);
  json["level"] = to_string(line.level);
  json["event"] = line.message;
  if (line.held_back > 0) json["held_back"] = line.held_back;
  for (const auto& [key, value] : line.fields) json["fields"][key] = value;
  return json.dump();
}

/// Quoted where it would not be one word.
std::string value_text(const std::string& value) {
  if (!value.empty() && value.find_first_of(" \"=") == std::string::npos) return without_controls(value);
  std::string quoted = "\"";
  for (const char letter : without_controls(value))
    quoted += letter == '"' ? std::string("\\\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string text_of(const Line& line) {
  std::string text = without_controls(line.message);
  for (const auto& [key, value] : line.fields) text += " " + without_controls(key) + "=" + value_text(value);
  if (line.held_back > 0) text += fmt::format(" ({} held back)", line.held_back);
  return text;
}

/// A file of whole lines: what does not fit is taken back.
class LineFile {
 public:
  Status open(const std::filesystem::path& path) {
    auto file = open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (!file) return std::move(file).error();
    file_ = std::move(*file);
    path_ = path;
    struct stat info{};
    if (::fstat(file_.get(), &info) != 0) return errno_error("log", path.string(), errno);
    size_ = info.st_size;
    // A power loss may have cut the last line of an earlier process.
    char last = '\n';
    if (size_ > 0 && ::pread(file_.get(), &last, 1, size_ - 1) == 1 && last != '\n') return append("");
    return ok();
  }

  explicit operator bool() const { return static_cast<bool>(file_); }

  Status append(const std::string& line) {
    const Status written = write_all(file_, line + "\n", path_);
    if (written)
      size_ += static_cast<off_t>(line.size() + 1);
    else
      // A pipe cannot be cut, and needs not to be.
      static_cast<void>(::ftruncate(file_.get(), size_) == 0);
    return written;
  }

 private:
  FileHandle file_{};
  std::filesystem::path path_{};
  off_t size_ = 0;
};

class Log {
 public:
  Log() { make_terminal(LogFormat::kText); }
  ~Log() { stop(); }

  Status start(const LogOptions& options, TimeSource& time);
  void stop();
  void event(LogLevel level, std::string_view message, LogFields fields);
  void redact(std::string secret);
  bool is_secret(std::string_view text);
  std::string redacted(std::string_view text);
  void set_hook(std::function<void()> before, std::function<void()> after);
  std::uint64_t lines_lost();

 private:
  /// Events of one level and message.
  struct Flood {
    int passed = 0;
    std::uint64_t held_back = 0;
    Clock::time_point last_passed{};
    Clock::time_point last_seen{};
  };
  using FloodKey = std::pair<LogLevel, std::string>;

  void make_terminal(LogFormat format);
  std::string clean(std::string_view text) const;
  bool passes(Line& line, Clock::time_point now);
  void forget_quiet(Clock::time_point now);
  void write(const Line& line);
  void write_terminal(const Line& line);

  std::mutex mutex_{};
  LogOptions options_{};
  TimeSource* time_ = &real_time();
  std::unique_ptr<spdlog::logger> terminal_{};
  LineFile file_{};
  std::uint64_t lines_lost_ = 0;
  std::vector<std::string> secrets_{};  // The longest first: one may be a part of another.
  std::map<FloodKey, Flood> floods_{};
  Clock::time_point last_forget_{};
  std::function<void()> before_{};
  std::function<void()> after_{};
};

void Log::make_terminal(LogFormat format) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  terminal_ = std::make_unique<spdlog::logger>("deduplab", std::move(sink));
  terminal_->set_level(spdlog::level::trace);  // What passes is decided here, not there.
  terminal_->set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                         spdlog::pattern_time_type::utc);
  terminal_->set_error_handler([](const std::string&) {});  // Nowhere is left to tell it.
}

Status Log::start(const LogOptions& options, TimeSource& time) {
  stop();
  const std::lock_guard lock(mutex_);
  options_ = options;
  time_ = &time;
  last_forget_ = time.now();
  lines_lost_ = 0;
  make_terminal(options.format);
  if (options.file.empty()) return ok();
  const Status opened = file_.open(options.file);
  if (!opened) file_ = {};
  return opened;
}

void Log::stop() {
  const std::lock_guard lock(mutex_);
  forget_quiet(Clock::time_point::max());
  file_ = {};
  time_ = &real_time();
}

std::string Log::clean(std::string_view text) const {
  std::string cleaned(text);
  for (const std::string& secret : secrets_) cleaned = without_secret(std::move(cleaned), secret);
  return to_valid_utf8(cleaned);
}

void Log::event(LogLevel level, std::string_view message, LogFields fields) {
  const std::lock_guard lock(mutex_);
  if (level < options_.level) return;
  Line line{.wall_ms = wall_time_ms(), .level = level, .message = clean(message)};
  const Clock::time_point now = time_->now();
  if (now - last_forget_ >= kFloodInterval) forget_quiet(now);
  if (!passes(line, now)) return;
  for (const auto& [key, value] : fields) line.fields.emplace_back(clean(key), clean(value));
  write(line);
}

bool Log::passes(Line& line, Clock::time_point now) {
  Flood& flood = floods_[{line.level, line.message}];
  if (flood.passed > 0 && now - flood.last_seen >= kFloodInterval) flood.passed = 0;
  flood.last_seen = now;
  if (flood.passed >= kFloodPasses && now - flood.last_passed < kFloodInterval) {
    ++flood.held_back;
    return false;
  }
  flood.passed = std::min(flood.passed + 1, kFloodPasses);
  flood.last_passed = now;
  line.held_back = std::exchange(flood.held_back, 0);
  return true;
}

/// Ends the floods that went quiet: what they still held back is told, and the memory is given back.
void Log::forget_quiet(Clock::time_point now) {
  last_forget_ = now;
  for (auto flood = floods_.begin(); flood != floods_.end();) {
    const bool quiet = now == Clock::time_point::max() || now - flood->second.last_seen >= kFloodInterval;
    if (quiet && flood->second.held_back > 0)
      write({wall_time_ms(), flood->first.first, flood->first.second, {}, flood->second.held_back});
    flood = quiet ? floods_.erase(flood) : std::next(flood);
  }
}

void Log::write(const Line& line) {
  write_terminal(line);
  if (!file_) return;
  const Status written = file_.append(json_line(line));
  if (written) return;
  if (++lines_lost_ == 1)
    write_terminal({line.wall_ms,
                    LogLevel::kError,
                    "the log file cannot be written; the run goes on",
                    {{"reason", clean(written.error().text())}},
                    0});
}

void Log::write_terminal(const Line& line) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  if (before_) before_();
  const std::string text = options_.format == LogFormat::kJson ? json_line(line) : text_of(line);
  terminal_->log(std::chrono::system_clock::time_point(Millis(line.wall_ms)), spdlog::source_loc{},
                 kLevels[static_cast<std::size_t>(line.level)],
                 spdlog::string_view_t(text.data(), text.size()));
  if (after_) after_();
}

void Log::redact(std::string secret) {
  if (secret.empty()) return;
  const std::lock_guard lock(mutex_);
  secrets_.push_back(percent_encode(secret));
  secrets_.push_back(std::move(secret));
  std::sort(secrets_.begin(), secrets_.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

bool Log::is_secret(std::string_view text) {
  const std::lock_guard lock(mutex_);
  return std::find(secrets_.begin(), secrets_.end(), text) != secrets_.end();
}

std::string Log::redacted(std::string_view text) {
  const std::lock_guard lock(mutex_);
  return clean(text);
}

void Log::set_hook(std::function<void()> before, std::function<void()> after) {
  const std::lock_guard lock(mutex_);
  before_ = std::move(before);
  after_ = std::move(after);
}

std::uint64_t Log::lines_lost() {
  const std::lock_guard lock(mutex_);
  return lines_lost_;
}

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept { return kLevelNames[static_cast<std::size_t>(level)]; }

Result<LogLevel> parse_log_level(std::string_view text) {
  const auto* const found = std::find(kLevelNames.begin(), kLevelNames.end(), text);
  if (found != kLevelNames.end()) return static_cast<LogLevel>(found - kLevelNames.begin());
  const std::vector<std::string> names(kLevelNames.begin(), kLevelNames.end());
  return Error{ErrorCode::kInvalidArgument, "log level",
               "'" + std::string(text) + "' is not known" + suggestion(text, names)};
}

Status log_start(const LogOptions& options, TimeSource& time) { return the_log().start(options, time); }
void log_stop() { the_log().stop(); }
void log_event(LogLevel level, std::string_view message, LogFields fields) {
  the_log().event(level, message, fields);
}
void log_redact(std::string secret) { the_log().redact(std::move(secret)); }
bool log_is_secret(std::string_view text) { return the_log().is_secret(text); }
std::string log_redacted(std::string_view text) { return the_log().redacted(text); }
void log_set_line_hook(std::function<void()> before, std::function<void()> after) {
  the_log().set_hook(std::move(before), std::move(after));
}
std::uint64_t log_lines_lost() { return the_log().lines_lost(); }

}  // namespace lab
