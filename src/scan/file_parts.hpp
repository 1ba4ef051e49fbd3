// Parts of a file that several workers cut at once, joined to the chunks that one pass over the file has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "scan/cdc_chunks.hpp"

namespace lab::scan {

struct CutChunk {
  Fingerprint fingerprint{};
  std::uint64_t end = 0;  // Offset in the part.
  std::uint32_t length = 0;
  bool zero = false;
};

/// A part, cut as if a chunk began with it.
struct PartCuts {
  std::vector<std::byte> bytes{};               // From its beginning on: all, or those that joining needs.
  std::uint64_t begin = 0;                      // In the file.
  std::uint64_t size = 0;                       // Of the part; 0 where it is a hole.
  std::vector<std::vector<CutChunk>> chunks{};  // By level.
  std::vector<std::vector<std::byte>> open{};   // Behind the last cut, by level.
  std::optional<std::uint64_t> hole{};          // All of it are so many zeros; then there is nothing above.
  bool ends = false;                            // The file ends with it, or what could be read of it.
};

/// A part is joined at one of its first cuts, so that the bytes behind them are not kept: once this much was
/// cut, and into so many chunks of each level that end by their content. To keep more costs memory traffic.
struct PartHead {
  std::uint64_t bytes = 256U << 10U;
  std::uint64_t chunks = 8;
};

/// Cuts one part after the other. Not thread-safe.
class PartCutter {
 public:
  PartCutter(FingerprintKind kind, std::span<const ChunkerSpec> specs, PartHead head = {});
  /// Before a part of so many bytes, so that none is copied later, with the memory of an old one.
  void begin(std::size_t bytes, PartCuts old);
  void bytes(std::span<const std::byte> bytes);
  void zeros(std::uint64_t count);
  /// The part so far; what comes then is the next one.
  PartCuts take();

 private:
  struct Recorder final : ChunkTaker {
    void take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) override;
    std::uint32_t longest = 0;
    std::vector<CutChunk> chunks{};
    std::uint64_t end = 0;
    std::uint64_t by_content = 0;  // Chunks that are not the longest.
  };
  static std::vector<Recorder> recorders_of(std::span<const ChunkerSpec> specs);
  void unfold_hole();
  bool keeps() const;

  PartHead head_;
  std::vector<Recorder> recorders_;
  CdcChunks cutter_;
  std::vector<std::byte> bytes_{};
  std::uint64_t size_ = 0;  // Of what was cut.
  std::uint64_t hole_ = 0;  // Zeros with which the part begins, as long as nothing else has come.
};

/// Takes the parts of one file in order. What a cut decides depends on nothing before it: from the first cut
/// on that the part and the chunk left open before it have both, the part's own chunks are those of the file.
/// Until there (in low-entropy data to the end of the part) they are cut again. Not thread-safe.
class PartJoiner {
 public:
  /// Gives the part all its bytes, where those that were kept do not reach to such a cut.
  using ReadRest = std::function<Status(PartCuts&)>;
  PartJoiner(FingerprintKind kind, std::span<const ChunkerSpec> specs);
  PartJoiner(PartJoiner&& other) noexcept;
  ~PartJoiner();
  /// `out` has a taker for each level. Errors: those of `rest`; then the file has no chunks.
  Status join(PartCuts& part, std::span<ChunkTaker* const> out, const ReadRest& rest);

 private:
  /// Zeros one part after the other, as one pass has them: most of their chunks are counted and not cut.
  struct Hole final : ChunkTaker {
    void take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) override;
    void take_equal(const Fingerprint& fingerprint, std::uint32_t length, bool zero,
                    std::uint64_t count) override;
    ChunkTaker* out = nullptr;
    std::optional<CdcChunks> cutter{};  // While parts are holes. It has what is open.
  };

  struct Again;  // Cuts the beginning of a part once more.

  void join_hole(std::size_t level, std::uint64_t zeros, ChunkTaker& out);
  void leave_hole(std::size_t level);
  Status join_level(std::size_t level, PartCuts& part, ChunkTaker& out, const ReadRest& rest);

  FingerprintKind kind_;
  std::vector<ChunkerSpec> specs_;
  std::vector<std::vector<std::byte>> open_;     // The chunk that has begun and not ended, by level.
  std::vector<std::unique_ptr<Hole>> holes_{};   // By level; the cutters point to them.
  std::vector<std::unique_ptr<Again>> again_{};  // By level, while parts are joined: to make one takes long.
};

/// What workers have cut, until its turn comes. Thread-safe.
class PartQueue {
 public:
  /// At most `parts` wait to be joined, and those that workers have at hand.
  PartQueue(FingerprintKind kind, std::vector<ChunkerSpec> specs, std::size_t parts);

  /// Before a worker begins another part. Returns at once when a stop is requested. A part is begun only
  /// after those before it, so that the one that the others wait for is always at work.
  void wait_for_room(const std::stop_token& stop);

  /// Part `number` of a file; of each file those from 0 on come once each, of any size. It, and those behind
  /// it that have come already, go to `out` unless an earlier one is missing or at work. Errors: those of
  /// `rest`; then no further part of the file is joined.
  Status put(std::size_t file, std::uint64_t number, PartCuts part, std::span<ChunkTaker* const> out,
             const PartJoiner::ReadRest& rest);

  /// A part that was joined, or none: only its memory is of use. To give it back to the system and to get it
  /// again for each part costs more than all cutting.
  PartCuts old_part();

 private:
  struct File {
    explicit File(PartJoiner made) : joiner(std::move(made)) {}
    PartJoiner joiner;
    std::uint64_t next = 0;
    bool joining = false;
    std::map<std::uint64_t, PartCuts> waiting{};
  };

  FingerprintKind kind_;
  std::vector<ChunkerSpec> specs_;
  std::size_t parts_;
  std::mutex mutex_{};
  std::condition_variable_any room_{};
  std::size_t waiting_ = 0;
  std::map<std::size_t, File> files_{};
  std::vector<PartCuts> old_{};
};

}  // namespace lab::scan
