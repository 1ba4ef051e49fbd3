// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/say.hpp"
#include "core/log.hpp"

namespace lab::cli {
namespace {

constexpr Millis kBarInterval{200};
constexpr std::size_t kBarWidth = 24;

std::size_t columns_of(int descriptor, std::size_t otherwise) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return otherwise;
}

double share_done(const RunProgress& progress) {
  if (progress.cells_total == 0) return 0;
  return static_cast<double>(progress.cells_done) / static_cast<double>(progress.cells_total);
}

}  // namespace

std::string format_seconds(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
  if (whole >= 60) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}s", whole);
}

std::size_t output_width() { return columns_of(STDOUT_FILENO, 100); }

ProgressDisplay::Style ProgressDisplay::style_for(bool no_progress) {
  if (no_progress) return Style::kNone;
  return ::isatty(STDERR_FILENO) == 1 ? Style::kBar : Style::kLines;
}

ProgressDisplay::ProgressDisplay(Style style, Millis most_silence)
    : style_(style), most_silence_(most_silence) {
  if (style_ == Style::kNone) return;
  log_set_line_hook([this] { clear(); });
  thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

ProgressDisplay::~ProgressDisplay() {
  if (style_ == Style::kNone) return;
  thread_.request_stop();
  thread_.join();
  log_set_line_hook({});
  clear();
}

void ProgressDisplay::loop(const std::stop_token& stop) {
  const Millis interval = style_ == Style::kBar ? kBarInterval : std::min(Millis{1'000}, most_silence_);
  while (sleep_until(stop, Clock::now() + interval)) {
    const std::lock_guard lock(mutex_);
    if (style_ == Style::kBar)
      draw();
    else if (Clock::now() - last_line_ >= most_silence_)
      print_line();
  }
}

void ProgressDisplay::on_progress(const RunProgress& progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
  const auto tenth = static_cast<std::uint64_t>(share_done(progress) * 10);
  if (style_ == Style::kLines && tenth != last_tenth_) print_line();
  last_tenth_ = tenth;
}

void ProgressDisplay::on_cell(const Cell& cell) {
  log_event(LogLevel::kDebug, "cell begins: " + cell_id(cell));
}

void ProgressDisplay::on_stage_start(const Cell& cell, const std::string& stage) {
  // In the message, where a repeated one is not held back for long: a drill waits for it.
  log_event(LogLevel::kDebug, fmt::format("stage begins: {} {}", stage, cell_id(cell)));
  const std::lock_guard lock(mutex_);
  now_doing_ = fmt::format("{} {} {} {} {}", cell.system, cell.variant, cell.dataset.payload,
                           grade_name(cell.dataset.grade), stage);
  scanned_.reset();
}

void ProgressDisplay::on_scan(double share) {
  const std::lock_guard lock(mutex_);
  scanned_ = share;
}

void ProgressDisplay::on_stage_end(const StageRecord& record) {
  if (record.valid || record.unsupported) return;
  log_event(LogLevel::kWarning, "stage invalid",
            {{"cell", record.cell_id}, {"stage", record.stage}, {"reason", record.reason}});
}

void ProgressDisplay::on_event(const Event& event) {
  log_event(LogLevel::kInfo, event.type,
            {{"system", event.system},
             {"payload", event.payload},
             {"grade", event.grade},
             {"detail", event.detail}});
}

void ProgressDisplay::clear() {
  const std::lock_guard lock(mutex_);
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

std::string ProgressDisplay::line() const {
  const double share = share_done(progress_);
  const double spent = std::chrono::duration<double>(Clock::now() - began_).count();
  const bool done = progress_.cells_total > 0 && progress_.cells_done == progress_.cells_total;
  const std::string left = done                         ? "done"
                           : progress_.seconds_left > 0 ? format_seconds(progress_.seconds_left) + " left"
                                                        : "time left unknown";
  const std::string invalid =
      progress_.cells_invalid > 0 ? fmt::format(", {} invalid", progress_.cells_invalid) : "";
  const std::string scan = scanned_ ? fmt::format(", {:.0f}% scanned", *scanned_ * 100) : "";
  return fmt::format("{:3.0f}% {}/{} cells{}, {} spent, {}  {}{}", share * 100, progress_.cells_done,
                     progress_.cells_total, invalid, format_seconds(spent), left, now_doing_, scan);
}

void ProgressDisplay::draw() {
  const auto filled = static_cast<std::size_t>(share_done(progress_) * static_cast<double>(kBarWidth));
  std::string text = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " + line();
  text.resize(std::min(text.size(), columns_of(STDERR_FILENO, 80) - 1));
  say("\r\033[K{}", text);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressDisplay::print_line() {
  say("{}\n", line());
  last_line_ = Clock::now();
}

}  // namespace lab::cli
