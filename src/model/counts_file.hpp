// How often each original is copied, from a file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace lab {

struct CountsFile {
  std::vector<std::uint64_t> counts{};
  std::string sha256{};  // Of the file, in hexadecimal.
};

/// A file of one whole number a line: how often each original is copied, in proportion. Lines that begin with
/// # are for people. Errors: kInvalidArgument with file and line; those of reading it.
Result<CountsFile> load_counts(const std::filesystem::path& path);

}  // namespace lab
