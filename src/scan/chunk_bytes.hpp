// Reads chunks a second time, to compare their bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/files.hpp"
#include "core/result.hpp"
#include "scan/file_list.hpp"

namespace lab::scan {

/// All that is scanned, one file behind the other.
class ChunkBytes {
 public:
  virtual ~ChunkBytes() = default;
  /// All of `bytes`, from `position` on. Errors: kIo.
  virtual Status read(std::uint64_t position, std::span<std::byte> bytes) = 0;
  /// Whether all that was read here is what was scanned. Errors: kIo with what has changed.
  virtual Status unchanged() const = 0;
};

/// Regular files of a list. Not thread-safe.
class FileBytes final : public ChunkBytes {
 public:
  explicit FileBytes(const FileList& list) : list_(list), compared_(list.files.size()) {}  // Borrowed.

  Status read(std::uint64_t position, std::span<std::byte> bytes) override;
  Status unchanged() const override;

 private:
  struct Open {
    std::size_t file = 0;
    FileHandle handle{};
  };
  Result<int> open(std::size_t file);

  const FileList& list_;
  std::vector<bool> compared_;
  std::array<Open, 64> open_{};  // Chunks come in no order; a file is at its number modulo 64.
};

}  // namespace lab::scan
