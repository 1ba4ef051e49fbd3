// SHA-256 (OpenSSL), its hexadecimal spelling, and the order-free sum of many digests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace lab {

using Digest = std::array<std::byte, 32>;

/// One reusable SHA-256 context: reset by digest(). Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  Digest digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest sha256(std::span<const std::byte> bytes);
Digest sha256(std::string_view text);

/// Lower-case hexadecimal.
std::string to_hex(std::span<const std::byte> bytes);

/// The first 8 bytes, big-endian.
std::uint64_t leading_u64(const Digest& digest);

/// Multiset of digests in constant memory: count and the sum of the digests as four 64-bit lanes. Equal
/// multisets compare equal; different ones differ but for a chance of about 2^-128 on data nobody has forged.
struct DigestSum {
  std::uint64_t count = 0;
  std::array<std::uint64_t, 4> lanes{};

  void add(const Digest& digest);
  void remove(const Digest& digest);  // Undoes one add of the same digest.
  friend auto operator<=>(const DigestSum&, const DigestSum&) = default;
};

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace lab
