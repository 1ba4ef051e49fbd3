// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace lab::cli {
namespace {

TEST(ProgressLines, ComeThroughALongStageInWhichNothingEnds) {
  testing::internal::CaptureStderr();
  {
    ProgressDisplay display(ProgressDisplay::Style::kLines, Millis{10});
    display.on_progress({.cells_total = 2, .cells_done = 1});
    Cell cell;
    cell.system = "sqlite";
    display.on_stage_start(cell, "maintenance");
    std::this_thread::sleep_for(Millis{300});
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_GE(std::count(said.begin(), said.end(), '\n'), 3) << said;
  EXPECT_NE(said.find("1/2 cells"), std::string::npos) << said;
  EXPECT_NE(said.find("sqlite"), std::string::npos) << "what takes so long: " << said;
  EXPECT_NE(said.find("maintenance"), std::string::npos) << said;
}

}  // namespace
}  // namespace lab::cli
