// Content-defined chunks: the cuts of several settings from one pass over the bytes of a file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "scan/gear.hpp"

namespace lab {

/// Least, normal and largest chunk. The cut is rarer before the normal size and more frequent behind it
/// (normalised chunking, Xia et al., FastCDC, USENIX ATC 2016), by one bit each way.
struct ChunkSetting {
  Bytes least{};
  Bytes normal{};  // A power of two, 256 B to 1 MiB. The mean in random data is docs/scan-chunking.md's.
  Bytes largest{};
  friend bool operator==(const ChunkSetting&, const ChunkSetting&) = default;
};

/// A quarter and eight times of the normal size.
constexpr ChunkSetting chunk_setting(Bytes normal) {
  return {Bytes{normal.count / 4}, normal, Bytes{normal.count * 8}};
}

/// Errors: kInvalidArgument, with the rule that is broken: normal a power of two from 256 B to 1 MiB,
/// 64 B <= least < normal < largest <= 64 MiB.
Status check(const ChunkSetting& setting);

enum class CutReason : std::uint8_t {
  kContent,  // What is in the file says so: equal content is cut alike wherever it stands.
  kForced,   // The largest size is reached: low-entropy data, or chance.
  kEnd,      // The end of the file.
};

struct Cut {
  std::uint64_t begin = 0;  // Offset in the file.
  std::uint64_t end = 0;    // First byte behind the chunk.
  CutReason reason = CutReason::kEnd;
  friend bool operator==(const Cut&, const Cut&) = default;
};

struct CutCounts {
  std::uint64_t content = 0;
  std::uint64_t forced = 0;
  std::uint64_t ends = 0;
  std::uint64_t chunks() const { return content + forced + ends; }
};

/// Turns the candidates of a file into the cuts of one setting.
class CutReplay {
 public:
  /// Precondition: check(setting).
  explicit CutReplay(const ChunkSetting& setting);

  unsigned weak_bits() const { return weak_bits_; }
  unsigned strong_bits() const { return strong_bits_; }

  /// All candidates of at least weak_bits() up to `seen`, in order, that were not given before; `seen` is how
  /// much of the file they come from. Appends the cuts that are certain by then.
  void advance(std::span<const Candidate> candidates, std::uint64_t seen, std::vector<Cut>& cuts);

  /// The last chunk, if it has a byte. The next advance() begins another file; the counts go on.
  void finish(std::uint64_t file_size, std::vector<Cut>& cuts);

  /// As if so many bytes without a candidate came, a multiple of the largest size. Returns the forced cuts,
  /// which leave the open chunk as long as it is.
  std::uint64_t skip(std::uint64_t bytes);

  const CutCounts& counts() const { return counts_; }

 private:
  void cut_at(std::uint64_t end, CutReason reason, std::vector<Cut>& cuts);
  void force_until(std::uint64_t position, std::vector<Cut>& cuts);

  std::uint64_t least_;
  std::uint64_t normal_;
  std::uint64_t largest_;
  unsigned weak_bits_;
  unsigned strong_bits_;
  std::uint64_t begin_ = 0;
  CutCounts counts_{};
};

/// Cuts files by several settings at once. Cuts do not depend on the path, on how the file is divided into
/// spans, or on the other settings. Not thread-safe; one for each thread.
class Chunker {
 public:
  /// Errors: kInvalidArgument for no setting, and those of check().
  static Result<Chunker> make(const std::vector<ChunkSetting>& settings, GearPath path = fastest_gear_path());

  /// The next bytes of the file, a span of any length.
  void feed(std::span<const std::byte> bytes);
  /// As if so many bytes came of a run that the last 16 are of. Precondition: a multiple of every largest
  /// size. Returns how many chunks of the largest size each setting has cut; cuts() has none of them.
  std::vector<std::uint64_t> skip_run(std::uint64_t bytes);
  /// The end of the file; the next feed() begins another one.
  void finish();

  /// What the last feed() or finish() has cut by the setting of this index.
  const std::vector<Cut>& cuts(std::size_t setting) const { return cuts_[setting]; }
  const CutCounts& counts(std::size_t setting) const { return replays_[setting].counts(); }
  std::size_t settings() const { return replays_.size(); }

 private:
  Chunker(std::vector<CutReplay> replays, unsigned weakest_bits, GearPath path);

  GearScan scan_;
  std::vector<CutReplay> replays_;
  std::vector<std::vector<Cut>> cuts_;
  std::vector<std::size_t> by_bits_;  // Settings, those that need the most candidates first.
  std::vector<Candidate> candidates_{};
};

}  // namespace lab
