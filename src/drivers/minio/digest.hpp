// The one checksum that every S3 server takes for a multi-object delete.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lab::minio {

/// MD5 in base64, as Content-MD5 wants it. It guards against faults of the way, nothing else.
std::string md5_base64(std::string_view bytes);

}  // namespace lab::minio
