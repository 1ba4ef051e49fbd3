// A folder of a test's own, gone with the test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "core/files.hpp"

namespace lab {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lab-test-XXXXXX").string();
    LAB_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary folder for a test");
    path_ = name;
  }
  ~TemporaryFolder() { ignore(remove_tree(path_), "the test's verdict stands already"); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_{};
};

}  // namespace lab
