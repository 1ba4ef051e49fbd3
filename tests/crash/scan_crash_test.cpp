// A scan that is killed or whose disk is full leaves nothing behind and gives no figure.
// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>
#include <csignal>
#include <cstring>

#include <fstream>
#include <thread>

#include "../e2e/program_test_support.hpp"
#include "core/random.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

class ScanCrash : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    temporary_ = root_ / "temporary";
    fs::create_directories(temporary_);
    std::ofstream file(root_ / "data", std::ios::binary);
    std::vector<std::uint64_t> words(1U << 17U);
    Random random(1);
    for (int i = 0; i < 64; ++i) {
      for (std::uint64_t& word : words) word = random.next();
      file.write(reinterpret_cast<const char*>(words.data()), 1 << 20);
    }
  }
  void TearDown() override {
    if (mounted_) ::umount2(temporary_.c_str(), MNT_DETACH);
    ProgramTest::TearDown();
  }
  std::vector<std::string> arguments() const {
    return {
        "scan",   (root_ / "data").string(), "--chunker", "fixed:64", "--memory", "2 MiB", "--threads", "1",
        "--temp", temporary_.string()};
  }
  std::vector<std::string> command() const {
    std::vector<std::string> all = arguments();
    all.insert(all.begin(), LAB_PROGRAM_PATH);
    return all;
  }

  fs::path temporary_{};
  bool mounted_ = false;
};

/// Whether the process has a temporary file of the scan open, whose name it has removed: it spills.
bool holds_a_temporary_file(pid_t pid) {
  std::error_code failure;
  for (fs::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", failure), end;
       !failure && entry != end; entry.increment(failure)) {
    const std::string name = fs::read_symlink(entry->path(), failure).string();
    if (name.find("deduplab-scan-") != std::string::npos && name.ends_with(" (deleted)")) return true;
    failure.clear();
  }
  return false;
}

/// Until it has a temporary file, or has ended; at most a minute.
void await_spill(Program& program) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (program.running() && !holds_a_temporary_file(program.pid()) &&
         std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST_F(ScanCrash, KilledWhileItSpillsLeavesNoTemporaryFile) {
  Program program(command(), scratch_);
  await_spill(program);
  ASSERT_TRUE(program.running()) << "it ended before it could be killed";
  program.signal(SIGKILL);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 128 + SIGKILL);
  EXPECT_EQ(ended.out, "");
  EXPECT_TRUE(fs::is_empty(temporary_));
  EXPECT_EQ(run(arguments()).exit_code, 0);
  EXPECT_TRUE(fs::is_empty(temporary_));
}

TEST_F(ScanCrash, InterruptedEndsWithTheSignalsCodeAndNoFigure) {
  Program program(command(), scratch_);
  await_spill(program);
  ASSERT_TRUE(program.running()) << "it ended before it could be interrupted";
  program.signal(SIGINT);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 130);
  EXPECT_EQ(ended.out, "");
  EXPECT_TRUE(fs::is_empty(temporary_));
}

TEST_F(ScanCrash, AFullDiskIsAnErrorThatSaysWhatToDo) {
  mounted_ = ::mount("tmpfs", temporary_.c_str(), "tmpfs", 0, "size=4m,mode=0700") == 0;
  if (!mounted_) GTEST_SKIP() << "needs the right to mount a tmpfs: " << std::strerror(errno);
  const Ended ended = run(arguments());
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_EQ(ended.out, "");
  for (const std::string& word :
       {temporary_.string(), std::string("No space left"), std::string("--temp"), std::string("--sketch")})
    EXPECT_NE(ended.err.find(word), std::string::npos) << ended.err;
  EXPECT_TRUE(fs::is_empty(temporary_));
}

TEST_F(ScanCrash, WhatDoesNotFitOnTheDiskIsNotEmittedInPart) {
  mounted_ = ::mount("tmpfs", temporary_.c_str(), "tmpfs", 0, "size=4m,mode=0700") == 0;
  if (!mounted_) GTEST_SKIP() << "needs the right to mount a tmpfs: " << std::strerror(errno);
  const fs::path folder = temporary_ / "emitted";
  const Ended ended =
      run({"scan", (root_ / "data").string(), "--chunker", "fixed:64", "--emit", folder.string()});
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_NE(ended.err.find("No space left"), std::string::npos) << ended.err;
  EXPECT_TRUE(fs::is_empty(temporary_));
}

}  // namespace
}  // namespace lab::e2e
