// What an object file is called and how it is written: the parts of the files driver that need no driver.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "core/time.hpp"
#include "model/dataset.hpp"

namespace lab::files {

/// The inverse of format_uuid; nothing for any other name (a temporary file, for example).
std::optional<ObjectId> parse_uuid(std::string_view text);

/// Creates or truncates `path`. With `sync` its bytes are on disk when this returns. A file that could not be
/// completed is removed. Errors: errno's; kTimeout and kCancelled between pieces of 16 MiB.
Status write_object(const CallContext& call, const std::filesystem::path& path,
                    std::span<const std::byte> payload, bool sync);

/// Calls `visit` for each entry of `folder`. Errors: errno's, the call's, the visitor's.
Status visit_entries(const CallContext& call, const std::filesystem::path& folder,
                     const std::function<Status(const std::filesystem::path&)>& visit);

}  // namespace lab::files
