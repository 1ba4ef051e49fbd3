// The rights on a bucket's objects, asked for by requests that change nothing whether they are allowed or
// not. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "drivers/minio/bucket.hpp"

namespace lab::minio {

/// A sentence for each right that the server refuses, with its words; none where all are there. The bucket
/// may be one that is not there: servers that look at rights first then still tell of them. `versioned` is
/// what it is now. Errors: a server that does not answer, or fails.
Result<std::vector<std::string>> refused_rights(Client& client, const std::string& bucket, bool versioned,
                                                const CallContext& call, const char* operation);

}  // namespace lab::minio
