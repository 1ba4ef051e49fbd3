// Places where content may be cut: one pass finds the candidates of every average chunk size at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lab {

/// How the pass is made. All paths find the same candidates; the slower ones are for processors without the
/// instructions and for tests.
enum class GearPath : std::uint8_t { kScalar, kAvx2, kAvx512 };

std::string_view to_string(GearPath path) noexcept;

/// The paths of this processor, the fastest last. Never empty.
std::vector<GearPath> gear_paths();
inline GearPath fastest_gear_path() { return gear_paths().back(); }

inline constexpr std::size_t kGearWindow = 16;  // Bytes that decide about a candidate: those before the cut.
inline constexpr unsigned kGearBitsMin = 7;     // Runs of one byte are no candidates from here on.
inline constexpr unsigned kGearBitsMax = 16;    // Of the pass. The strength of a candidate goes to 32.

/// A cut is possible before the byte at `position`. In random data one position of 2^n has a strength of n or
/// more.
struct Candidate {
  std::uint64_t position = 0;  // Offset in the file.
  std::uint32_t strength = 0;  // 7 to 32: the zero bits at the top of the window's hash.
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// Finds the candidates of one file. The bytes may come in spans of any length: what is found depends on the
/// 16 bytes before a position alone. Not thread-safe.
class GearScan {
 public:
  /// Precondition: kGearBitsMin <= weakest_bits <= kGearBitsMax, and the processor has the path.
  explicit GearScan(unsigned weakest_bits, GearPath path = fastest_gear_path());

  /// Appends the candidates of at least the weakest strength, in order. The first 15 positions of a file have
  /// no whole window and are none.
  void feed(std::span<const std::byte> bytes, std::vector<Candidate>& out);

  /// Goes on at `position` of a file behind these bytes: how threads share one file. Precondition: `before`
  /// holds the last 16 bytes before the position, or all where there are fewer.
  void start_at(std::uint64_t position, std::span<const std::byte> before);

  /// As if so many bytes came of a run that the last 16 are of: it has no candidates.
  void skip_run(std::uint64_t bytes) { position_ += bytes; }

  void start_file() { start_at(0, {}); }
  std::uint64_t position() const { return position_; }

 private:
  void find(const std::uint8_t* data, std::size_t from, std::size_t to, std::vector<Candidate>& out);

  unsigned bits_;
  GearPath path_;
  std::uint64_t position_ = 0;                      // Of the next byte.
  std::array<std::uint8_t, kGearWindow> before_{};  // The last bytes seen.
  std::vector<std::uint32_t> found_{};
};

}  // namespace lab
