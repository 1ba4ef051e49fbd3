// The private folder of one server: made new, marked as ours, removed only with that mark.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/process.hpp"
#include "core/result.hpp"

namespace lab::testbed {

/// Errors: kRefused where something lies at `home`. Asked before there is a record of it, by which somebody's
/// own folder would become one to remove.
Status check_free(const std::filesystem::path& home);

/// Makes `home` (mode 0700, of `user`), which must not exist, and what is missing above it. `token` is the
/// mark by which remove_home knows it. Errors: kRefused where something is there, or where `user` cannot get
/// to it.
Status make_home(const std::filesystem::path& home, const std::string& token,
                 const std::optional<UserId>& user);

/// The mark of the home at `home`; nothing where no marked folder lies there (a link is none).
std::optional<std::string> mark_of(const std::filesystem::path& home);

/// Removes a home with this mark, or an empty one (a crash came before the mark). Missing is fine. Errors:
/// kRefused for a folder that has not this mark: it is left as it is.
Status remove_home(const std::filesystem::path& home, const std::string& token);

/// True when `user` may pass through every existing folder on the way to `path`, itself included.
bool can_enter(const std::filesystem::path& path, const UserId& user);

constexpr std::size_t kTokenDigits = 32;

/// kTokenDigits hexadecimal digits from the kernel's random source.
Result<std::string> random_word();

}  // namespace lab::testbed
