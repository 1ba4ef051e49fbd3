// kill -9 at random moments: after every resume the run ends in the figures of an undisturbed one.
// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "../e2e/program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

/// LAB_KILLS sets another number, for a long drill.
int kills_wanted() {
  const char* const wanted = ::getenv("LAB_KILLS");
  return wanted == nullptr ? 4 : std::max(1, std::atoi(wanted));
}

class Kill : public ProgramTest {};

TEST_F(Kill, MinusNineAtRandomMomentsLosesAndInventsNothing) {
  const auto plan = small_plan(3, "[systems.sqlite]\n[systems.rocksdb]\n[systems.lmdb]\n").string();
  const std::string whole = (root_ / "whole").string();
  const auto began = std::chrono::steady_clock::now();
  ASSERT_EQ(run({"run", plan, "--out", whole}).exit_code, 0);
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  const auto wanted_figures = figures_of(whole);
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", static_cast<int>(seed));
  std::fprintf(stderr, "kill seed %u\n", seed);
  std::mt19937 random(seed);
  int killed = 0;
  for (int round = 0; killed < kills_wanted(); ++round) {
    ASSERT_LT(round, 100) << "the run is too short to be hit";
    const std::string out = (root_ / ("out" + std::to_string(round))).string();
    // Several kills a run, each within what is left of it: first starts, stages, exports and resumes are all
    // hit.
    for (bool finished = false; !finished;) {
      Program program({LAB_PROGRAM_PATH, "run", plan, "--out", out, "--resume"},
                      root_.parent_path() / "victim");
      const auto moment = std::chrono::milliseconds(random() % static_cast<unsigned>(took.count()));
      const auto end = std::chrono::steady_clock::now() + moment;
      while (program.running() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const bool hit = program.running() && killed < kills_wanted();
      if (hit) {
        program.signal(SIGKILL);
        ++killed;
      }
      const Ended ended = program.wait();
      if (!hit) {
        ASSERT_EQ(ended.exit_code, 0) << ended.err;
        finished = true;
      }
    }
    EXPECT_EQ(difference_of(figures_of(out), wanted_figures), "") << "seed " << seed << " round " << round;
    fs::remove_all(out);
  }
}

}  // namespace
}  // namespace lab::e2e
