// Zeros that are told by their number against the same zeros as bytes.
// SPDX-License-Identifier: Apache-2.0
#include "scan/cdc_chunks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "scan/kept_chunks_test_support.hpp"
#include "scan/scan_test_support.hpp"

namespace lab::scan {
namespace {

using scan_test::Data;

const std::vector<ChunkerSpec> kSpecs{{ChunkerSpec::Kind::kCdc, 512, 0},
                                      {ChunkerSpec::Kind::kCdc, 4096, 0},
                                      {ChunkerSpec::Kind::kCdc, 16384, 0}};

/// What is cut of data and zeros in turns; of zeros that are told by their number, at most `at_once` at a
/// time.
std::vector<Kept> cut(std::span<const std::pair<Data, std::uint64_t>> pieces, bool by_number,
                      std::uint64_t at_once = ~std::uint64_t{0}) {
  std::vector<Kept> kept(kSpecs.size());
  std::vector<CdcChunks::Level> levels;
  for (std::size_t i = 0; i < kSpecs.size(); ++i) levels.push_back({kSpecs[i], &kept[i]});
  CdcChunks chunks(FingerprintKind::kXxh3, levels);
  for (const auto& [data, zeros] : pieces) {
    chunks.bytes(data);
    if (by_number)
      for (std::uint64_t left = zeros, next = at_once / 1000 + 1; left > 0; next = at_once) {
        const std::uint64_t some = std::min(left, next);
        chunks.zeros(some);
        left -= some;
      }
    else
      chunks.bytes(Data(zeros));
  }
  chunks.end();
  return kept;
}

TEST(CdcChunks, ARunOfZerosIsCutLikeItsBytesHoweverLong) {
  constexpr std::uint64_t kLongest = 8 * 16384;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<std::pair<Data, std::uint64_t>> pieces;
    for (int i = 0; i < 3; ++i) {
      // Around the lengths from which on chunks are not looked for, and far beyond.
      const std::uint64_t zeros = random.below(3) == 0
                                      ? random.below(40 * kLongest)
                                      : 2 * kLongest + random.below(64) + kLongest * random.below(3);
      pieces.emplace_back(scan_test::mixed_data(random.below(60'000), seed * 10 + static_cast<unsigned>(i)),
                          zeros);
    }
    const auto by_number = cut(pieces, true);
    const auto by_bytes = cut(pieces, false);
    for (std::size_t i = 0; i < kSpecs.size(); ++i) EXPECT_EQ(by_number[i].chunks, by_bytes[i].chunks) << i;
    const auto in_pieces = cut(pieces, true, kLongest / 2 + random.below(4 * kLongest));
    for (std::size_t i = 0; i < kSpecs.size(); ++i) EXPECT_EQ(in_pieces[i].chunks, by_bytes[i].chunks) << i;
  }
}

/// Counts what comes at once, and single chunks.
struct Calls final : ChunkTaker {
  void take(const Fingerprint&, std::uint32_t, bool) override { single += 1; }
  void take_equal(const Fingerprint&, std::uint32_t, bool, std::uint64_t count) override { at_once += count; }
  std::uint64_t single = 0;
  std::uint64_t at_once = 0;
};

TEST(CdcChunks, OfALongRunInPiecesAllButTheFirstChunksComeAtOnce) {
  Calls calls;
  const CdcChunks::Level level{kSpecs[0], &calls};
  CdcChunks chunks(FingerprintKind::kXxh3, std::span(&level, 1));
  chunks.bytes(Data(100, std::byte{1}));
  constexpr std::uint64_t kPiece = 16;  // Chunks.
  for (int i = 0; i < 1'000; ++i) chunks.zeros(kPiece * longest_chunk(kSpecs[0]));
  EXPECT_EQ(calls.single + calls.at_once, 1'000 * kPiece);
  EXPECT_LE(calls.single, 4U);
}

TEST(CdcChunks, ARunOfZerosCountsItsForcedCuts) {
  constexpr std::uint64_t kChunks = 1000;
  Kept kept;
  const CdcChunks::Level level{kSpecs[0], &kept};
  CdcChunks chunks(FingerprintKind::kXxh3, std::span(&level, 1));
  chunks.zeros(kChunks * longest_chunk(kSpecs[0]));
  EXPECT_EQ(kept.chunks.size(), kChunks) << "the last one is full, and not open";
  chunks.end();
  EXPECT_EQ(kept.chunks.size(), kChunks);
}

}  // namespace
}  // namespace lab::scan
