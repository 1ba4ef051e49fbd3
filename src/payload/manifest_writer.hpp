// A manifest on its way into a file: under a temporary name until it is whole.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "core/files.hpp"

namespace lab {

/// Lines of a manifest into a new file. One that is not finished leaves nothing behind.
class ManifestWriter {
 public:
  /// Makes the temporary file beside `path`. Errors: kRefused where there is something at `path` already;
  /// those of making the file.
  static Result<ManifestWriter> open(const std::filesystem::path& path);

  ManifestWriter(ManifestWriter&& other) noexcept;
  ManifestWriter& operator=(ManifestWriter&&) = delete;
  ~ManifestWriter();

  /// `line` is without its newline.
  Status add(const std::string& line);

  /// Everything on disk, then the name; a file that has come there in between is not replaced.
  Status finish();

 private:
  ManifestWriter(std::filesystem::path temporary, std::filesystem::path path, FileHandle file);
  Status flush();

  std::filesystem::path temporary_;  // Empty: there is none any more.
  std::filesystem::path path_;
  FileHandle file_;
  std::string lines_{};
};

}  // namespace lab
