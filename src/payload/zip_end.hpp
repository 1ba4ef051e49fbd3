// What stands at the end of a zip file, and that nothing stands behind it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

/// The most that the record at the end has, with its comment: what of a file is to be given as its tail.
inline constexpr std::size_t kZipEndMax = 22 + 65'535;

/// How many entries the record at the end says there are, modulo 65,536, as some writers have it; nothing in
/// the form for large files, which says it elsewhere. `tail` ends with the file, which has `size` bytes;
/// `label` stands for its path. Errors: kCorruption without that record, or where other bytes stand behind it
/// or before the archive.
Result<std::optional<std::uint16_t>> entries_at_zip_end(const std::string& label, std::string_view tail,
                                                        std::uint64_t size);

}  // namespace lab
