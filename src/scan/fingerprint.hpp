// Fingerprints of chunks: XXH3-128, or BLAKE3 or SHA-256 where somebody may have forged the data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace lab::scan {

enum class FingerprintKind : std::uint8_t { kXxh3, kSha256, kBlake3 };

/// "xxh3", "sha256" or "blake3". Errors: kInvalidArgument with the nearest word.
Result<FingerprintKind> parse_fingerprint(const std::string& word);
std::string_view to_string(FingerprintKind kind) noexcept;

/// XXH3-128 fills the first two words, the others all four.
using Fingerprint = std::array<std::uint64_t, 4>;

/// Whether all four words of a fingerprint are kept.
constexpr bool is_wide(FingerprintKind kind) noexcept { return kind != FingerprintKind::kXxh3; }

Fingerprint fingerprint_of(FingerprintKind kind, std::span<const std::byte> bytes);

/// Of a block that consists of smaller ones: the fingerprint of their fingerprints.
Fingerprint fingerprint_of(FingerprintKind kind, std::span<const Fingerprint> parts);

/// True when there is no other byte than 0.
bool all_zero(std::span<const std::byte> bytes);

}  // namespace lab::scan
