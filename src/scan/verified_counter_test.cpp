// A comparison of bytes behind fingerprints that collide.
// SPDX-License-Identifier: Apache-2.0
#include "scan/verified_counter.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "core/random.hpp"
#include "core/testing/temporary_folder.hpp"

namespace lab::scan {
namespace {

constexpr std::uint32_t kLength = 64;

/// Chunks of kLength in memory, in place of files.
class MemoryBytes final : public ChunkBytes {
 public:
  Status read(std::uint64_t position, std::span<std::byte> bytes) override {
    reads += 1;
    std::copy_n(std::as_bytes(std::span(text)).begin() + static_cast<std::ptrdiff_t>(position), bytes.size(),
                bytes.begin());
    return ok();
  }
  Status unchanged() const override {
    if (changed) return Error{ErrorCode::kIo, "scan", "it was written to"};
    return ok();
  }
  std::string text{};
  std::uint64_t reads = 0;
  bool changed = false;
};

class Verifying : public testing::Test {
 protected:
  CounterOptions options(Bytes memory, FingerprintKind kind = FingerprintKind::kXxh3,
                         std::stop_token stop = {}) const {
    return {kind, memory, folder_.path(), std::move(stop)};
  }

  /// Content `id` as one more chunk, with a fingerprint that has `values` values only.
  void add(std::uint64_t id, std::uint64_t values, std::uint8_t file_class = 0) {
    std::string content = std::to_string(id);
    content.resize(kLength, '.');
    chunks_.push_back({{mix64(id % values), id % values, 1, 2}, kLength, file_class, bytes_.text.size()});
    bytes_.text += content;
  }

  TemporaryFolder folder_{};
  MemoryBytes bytes_{};
  std::vector<Chunk> chunks_{};
};

TEST_F(Verifying, ChunksThatOnlyHaveTheSameFingerprintAreFoundAndCountedAsWhatTheyAre) {
  Random random(1);
  std::map<std::uint64_t, std::vector<std::uint64_t>> copies;  // Of each content, by class.
  std::set<std::uint64_t> fingerprints;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t id = random.below(random.below(2) == 0 ? 10 : 3000);
    const std::uint64_t file_class = random.below(3);
    add(id, 1000, static_cast<std::uint8_t>(file_class));
    auto& of = copies[id];
    of.resize(3);
    of[file_class] += 1;
    fingerprints.insert(id % 1000);
  }
  ASSERT_GT(copies.size(), 2 * fingerprints.size());
  Tally want(3);
  for (const auto& [id, of] : copies) want.add(kLength, of);
  for (const FingerprintKind kind : {FingerprintKind::kXxh3, FingerprintKind::kBlake3})
    for (const Bytes memory : {16_MiB, 32_KiB, 2_KiB}) {
      SCOPED_TRACE(memory.count);
      const auto counter = make_verified_counter(options(memory, kind), bytes_);
      ASSERT_TRUE(counter->add(chunks_));
      EXPECT_EQ(counter->spilled_bytes() > 0, memory < 16_MiB);
      Tally tally(3);
      ASSERT_TRUE(counter->finish(tally, nullptr));
      EXPECT_EQ(tally.all().chunks, want.all().chunks);
      EXPECT_EQ(tally.all().bytes, want.all().bytes);
      for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(tally.of_class(i).chunks, want.of_class(i).chunks);
      for (std::size_t i = 0; i < want.all().buckets.size(); ++i)
        EXPECT_EQ(tally.all().buckets[i].chunks, want.all().buckets[i].chunks) << i;
      const auto comparison = counter->comparison();
      ASSERT_TRUE(comparison);
      EXPECT_EQ(comparison->chunks, chunks_.size() - fingerprints.size());
      EXPECT_EQ(comparison->collisions, copies.size() - fingerprints.size());
      // A counter that trusts them is wrong here, so that this is no test of nothing.
      const auto trusting = make_exact_counter(options(memory, kind));
      ASSERT_TRUE(trusting->add(chunks_));
      Tally wrong(3);
      ASSERT_TRUE(trusting->finish(wrong, nullptr));
      EXPECT_EQ(wrong.all().chunks, fingerprints.size());
    }
}

TEST_F(Verifying, AChunkThatIsAloneIsNotReadAgainAndEveryOtherOneIsReadOnce) {
  for (const std::uint64_t id : {1U, 2U, 3U, 4U, 4U, 4U}) add(id, 1000);
  const auto counter = make_verified_counter(options(1_MiB), bytes_);
  ASSERT_TRUE(counter->add(chunks_));
  Tally tally(1);
  ASSERT_TRUE(counter->finish(tally, nullptr));
  EXPECT_EQ(tally.all().chunks, 4U);
  EXPECT_EQ(bytes_.reads, 3U);
  EXPECT_EQ(counter->comparison()->chunks, 2U);
  EXPECT_EQ(counter->comparison()->collisions, 0U);
}

TEST_F(Verifying, SoManyContentsOfOneFingerprintThatItIsNoAccidentAreRefused) {
  for (std::uint64_t id = 0; id < kContentsMax; ++id) add(id, 1);
  Tally tally(1);
  const auto most = make_verified_counter(options(1_MiB), bytes_);
  ASSERT_TRUE(most->add(chunks_));
  ASSERT_TRUE(most->finish(tally, nullptr));
  EXPECT_EQ(tally.all().chunks, kContentsMax);
  add(kContentsMax, 1);
  const auto more = make_verified_counter(options(1_MiB), bytes_);
  ASSERT_TRUE(more->add(chunks_));
  const Status refused = more->finish(tally, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_NE(refused.error().detail.find("sha256"), std::string::npos);
  EXPECT_FALSE(more->comparison());
  bytes_.changed = true;  // Then that is the reason.
  const auto changed = make_verified_counter(options(1_MiB), bytes_);
  ASSERT_TRUE(changed->add(chunks_));
  EXPECT_EQ(changed->finish(tally, nullptr).error().code, ErrorCode::kIo);
}

TEST_F(Verifying, OfWhatHasChangedMeanwhileThereIsNoFigure) {
  add(1, 10);
  add(1, 10);
  bytes_.changed = true;
  const auto counter = make_verified_counter(options(1_MiB), bytes_);
  ASSERT_TRUE(counter->add(chunks_));
  Tally tally(1);
  const Status finished = counter->finish(tally, nullptr);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::kIo);
  EXPECT_FALSE(counter->comparison());
}

TEST_F(Verifying, AComparisonEndsWhenAsked) {
  for (int i = 0; i < 100; ++i) add(1, 10);
  std::stop_source source;
  const auto counter =
      make_verified_counter(options(1_MiB, FingerprintKind::kXxh3, source.get_token()), bytes_);
  ASSERT_TRUE(counter->add(chunks_));
  source.request_stop();
  Tally tally(1);
  const Status finished = counter->finish(tally, nullptr);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(bytes_.reads, 0U);
}

}  // namespace
}  // namespace lab::scan
