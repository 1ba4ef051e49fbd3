// Bytes of the files below some folders: apparent and allocated, by part.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "core/result.hpp"
#include "core/units.hpp"
#include "driver/observer.hpp"

namespace lab {

/// Sums over regular files, each inode once (hard links), symbolic links not followed, folders not counted.
struct TreeSize {
  Bytes apparent{};   // st_size
  Bytes allocated{};  // st_blocks x 512 (stat(2)): holes are not there, preallocation is.
  std::map<std::string, Bytes> apparent_parts{};
  std::map<std::string, Bytes> allocated_parts{};
  bool all_classified = true;  // False: a file holds several parts, so the parts above are not complete.
  std::uint64_t files = 0;
};

using PartOf = std::function<std::optional<FilePart>(const std::filesystem::path& relative)>;

/// One walk. A file that vanishes meanwhile is not there; a folder that vanishes is walked again, at most 5
/// times. Errors: kNotFound (a root is missing), kRefused, kIo.
Result<TreeSize> measure_tree(std::span<const std::filesystem::path> roots, const PartOf& part_of);

}  // namespace lab
