// SPDX-License-Identifier: Apache-2.0
#include "probe/tree_size.hpp"

#include "probe/tree_walk.hpp"

namespace lab {

Result<TreeSize> measure_tree(std::span<const std::filesystem::path> roots, const PartOf& part_of) {
  TreeSize size;
  const auto add = [&](const FoundFile& file) -> Status {
    const Bytes apparent{file.info.st_size};
    const Bytes allocated{file.info.st_blocks * 512};
    size.files += 1;
    size.apparent += apparent;
    size.allocated += allocated;
    const auto part = part_of(file.path.lexically_relative(file.root));
    size.all_classified = size.all_classified && part.has_value();
    if (part) {
      size.apparent_parts[std::string(to_string(*part))] += apparent;
      size.allocated_parts[std::string(to_string(*part))] += allocated;
    }
    return ok();
  };
  LAB_TRY(walk_files(roots, [&] { size = {}; }, add));
  return size;
}

}  // namespace lab
