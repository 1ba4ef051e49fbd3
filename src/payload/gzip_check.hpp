// The checksum of gzip files, which libarchive does not look at.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/files.hpp"
#include "core/units.hpp"
#include "payload/zero_tail.hpp"

namespace lab {

/// Reads a gzip file to its end, each of its members against its checksum and length, and leaves it at its
/// beginning; `tail` sees what it expands to. A file that does not begin as one is for its reader to refuse.
/// Errors: kCorruption for what is cut, wrong, or followed by something else than another member; `beyond`
/// where it expands to more than `limit`.
Status check_gzip(const FileHandle& file, const std::filesystem::path& path, Bytes limit, const Error& beyond,
                  ZeroTail& tail);

}  // namespace lab
