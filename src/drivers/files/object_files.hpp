// How an object file is written: the parts of the files driver that need no driver.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <span>

#include "core/result.hpp"
#include "core/time.hpp"

namespace lab::files {

/// Creates or truncates `path`. With `sync` its bytes are on disk when this returns. A file that could not be
/// completed is removed. Errors: errno's; kTimeout and kCancelled between pieces of 16 MiB.
Status write_object(const CallContext& call, const std::filesystem::path& path,
                    std::span<const std::byte> payload, bool sync);

/// Calls `visit` for each entry of `folder`. Errors: errno's, the call's, the visitor's.
Status visit_entries(const CallContext& call, const std::filesystem::path& folder,
                     const std::function<Status(const std::filesystem::path&)>& visit);

}  // namespace lab::files
