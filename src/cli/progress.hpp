// What a person sees of a run: one line that renews itself on a terminal, plain lines elsewhere.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/time.hpp"
#include "runner/listener.hpp"

namespace lab::cli {

/// "1h05m", "3m20s", "12s": rounded for the eye.
std::string format_seconds(double seconds);

/// Columns of the terminal on standard output; 100 where it is none.
std::size_t output_width();

/// Writes to stderr. On a terminal a bar with the time left, renewed five times a second; otherwise a line at
/// every tenth of the way and at least one a minute. Thread-safe; joins its thread when destroyed.
class ProgressDisplay final : public RunListener {
 public:
  enum class Style : std::uint8_t { kBar, kLines, kNone };
  /// The style for this stderr.
  static Style style_for(bool no_progress);

  /// `most_silence`: of plain lines, the longest time without one.
  explicit ProgressDisplay(Style style, Millis most_silence = Millis{60'000});
  ~ProgressDisplay() override;
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void on_progress(const RunProgress& progress) override;
  void on_cell(const Cell& cell) override;
  void on_stage_start(const Cell& cell, const std::string& stage) override;
  void on_scan(double share) override;
  void on_stage_end(const StageRecord& record) override;
  void on_event(const Event& event) override;

  /// Removes the bar so that other output can be written; the next renewal draws it again.
  void clear();

 private:
  void loop(const std::stop_token& stop);
  std::string line() const;
  void draw();
  void print_line();

  Style style_;
  Millis most_silence_;
  mutable std::mutex mutex_{};
  RunProgress progress_{};
  std::string now_doing_{};
  std::optional<double> scanned_{};  // Where a scan is going on.
  Clock::time_point began_ = Clock::now();
  Clock::time_point last_line_ = Clock::now();
  std::uint64_t last_tenth_ = 0;
  bool drawn_ = false;
  std::jthread thread_{};
};

}  // namespace lab::cli
