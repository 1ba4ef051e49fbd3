// Headers of a tar archive (POSIX ustar), the same bytes for the same names and sizes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lab {

inline constexpr std::size_t kTarBlock = 512;

/// Of a regular file that everybody may read, of nobody's and of 1970. Sizes from 8 GiB on are written as GNU
/// tar, libarchive and bsdtar read them. Precondition: at most 100 bytes of name.
std::string tar_header(std::string_view name, std::uint64_t size);

/// Zeros behind a file of this size, up to the next block.
std::string tar_padding(std::uint64_t size);

/// Two blocks of zeros.
std::string tar_end();

}  // namespace lab
