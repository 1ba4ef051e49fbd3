// Runs the built program as a user would and keeps what it said.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lab::e2e {

struct Ended {
  int exit_code = 0;  // 128 + signal where a signal ended it.
  std::string out{};
  std::string err{};
};

/// A child process with its output in files. Killed when it outlives the limit or this object.
class Program {
 public:
  Program(std::vector<std::string> arguments, std::filesystem::path scratch,
          const std::map<std::string, std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  /// Waits for the end; a child that is still there at the limit is killed and the test fails.
  Ended wait(std::chrono::seconds limit = std::chrono::seconds(240));

 private:
  std::filesystem::path scratch_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

/// The program with these arguments, to its end.
Ended deduplab(std::vector<std::string> arguments, const std::filesystem::path& scratch,
               const std::map<std::string, std::string>& environment = {});

/// A temporary directory, and the program's runs below it.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Writes DIR/<name> and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;
  /// A plan over files and cas, random_binary, U0 and U50, small; `changes` replaces keys' lines by name.
  std::filesystem::path small_plan(int repetitions = 1, const std::string& more = "") const;
  Ended run(std::vector<std::string> arguments) const { return deduplab(std::move(arguments), scratch_); }

  std::filesystem::path root_{};
  std::filesystem::path scratch_{};  // Output of children; not part of what a test looks at.
};

std::string text_of(const std::filesystem::path& file);

/// Everything below `folder`: relative path -> content.
std::map<std::string, std::string> tree_of(const std::filesystem::path& folder);

/// The figures of one record that counts, without `filesystem`: what others do there is not the same twice.
struct StageFigures {
  bool valid = false;
  std::map<std::string, std::int64_t> stored_bytes{};  // By probe.
};
using Figures = std::map<std::string, StageFigures>;  // By cell, chain and stage.

/// From results.json. Fails the test on a record that counts twice.
Figures figures_of(const std::filesystem::path& run_directory);

/// The entries in which two runs of one plan differ, a line each; empty when they agree. What an engine
/// writes must be equal to the byte; allocated blocks may differ by the few blocks in which the file system
/// keeps a file's extents (ext4 counts them in st_blocks, and their number depends on how the disk is
/// fragmented).
std::string difference_of(const Figures& left, const Figures& right);

}  // namespace lab::e2e
