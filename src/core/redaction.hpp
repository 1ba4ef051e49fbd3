// Text without a secret that may stand in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lab {

/// Secrets below this length stand in ordinary words by chance.
inline constexpr std::size_t kSecretAnywhereMin = 4;

/// `text` with *** for each `secret`: wherever it stands; one below kSecretAnywhereMin bytes only as a word
/// of its own, as in "user:x@host", "password=x" or 'x', so that the rest can still be read.
std::string without_secret(std::string text, std::string_view secret);

}  // namespace lab
