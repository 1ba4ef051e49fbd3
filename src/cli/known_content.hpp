// What `deduplab generate --output DIR` wrote, as the known content of a census.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "scan/scan.hpp"

namespace lab::cli {

/// The originals of DIR/manifest.jsonl and how often each is there. Their bytes come from DIR/objects, are
/// held against size and SHA-256 each time, and are kept one object at a time. Errors: kInvalidArgument with
/// file, line and key; the same from the function that gives the bytes.
Result<scan::CensusRequest> known_content(const std::filesystem::path& directory);

}  // namespace lab::cli
