// A temporary file that has no name, so that nothing is left of it however the program ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/files.hpp"
#include "core/result.hpp"

namespace lab {

/// Where temporary files go if nothing else is said: $TMPDIR, else /var/tmp, since /tmp is memory in many
/// places.
std::filesystem::path temporary_folder();

/// Removes what a program that was killed between making a temporary file and removing its name has left in
/// `folder`: empty files of ours whose process is gone.
Status remove_stale_spills(const std::filesystem::path& folder);

/// Written at its end, read anywhere. Not thread-safe.
class SpillFile {
 public:
  /// In `folder`; its name is removed before the first byte is written. Errors: errno's, with the folder, and
  /// with `advice` where the disk is full.
  static Result<SpillFile> make(const std::filesystem::path& folder, std::string advice);

  /// Errors: kResourceExhausted when the disk is full, with the advice.
  Status append(std::span<const std::byte> bytes);

  /// All of `bytes` from `offset` on. Errors: errno's; kCorruption beyond the end.
  Status read(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// The blocks of a range that is not needed any more go back to the file system where it can take them.
  void give_back(std::uint64_t offset, std::uint64_t length) const;

  std::uint64_t size() const noexcept { return size_; }

 private:
  SpillFile(FileHandle file, std::filesystem::path folder, std::string advice)
      : file_(std::move(file)), folder_(std::move(folder)), advice_(std::move(advice)) {}

  FileHandle file_;
  std::filesystem::path folder_;
  std::string advice_;
  std::uint64_t size_ = 0;
};

}  // namespace lab
