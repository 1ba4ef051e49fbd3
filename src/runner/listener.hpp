// What the runner tells whoever watches; nothing waits for the answer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "model/cell.hpp"
#include "model/record.hpp"

namespace lab {

struct RunProgress {
  std::uint64_t cells_total = 0;
  std::uint64_t cells_done = 0;  // Finished, earlier sessions of the run included.
  std::uint64_t cells_invalid = 0;
  double seconds_left = 0;  // From the cells that this process has finished; 0 while there are none.
};

/// Called from the runner's thread.
class RunListener {
 public:
  virtual ~RunListener() = default;
  virtual void on_progress(const RunProgress&) {}
  virtual void on_cell(const Cell&) {}
  virtual void on_stage_start(const Cell&, const std::string& /*stage*/) {}
  /// How much of the files has been read by the scan behind the stage; also by a thread of the scan, often.
  virtual void on_scan(double /*share*/) {}
  virtual void on_stage_end(const StageRecord&) {}
  virtual void on_event(const Event&) {}
};

}  // namespace lab
