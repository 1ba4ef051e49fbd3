// What the chunks save, beside a chunker that shares nothing with ours: a 64-bit gear hash, byte by byte.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <set>

#include "core/hash.hpp"
#include "scan/chunker.hpp"
#include "scan/scan_test_support.hpp"

namespace lab::scan_test {
namespace {

/// Share of the bytes, in percent, that a store of unique chunks would not keep.
class Store {
 public:
  void add(std::span<const std::byte> chunk) {
    all_ += chunk.size();
    if (seen_.insert(sha256(chunk)).second) kept_ += chunk.size();
  }
  double saved_percent() const {
    return 100.0 * (1.0 - static_cast<double>(kept_) / static_cast<double>(all_));
  }

 private:
  std::set<Digest> seen_;
  std::uint64_t all_ = 0, kept_ = 0;
};

/// FastCDC as it was published, with a 64-bit hash that begins anew in each chunk.
double saved_by_wide_gear(std::span<const std::byte> data, const ChunkSetting& setting) {
  std::array<std::uint64_t, 256> table{};
  Random random(64);
  for (std::uint64_t& entry : table) entry = random.next();
  const auto bits = static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(setting.normal.count)));
  Store store;
  while (!data.empty()) {
    const std::size_t largest = std::min(data.size(), static_cast<std::size_t>(setting.largest.count));
    const auto least = static_cast<std::size_t>(setting.least.count);
    const auto normal = static_cast<std::size_t>(setting.normal.count);
    std::uint64_t hash = 0;
    std::size_t size = std::min(least, largest);
    for (; size < largest; ++size) {
      hash = (hash << 1U) + table[std::to_integer<std::size_t>(data[size])];
      if (hash >> (64U - (size < normal ? bits + 1 : bits - 1)) == 0) break;
    }
    store.add(data.first(size));
    data = data.subspan(size);
  }
  return store.saved_percent();
}

double saved_by_ours(std::span<const std::byte> data, const ChunkSetting& setting) {
  auto chunker = Chunker::make({setting});
  EXPECT_TRUE(chunker);
  Store store;
  const auto take = [&] {
    for (const Cut& cut : chunker->cuts(0)) store.add(data.subspan(cut.begin, cut.end - cut.begin));
  };
  chunker->feed(data);
  take();
  chunker->finish();
  take();
  return store.saved_percent();
}

/// Blocks of 64 KiB, `percent` of them copies of earlier ones, at random places.
Data with_duplicates(std::size_t blocks, unsigned percent, std::uint64_t seed) {
  constexpr std::size_t kBlock = 64 * 1024;
  const std::size_t originals = blocks - blocks * percent / 100;
  std::vector<std::size_t> order(blocks);
  for (std::size_t i = 0; i < blocks; ++i) order[i] = i % originals;
  Random random(seed);
  shuffle(std::span(order), random);
  Data data;
  for (const std::size_t original : order) append(data, random_data(kBlock, seed * 1'000'003 + original));
  return data;
}

/// Texts of which later ones are edited versions of earlier ones.
Data edited_texts(std::size_t texts, std::uint64_t seed) {
  Random random(seed);
  std::vector<Data> versions;
  Data all;
  for (std::size_t i = 0; i < texts; ++i) {
    Data text =
        i < texts / 2 ? prose(20'000 + random.below(40'000), random.next()) : versions[random.below(i)];
    for (std::uint64_t edits = i < texts / 2 ? 0 : 1 + random.below(3); edits > 0; --edits) {
      const auto at = text.begin() + static_cast<std::ptrdiff_t>(random.below(text.size()));
      const Data words = prose(1 + random.below(60), random.next());
      text.insert(at, words.begin(), words.end());
    }
    append(all, text);
    versions.push_back(std::move(text));
  }
  return all;
}

void expect_equal_savings(const Data& data, std::initializer_list<Bytes> normals, double at_least) {
  for (const Bytes normal : normals) {
    const ChunkSetting setting = chunk_setting(normal);
    const double ours = saved_by_ours(data, setting), wide = saved_by_wide_gear(data, setting);
    std::printf("normal %6lld: ours %.2f %%, 64-bit gear %.2f %%\n", static_cast<long long>(normal.count),
                ours, wide);
    EXPECT_NEAR(ours, wide, 1.0) << normal.count;
    EXPECT_GT(ours, at_least) << normal.count;
  }
}

TEST(ChunkerSavings, HalfOfRandomBlocksTwiceIsFoundAsByA64BitHash) {
  expect_equal_savings(with_duplicates(512, 50, 1), {Bytes{512}, 2_KiB, 8_KiB}, 30);
}

TEST(ChunkerSavings, NineOfTenRandomBlocksAreFoundAsByA64BitHash) {
  expect_equal_savings(with_duplicates(512, 90, 2), {Bytes{512}, 2_KiB, 8_KiB}, 60);
}

TEST(ChunkerSavings, EditedTextsAreFoundAsByA64BitHash) {
  expect_equal_savings(edited_texts(1200, 10), {Bytes{512}, 2_KiB, 8_KiB}, 15);
}

TEST(ChunkerSavings, NothingIsFoundWhereNothingIsTwice) {
  EXPECT_EQ(saved_by_ours(random_data(std::size_t{4} << 20U, 4), chunk_setting(Bytes{512})), 0.0);
}

}  // namespace
}  // namespace lab::scan_test
