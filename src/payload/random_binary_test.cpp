// The blocks of random_binary: one stream on every path of the processor, of AES rounds as FIPS 197 has them.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/text.hpp"
#include "payload/made_kinds.hpp"
#include "payload/payload_test_support.hpp"
#include "payload/random_binary_kernel.hpp"

namespace lab::random_binary {
namespace {

constexpr BlockStream kStream{.high = 0x0123456789ABCDEFULL,
                              .keys = {{1, 2}, {0xFFFF'FFFF'FFFF'FFFF, 0}, {0x8000'0000'0000'0001, 77}}};

std::vector<std::byte> portable(std::uint64_t first, std::size_t count) {
  std::vector<std::byte> blocks(count * kBlock);
  fill_portable(blocks.data(), first, count, kStream);
  return blocks;
}

/// FIPS 197, appendix B: the cipher example prints the block before each round, and each round's key.
TEST(RandomBinaryBlocks, AreAesRoundsAsTheStandardPrintsThem) {
  // "Start of round" 1, the keys of rounds 1 to 3 and, expected, "start of round" 4: eight bytes a number.
  constexpr std::array<std::uint64_t, 8> kPrinted = {
      0x193DE3BEA0F4E22B, 0x9AC68D2AE9F84808, 0xA0FAFE1788542CB1, 0x23A339392A6C7605,
      0xF2C295F27A96B943, 0x5935807A7359F67F, 0x3D80477D4716FE3E, 0x1E237E446D7A883B};
  std::array<std::uint64_t, 8> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = __builtin_bswap64(kPrinted[i]);
  const BlockStream stream{.high = words[1],
                           .keys = {{words[2], words[3]}, {words[4], words[5]}, {words[6], words[7]}}};
  // The number whose counter is the block's low half: the step has an inverse modulo 2^64.
  std::uint64_t inverse = kCounterStep;
  for (int i = 0; i < 6; ++i) inverse *= 2 - kCounterStep * inverse;
  std::array<std::byte, kBlock> block{};
  fill_portable(block.data(), words[0] * inverse - 1, 1, stream);
  EXPECT_EQ(to_hex(block), "486c4eee671d9d0d4de3b138d65f58e7") << "start of round 4";
}

#if defined(__x86_64__)
TEST(RandomBinaryBlocks, AreTheSameOnEachPathOfTheProcessor) {
  if (!__builtin_cpu_supports("aes")) GTEST_SKIP() << "this processor has no AES, and only the portable path";
  const bool wide = __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("vaes");
  for (const std::size_t count : {1U, 15U, 16U, 17U, 63U, 64U, 80U, 4'099U})
    for (const std::uint64_t first : {0ULL, 5ULL, ~0ULL - 20}) {
      std::vector<std::byte> blocks(count * kBlock + 1);
      fill_aes(blocks.data() + 1, first, count, kStream);
      EXPECT_EQ(std::vector(blocks.begin() + 1, blocks.end()), portable(first, count)) << count;
      if (!wide) continue;
      std::vector<std::byte> vectors(count * kBlock + 2, std::byte{'x'});
      const std::size_t done = fill_vaes(vectors.data() + 1, first, count, kStream);
      EXPECT_EQ(done, count / 16 * 16);
      EXPECT_EQ(
          std::vector(vectors.begin() + 1, vectors.begin() + 1 + static_cast<std::ptrdiff_t>(done * kBlock)),
          portable(first, done));
      EXPECT_EQ(vectors[1 + done * kBlock], std::byte{'x'}) << "written behind its end";
    }
}
#endif

TEST(RandomBinaryBlocks, FollowEachOtherWhereverOneBegins) {
  const auto all = portable(0, 100);
  for (const std::size_t first : {1U, 16U, 99U})
    EXPECT_EQ(std::vector(all.begin() + static_cast<std::ptrdiff_t>(first * kBlock), all.end()),
              portable(first, 100 - first));
}

std::vector<std::byte> object(std::uint64_t content, std::size_t size, std::uint64_t seed = 3) {
  std::vector<std::byte> bytes;
  make_random_binary({seed, content}, size, bytes);
  return bytes;
}

TEST(RandomBinary, OfAnySizeIsTheBeginningOfALargerOne) {
  const auto large = object(12, 5'000);
  for (const std::size_t size : {16U, 17U, 31U, 32U, 255U, 256U, 257U, 1'024U, 4'099U})
    EXPECT_EQ(object(12, size),
              std::vector(large.begin(), large.begin() + static_cast<std::ptrdiff_t>(size)));
}

TEST(RandomBinary, HasNoTwoEqualAlignedBlocksOf16BytesInADataset) {
  std::set<std::string> seen;
  for (std::uint64_t content = 0; content < 300; ++content) {
    const auto bytes = object(content, 8'192);
    for (std::size_t at = 0; at < bytes.size(); at += kBlock)
      ASSERT_TRUE(seen.emplace(as_text(std::span(bytes).subspan(at, kBlock))).second) << content << " " << at;
  }
}

/// Chi-square of 256 values over 1 MiB: mean 255, standard deviation 22.6; six of these are allowed.
void expect_even(std::span<const std::uint64_t, 256> counts, const std::string& of) {
  double total = 0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  double chi_square = 0;
  for (const std::uint64_t count : counts) {
    const double off = static_cast<double>(count) - total / 256;
    chi_square += off * off / (total / 256);
  }
  EXPECT_NEAR(chi_square, 255, 6 * 22.6) << of;
}

TEST(RandomBinary, HasEvenBytesAndEvenDifferencesAtEveryPlaceOfABlock) {
  for (const std::uint64_t seed : {1U, 2U}) {
    // Of one long object, and of the first blocks of many: the counter's low half moves, then its high half.
    std::vector<std::byte> firsts;
    for (std::uint64_t content = 0; content < 65'536; ++content) {
      const auto bytes = object(content, kBlock, seed);
      firsts.insert(firsts.end(), bytes.begin(), bytes.end());
    }
    for (const auto& bytes : {object(9, 1 << 20, seed), firsts})
      for (std::size_t place = 0; place < kBlock; ++place) {
        std::array<std::uint64_t, 256> values{};
        std::array<std::uint64_t, 256> differences{};
        for (std::size_t at = place + kBlock; at < bytes.size(); at += kBlock) {
          ++values[static_cast<std::size_t>(bytes[at])];
          ++differences[static_cast<std::size_t>(bytes[at] ^ bytes[at - kBlock])];
        }
        expect_even(values, fmt::format("value of byte {}", place));
        expect_even(differences, fmt::format("difference of byte {} from the block before", place));
      }
  }
}

}  // namespace
}  // namespace lab::random_binary
