// The gear hash: tables, the scalar path, the choice of the path, and the window over the borders of spans.
// SPDX-License-Identifier: Apache-2.0
#include "scan/gear.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/random.hpp"
#include "core/result.hpp"
#include "scan/gear_kernel.hpp"

namespace lab {
namespace gear {
namespace {

struct Nibbles {
  std::uint16_t low[16]{};
  std::uint16_t high[16]{};
};

constexpr Nibbles nibbles_of(std::uint64_t seed) {
  Random random(seed);
  Nibbles made;
  for (std::uint16_t& entry : made.low) entry = static_cast<std::uint16_t>(random.next() >> 48U);
  for (std::uint16_t& entry : made.high) entry = static_cast<std::uint16_t>(random.next() >> 48U);
  return made;
}

constexpr std::uint16_t entry_of(const Nibbles& nibbles, unsigned byte) {
  return static_cast<std::uint16_t>(nibbles.low[byte & 15U] ^ nibbles.high[byte >> 4U]);
}

/// Whether a run of some byte would be a candidate at every position: its hash is T * (2^16 - 1), so -T.
constexpr bool runs_are_candidates(const Nibbles& nibbles) {
  for (unsigned byte = 0; byte < 256; ++byte)
    if (static_cast<std::uint16_t>(-entry_of(nibbles, byte)) >> (16U - kGearBitsMin) == 0) return true;
  return false;
}

// Changing the seed changes every cut.
constexpr std::uint64_t kSeed = 2;  // The first that passes the check below.
constexpr Nibbles kNibbles = nibbles_of(kSeed);
static_assert(!runs_are_candidates(kNibbles), "zero pages would be cut at the least size everywhere");

constexpr Tables split(const Nibbles& nibbles) {
  Tables tables{};
  for (std::size_t i = 0; i < 16; ++i) {
    tables.low_of_low[i] = static_cast<std::uint8_t>(nibbles.low[i] & 255U);
    tables.high_of_low[i] = static_cast<std::uint8_t>(nibbles.low[i] >> 8U);
    tables.low_of_high[i] = static_cast<std::uint8_t>(nibbles.high[i] & 255U);
    tables.high_of_high[i] = static_cast<std::uint8_t>(nibbles.high[i] >> 8U);
  }
  return tables;
}

/// The 16 bits at the top, so that what leaves them has left the window.
constexpr std::array<std::uint32_t, 256> entries_of(const Nibbles& nibbles) {
  std::array<std::uint32_t, 256> entries{};
  for (unsigned byte = 0; byte < 256; ++byte)
    entries[byte] = static_cast<std::uint32_t>(entry_of(nibbles, byte)) << 16U;
  return entries;
}

constexpr auto kEntries = entries_of(kNibbles);

Kernel kernel_of(GearPath path) {
#if defined(__x86_64__)
  if (path == GearPath::kAvx512) return find_avx512;
  if (path == GearPath::kAvx2) return find_avx2;
#endif
  LAB_CHECK(path == GearPath::kScalar, "a path that this processor has not");
  return find_scalar;
}

/// The 16 bits that stand below the gear hash where it is zero: 16 bits would end at averages of 32 KiB.
std::uint32_t further_bits(const std::uint8_t* window) {
  std::uint64_t halves[2];
  std::memcpy(halves, window, kGearWindow);
  return static_cast<std::uint32_t>(mix64(mix64(halves[0]) + halves[1]) >> 48U);
}

/// `window` is only read where it must be.
std::uint32_t strength_of(std::uint32_t hash, const std::uint8_t* window) {
  if (hash != 0) return static_cast<std::uint32_t>(std::countl_zero(hash)) - 16U;
  return static_cast<std::uint32_t>(std::countl_zero(further_bits(window)));
}

constexpr std::size_t kRows = 4;

/// All of four rows of `length` bytes, one behind the other. Each hash waits for the one before it, so that
/// several are made in turns.
std::size_t find_in_rows(const std::uint8_t* data, std::size_t length, std::uint32_t below,
                         std::uint32_t* out) {
  std::uint32_t hashes[kRows]{};
  std::size_t ends[kRows];  // Of what each row has found, in its own part of `out`.
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::uint8_t* const begin = data + row * length;
    for (std::size_t i = kGearWindow - 1; i > 0; --i)
      hashes[row] = (hashes[row] << 1U) + kEntries[*(begin - i)];
    ends[row] = row * length;
  }
  for (std::size_t i = 0; i < length; ++i) {
#pragma GCC unroll 4
    for (std::size_t row = 0; row < kRows; ++row) {
      const std::size_t at = row * length + i;
      hashes[row] = (hashes[row] << 1U) + kEntries[data[at]];
      if (hashes[row] < below) [[unlikely]]
        out[ends[row]++] = static_cast<std::uint32_t>(at << 16U) | hashes[row] >> 16U;
    }
  }
  std::size_t found = ends[0];
  for (std::size_t row = 1; row < kRows; ++row)
    for (std::size_t i = row * length; i < ends[row]; ++i) out[found++] = out[i];
  return found;
}

}  // namespace

constinit const Tables kTables = split(kNibbles);

std::size_t find_scalar(const std::uint8_t* data, std::size_t from, std::size_t to, unsigned bits,
                        std::uint32_t* out) {
  const std::uint32_t below = 1U << (32U - bits);
  const std::size_t length = to - from < 32 * kRows ? 0 : (to - from) / kRows;
  std::size_t found = length == 0 ? 0 : find_in_rows(data + from, length, below, out);
  std::uint32_t hash = 0;
  const std::size_t rest = from + length * kRows;
  for (std::size_t i = rest - (kGearWindow - 1); i < to; ++i) {
    hash = (hash << 1U) + kEntries[data[i]];
    if (i >= rest && hash < below) out[found++] = static_cast<std::uint32_t>((i - from) << 16U) | hash >> 16U;
  }
  return found;
}

}  // namespace gear

