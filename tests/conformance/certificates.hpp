// Certificates of a test: two authorities, and a server's for 127.0.0.1 alone, good or expired.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace lab {

/// In `folder`: ca.pem, other-ca.pem; server.key, server.crt and both as server.pem; expired.crt for the same
/// key. The files' owner alone reads the keys. A failure is one of the test.
void make_certificates(const std::filesystem::path& folder);

}  // namespace lab
