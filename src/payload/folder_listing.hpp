// The files below a folder in an order that no file system decides, and their bytes in pieces.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/files.hpp"

namespace lab {

/// Names relative to the folder, each list in bytewise order.
struct FolderListing {
  std::vector<std::string> files{};     // Regular ones.
  std::vector<std::string> symlinks{};  // Not followed.
  std::vector<std::string> specials{};  // Sockets, pipes, devices.
};

/// Everything below `root`. Errors: errno's, for a folder that cannot be read, with its path.
Result<FolderListing> list_folder(const std::filesystem::path& root);

using ByteSink = std::function<Status(std::span<const std::byte>)>;

/// Reads the file from where it stands to its end, a buffer at a time. Errors: errno's and those of `piece`.
Status read_pieces(const FileHandle& file, const std::filesystem::path& path, std::span<std::byte> buffer,
                   const ByteSink& piece);

}  // namespace lab