std::string_view to_string(GearPath path) noexcept {
  switch (path) {
    case GearPath::kScalar:
      return "scalar";
    case GearPath::kAvx2:
      return "avx2";
    case GearPath::kAvx512:
      return "avx512";
  }
  return "scalar";
}

std::vector<GearPath> gear_paths() {
  std::vector<GearPath> paths{GearPath::kScalar};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) paths.push_back(GearPath::kAvx2);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vbmi"))
    paths.push_back(GearPath::kAvx512);
#endif
  return paths;
}

GearScan::GearScan(unsigned weakest_bits, GearPath path) : bits_(weakest_bits), path_(path) {
  LAB_CHECK(weakest_bits >= kGearBitsMin && weakest_bits <= kGearBitsMax, "bits of the gear hash");
  const auto paths = gear_paths();
  LAB_CHECK(std::find(paths.begin(), paths.end(), path) != paths.end(), "a path that this processor has not");
  found_.resize(gear::kStripe);
}

void GearScan::start_at(std::uint64_t position, std::span<const std::byte> before) {
  LAB_CHECK(before.size() >= std::min<std::uint64_t>(position, kGearWindow),
            "the window before the position");
  position_ = position;
  before_.fill(0);
  const std::size_t kept = std::min(before.size(), kGearWindow);
  if (kept > 0) std::memcpy(before_.data() + kGearWindow - kept, before.data() + before.size() - kept, kept);
}

void GearScan::find(const std::uint8_t* data, std::size_t from, std::size_t to, std::vector<Candidate>& out) {
  const std::size_t found = gear::kernel_of(path_)(data, from, to, bits_, found_.data());
  for (std::size_t k = 0; k < found; ++k) {
    const std::size_t offset = found_[k] >> 16U;
    const std::uint64_t position = position_ + offset + 1;
    if (position < kGearWindow) continue;
    const std::uint8_t* window = data + from + offset + 1 - kGearWindow;
    out.push_back({position, gear::strength_of(found_[k] & 0xFFFFU, window)});
  }
  position_ += to - from;
}

void GearScan::feed(std::span<const std::byte> bytes, std::vector<Candidate>& out) {
  if (bytes.empty()) return;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::array<std::uint8_t, 2 * kGearWindow> joint{};  // The windows that begin before this span.
  const std::size_t head = std::min(bytes.size(), kGearWindow);
  std::memcpy(joint.data(), before_.data(), kGearWindow);
  std::memcpy(joint.data() + kGearWindow, data, head);
  find(joint.data(), kGearWindow, kGearWindow + head, out);
  for (std::size_t from = head; from < bytes.size(); from += gear::kStripe)
    find(data, from, std::min(from + gear::kStripe, bytes.size()), out);
  if (bytes.size() >= kGearWindow)
    std::memcpy(before_.data(), data + bytes.size() - kGearWindow, kGearWindow);
  else
    std::memcpy(before_.data(), joint.data() + head, kGearWindow);
}

}  // namespace lab
