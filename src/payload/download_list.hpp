// A list of downloads: where each file is, how large it is, and its SHA-256.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
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

/// An entry of a list. Without a size and a SHA-256 it waits for somebody who pins it: those of `download`
/// say nothing then.
struct ListedDownload {
  Download download{};
  bool pinned = true;
  std::uint32_t line = 0;  // Of its address.
};

/// A TOML file with a list of tables for each kind. Errors: kInvalidArgument with the file and the line: an
/// unknown kind or key, a key that lacks, a name that is no plain file name or stands twice; those of reading
/// it.
Result<std::vector<ListedDownload>> load_listed_downloads(const std::filesystem::path& path);

/// The same, of a list whose entries are all pinned. Errors: kInvalidArgument with the line of the first that
/// is not, and how it becomes so.
Result<std::vector<Download>> load_download_list(const std::filesystem::path& path);

/// The text of a list with size and SHA-256 behind the address of each entry that is in `measured`; all else
/// stays as it is. Errors: kInvalidArgument where that gives no list, since an address shares its line.
Result<std::string> pinned_list(const std::filesystem::path& path, std::span<const ListedDownload> measured);

/// 64 hexadecimal digits. Errors: kInvalidArgument.
Result<Digest> parse_digest(std::string_view text);

}  // namespace lab
