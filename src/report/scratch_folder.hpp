// A folder for one test: made below the system's temporary folder, removed with all that is in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "core/files.hpp"

namespace lab::report {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lab_report_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp failed for " << name;
    path_ = name;
  }
  ~ScratchFolder() { ignore(remove_tree(path_), "a left-over below /tmp spoils no other test"); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// The text of a file in it. Fails the test where there is none.
  std::string text_of(const std::string& name) const {
    const auto text = read_file(path_ / name);
    if (!text) ADD_FAILURE() << text.error().text();
    return text ? *text : std::string();
  }

 private:
  std::filesystem::path path_{};
};

}  // namespace lab::report
