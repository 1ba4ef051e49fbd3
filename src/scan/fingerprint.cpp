// SPDX-License-Identifier: Apache-2.0
#include "scan/fingerprint.hpp"

#include <blake3.h>
#include <xxhash.h>
#if defined(__x86_64__)
#include <immintrin.h>
#include <xxh_x86dispatch.h>  // Takes the widest vectors of the processor that it runs on.
#endif

#include <algorithm>
#include <cstring>

#include "core/hash.hpp"
#include "core/text.hpp"

namespace lab::scan {

namespace {

constexpr std::array kKinds{FingerprintKind::kXxh3, FingerprintKind::kSha256, FingerprintKind::kBlake3};

#if defined(__x86_64__)
/// The library (0.8.1) leaves the upper halves of the vector registers in use. Until they are cleared each
/// instruction of the older kind waits: 180 ns a chunk were measured, six times the hash of 512 bytes.
[[gnu::target("avx"), gnu::noinline]] XXH128_hash_t xxh3_on_avx(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  _mm256_zeroupper();
  return hash;
}
#endif

XXH128_hash_t xxh3(std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  static const bool kAvx = __builtin_cpu_supports("avx") != 0;
  if (kAvx) return xxh3_on_avx(bytes);
#endif
  return XXH3_128bits(bytes.data(), bytes.size());
}

Digest blake3(std::span<const std::byte> bytes) {
  const auto hash = [](std::span<const std::byte> of) {
    blake3_hasher hasher;  // NOLINT(cppcoreguidelines-pro-type-member-init): 2 KB that a chunk need not clear
    blake3_hasher_init(&hasher);
    blake3_hasher_update(&hasher, of.data(), of.size());
    Digest digest{};
    blake3_hasher_finalize(&hasher, reinterpret_cast<std::uint8_t*>(digest.data()), digest.size());
    return digest;
  };
  // Its first call notes what the processor can do, without a lock: no other thread may be in it meanwhile.
  [[maybe_unused]] static const Digest kFirst = hash({});
  return hash(bytes);
}

}  // namespace

Result<FingerprintKind> parse_fingerprint(const std::string& word) {
  std::vector<std::string> words;
  for (const FingerprintKind kind : kKinds) {
    if (word == to_string(kind)) return kind;
    words.emplace_back(to_string(kind));
  }
  return Error{ErrorCode::kInvalidArgument, "scan",
               "--fingerprint: '" + word + "' is unknown" + suggestion(word, words)};
}

std::string_view to_string(FingerprintKind kind) noexcept {
  switch (kind) {
    case FingerprintKind::kXxh3:
      return "xxh3";
    case FingerprintKind::kSha256:
      return "sha256";
    case FingerprintKind::kBlake3:
      break;
  }
  return "blake3";
}

Fingerprint fingerprint_of(FingerprintKind kind, std::span<const std::byte> bytes) {
  Fingerprint fingerprint{};
  if (kind == FingerprintKind::kXxh3) {
    const XXH128_hash_t hash = xxh3(bytes);
    fingerprint[0] = hash.high64;
    fingerprint[1] = hash.low64;
  } else {
    const Digest digest = kind == FingerprintKind::kSha256 ? sha256(bytes) : blake3(bytes);
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
