// SPDX-License-Identifier: Apache-2.0
#include "scan/fingerprint.hpp"

#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // Takes the widest vectors of the processor that it runs on.
#endif

#include <algorithm>
#include <cstring>

#include "core/hash.hpp"
#include "core/text.hpp"

namespace lab::scan {

Result<FingerprintKind> parse_fingerprint(const std::string& word) {
  static const std::vector<std::string> kWords{"xxh3", "sha256"};
  if (word == "xxh3") return FingerprintKind::kXxh3;
  if (word == "sha256") return FingerprintKind::kSha256;
  const bool known = word == "blake3" || word == "bytes";
  return Error{ErrorCode::kInvalidArgument, "scan",
               "--fingerprint: '" + word + "' is " +
                   (known ? "known but not built in; sha256 is the one that cannot be forged"
                          : "unknown" + suggestion(word, kWords))};
}

std::string_view to_string(FingerprintKind kind) noexcept {
  return kind == FingerprintKind::kXxh3 ? "xxh3" : "sha256";
}

Fingerprint fingerprint_of(FingerprintKind kind, std::span<const std::byte> bytes) {
  Fingerprint fingerprint{};
  if (kind == FingerprintKind::kXxh3) {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    fingerprint[0] = hash.high64;
    fingerprint[1] = hash.low64;
  } else {
    const Digest digest = sha256(bytes);
    std::memcpy(fingerprint.data(), digest.data(), digest.size());
  }
  return fingerprint;
}

Fingerprint fingerprint_of(FingerprintKind kind, std::span<const Fingerprint> parts) {
  return fingerprint_of(kind, std::as_bytes(parts));
}

bool all_zero(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  // Equal to itself one byte on, and it begins with 0: a comparison of two ranges is the fastest there is.
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace lab::scan
