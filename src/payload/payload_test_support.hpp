// What several payload tests need: short specifications, bytes of contents, and a folder that goes away.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "payload/dataset.hpp"
#include "payload/made_kinds.hpp"

namespace lab {

/// Each made kind, and mixes of them.
inline std::vector<std::string> made_payloads() {
  std::vector<std::string> payloads = made_kind_names();
  payloads.insert(payloads.end(),
                  {"mixed", "mixed:synthetic_transactions=5+random_binary=2+text_document=4"});
  return payloads;
}

inline DatasetSpec spec_of(std::string payload, std::uint64_t objects, int grade, Bytes size) {
  return {.payload = std::move(payload),
          .dataset_seed = 7,
          .grade = grade,
          .objects = objects,
          .object_size = {.low = size}};
}

/// Precondition: the specification is good; otherwise the test process ends with its error.
inline std::shared_ptr<const Dataset> made(const DatasetSpec& spec) {
  auto dataset = Dataset::make(spec);
  LAB_CHECK(dataset.has_value(), dataset.error().text().c_str());
  return *dataset;
}

inline std::vector<std::byte> bytes_of(const Dataset& dataset, std::uint64_t content) {
  std::vector<std::byte> bytes;
  const Status filled = dataset.source().fill(content, bytes);
  EXPECT_TRUE(filled) << filled.error().text();
  return bytes;
}

inline std::string text_of(const Dataset& dataset, std::uint64_t content) {
  return std::string(as_text(bytes_of(dataset, content)));
}

/// All of a file.
inline std::string text_in(const std::filesystem::path& path) {
  const auto text = read_file(path);
  EXPECT_TRUE(text) << text.error().text();
  return text ? *text : "";
}

/// A new folder below the system's temporary one, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "payload-test-XXXXXX").string();
    LAB_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

 private:
  std::filesystem::path path_{};
};

}  // namespace lab
