// A temporary folder, file systems on loop devices below it, and probes over one data folder.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>

#include "probe/probe.hpp"
#include "probe/testing/loop_file_system.hpp"

namespace lab {

class ProbeFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "probe_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    data_ = folder_ / "data";
    std::filesystem::create_directories(data_);
  }
  void TearDown() override {
    file_system_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// Moves the data folder onto a file system of its own; the reason where that cannot be.
  std::string move_to(const std::string& type, const std::string& options = "") {
    file_system_ = std::make_unique<LoopFileSystem>(folder_, type, options);
    if (!file_system_->mounted()) return "needs a " + type + " on a loop device: " + file_system_->lacks();
    data_ = file_system_->top() / "data";
    std::filesystem::create_directories(data_);
    return "";
  }

  RootsOf roots() const {
    return [data = data_](const CallContext&) -> Result<std::vector<std::filesystem::path>> {
      return std::vector{data};
    };
  }
  /// Behind syncfs, as in a reading.
  std::int64_t figure(Probe& probe, const std::string& name) const {
    EXPECT_TRUE(sync_file_system(data_));
    const auto figures = probe.read({});
    EXPECT_TRUE(figures) << figures.error().text();
    return figures && figures->contains(name) ? figures->at(name) : 0;
  }
  std::int64_t figure(Probe& probe) const { return figure(probe, probe.info().name); }
  std::string refusal(Probe& probe) const {
    EXPECT_TRUE(sync_file_system(data_));
    const auto figures = probe.read({});
    EXPECT_FALSE(figures) << "it answered";
    return figures ? "" : figures.error().detail;
  }

  std::filesystem::path folder_{};
  std::filesystem::path data_{};
  std::unique_ptr<LoopFileSystem> file_system_{};
};

}  // namespace lab
