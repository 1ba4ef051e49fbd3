// A list of downloads: where each file is, how large it is, and its SHA-256.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/result.hpp"
#include "core/units.hpp"

namespace lab {

struct Download {
  std::string kind{};     // "nasa_image"
  std::string name{};     // Of the file, a plain one.
  std::string address{};  // http or https, without a password.
  Bytes size{};
  Digest sha256{};

  /// "nasa_image/moon.jpg", below any folder that has it.
  std::string place() const { return kind + "/" + name; }
};

/// A TOML file with a list of tables for each kind. Errors: kInvalidArgument with the file and the line: an
/// unknown kind or key, a key that lacks, a name that is no plain file name or stands twice; those of reading
/// it.
Result<std::vector<Download>> load_download_list(const std::filesystem::path& path);

/// 64 hexadecimal digits. Errors: kInvalidArgument.
Result<Digest> parse_digest(std::string_view text);

}  // namespace lab
