// What tests of the preflight share: a small plan and a folder of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "drivers/cas/cas.hpp"
#include "drivers/files/files.hpp"
#include "runner/preflight.hpp"

namespace lab {

inline Plan small_plan() {
  Plan plan;
  plan.name = "small";
  plan.repetitions = 2;
  plan.dataset.payloads = {"random_binary"};
  plan.dataset.grades = {0, 90};
  plan.dataset.objects = 100;
  plan.dataset.object_sizes = {SizeLaw{.low = Bytes{65'536}}};
  plan.stages.chains = {{StageKind::kBulkInsert}};
  plan.systems = {{.name = "files"}, {.name = "cas"}};
  return plan;
}

inline const Registry& two_systems() {
  static const Registry kTwo{files_system(), cas_system()};
  return kTwo;
}

inline const Check* find(const std::vector<Check>& checks, const std::string& name) {
  for (const Check& check : checks)
    if (check.name == name) return &check;
  return nullptr;
}

class PreflightTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "preflight_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::filesystem::path root_;
};

}  // namespace lab
