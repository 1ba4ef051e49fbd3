// Counting in little memory against counting in much, and a sample against the truth.
// SPDX-License-Identifier: Apache-2.0
#include "scan/counter.hpp"

#include <sys/mount.h>

#include <bit>
#include <cstring>
#include <thread>

#include "core/process_stamp.hpp"
#include "core/spill_file.hpp"
#include "scan/naive_count_test_support.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;

/// `count` chunks of which some occur very often; the same seed gives the same ones.
std::vector<Chunk> chunks_of(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::vector<Chunk> all(count);
  for (Chunk& chunk : all) {
    // A third is one single chunk, a third comes from a thousand, a third from all.
    const std::uint64_t kind = random.below(3);
    const std::uint64_t id = kind == 0 ? 7 : random.below(kind == 1 ? 1000 : count);
    const std::string text = std::to_string(id);
    chunk.fingerprint = fingerprint_of(FingerprintKind::kSha256, std::as_bytes(std::span(text)));
    chunk.length = static_cast<std::uint32_t>(1 + id % 5000);
    chunk.file_class = static_cast<std::uint8_t>(random.below(3));
  }
  return all;
}

void expect_equal(const DistinctFigures& a, const DistinctFigures& b) {
  EXPECT_EQ(a.chunks, b.chunks);
  EXPECT_EQ(a.bytes, b.bytes);
  for (std::size_t i = 0; i < a.buckets.size(); ++i) {
    EXPECT_EQ(a.buckets[i].distinct, b.buckets[i].distinct) << i;
    EXPECT_EQ(a.buckets[i].chunks, b.buckets[i].chunks) << i;
    EXPECT_EQ(a.buckets[i].bytes, b.buckets[i].bytes) << i;
  }
}

Tally naive_tally(const std::vector<Chunk>& chunks) {
  std::map<std::pair<Fingerprint, std::uint32_t>, std::vector<std::uint64_t>> copies;
  for (const Chunk& chunk : chunks) {
    auto& of = copies[{chunk.fingerprint, chunk.length}];
    of.resize(3);
    of[chunk.file_class] += 1;
  }
  Tally tally(3);
  for (const auto& [key, of] : copies) tally.add(key.second, of);
  return tally;
}

class Counting : public testing::Test {
 protected:
  CounterOptions options(Bytes memory, FingerprintKind kind = FingerprintKind::kXxh3) const {
    return {kind, memory, folder_.path(), {}, workers_};
  }
  static Tally count(Counter& counter, std::span<const Chunk> chunks) {
    for (std::size_t at = 0; at < chunks.size(); at += 300)
      EXPECT_TRUE(counter.add(chunks.subspan(at, std::min<std::size_t>(300, chunks.size() - at))));
    Tally tally(3);
    EXPECT_TRUE(counter.finish(tally, nullptr));
    return tally;
  }
  TemporaryFolder folder_{};
  std::size_t workers_ = 1;
};

TEST_F(Counting, IsExactInEachAmountOfMemory) {
  const auto chunks = chunks_of(1, 200'000);
  const Tally want = naive_tally(chunks);
  struct Case {
    const char* what = "";
    Bytes memory{};
    bool spills = false;
  };
  // With 2 KiB there are some 1,600 runs, so that they are merged on two levels before the end.
  for (const Case& c : {Case{"all in memory", 64_MiB, false}, Case{"a few runs", 1_MiB, true},
                        Case{"merged runs", 32_KiB, true}, Case{"twice merged runs", 2_KiB, true}})
    for (const FingerprintKind kind :
         {FingerprintKind::kXxh3, FingerprintKind::kSha256, FingerprintKind::kBlake3}) {
      SCOPED_TRACE(c.what);
      const auto counter = make_exact_counter(options(c.memory, kind));
      const Tally tally = count(*counter, chunks);
      expect_equal(tally.all(), want.all());
      for (std::size_t i = 0; i < 3; ++i) expect_equal(tally.of_class(i), want.of_class(i));
      EXPECT_EQ(tally.sample_level, 0U);
      EXPECT_EQ(counter->spilled_bytes() > 0, c.spills);
    }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

// Without classes nothing is sorted where all is in memory; several threads may count then.
TEST_F(Counting, OfOneClassIsExactInEachAmountOfMemoryAndByEachNumberOfWorkers) {
  std::vector<Chunk> chunks = chunks_of(8, 200'000);
  for (Chunk& chunk : chunks) chunk.file_class = 0;
  const Tally want = naive_tally(chunks);
  for (const std::size_t workers : {1U, 3U})
    for (const Bytes memory : {64_MiB, 1_MiB}) {
      workers_ = workers;
      const auto counter = make_exact_counter(options(memory));
      EXPECT_TRUE(counter->add(chunks));
      Tally tally(1);
      ASSERT_TRUE(counter->finish(tally, nullptr));
      expect_equal(tally.all(), want.all());
      expect_equal(tally.of_class(0), want.of_class(0));
      EXPECT_EQ(counter->spilled_bytes() > 0, memory == 1_MiB);
    }
}

// As for the chunks of a hole: a number of copies at once, among others of the same chunk.
TEST_F(Counting, CopiesAtOnceCountAsEachOfThem) {
  const std::vector<Chunk> singles = chunks_of(9, 60'000);
  const std::vector<Chunk> kinds = chunks_of(10, 400);  // More distinct ones than are kept apart.
  for (const std::size_t classes : {1U, 3U})
    for (const Bytes memory : {64_MiB, 64_KiB})
      for (const bool sketch : {false, true}) {
        SCOPED_TRACE(testing::Message() << classes << " classes, " << memory.count << " bytes, " << sketch);
        const auto counter =
            sketch ? make_sketch_counter(options(memory)) : make_exact_counter(options(memory));
        const auto plain =
            sketch ? make_sketch_counter(options(memory)) : make_exact_counter(options(64_MiB));
        const auto of_class = [&](Chunk chunk) {
          if (classes == 1) chunk.file_class = 0;
          return chunk;
        };
        for (const Chunk& single : singles) {
          const Chunk chunk = of_class(single);
          ASSERT_TRUE(counter->add(std::span(&chunk, 1)) && plain->add(std::span(&chunk, 1)));
        }
        for (std::size_t i = 0; i < kinds.size(); ++i) {
          const Chunk chunk = of_class(kinds[i]);
          const std::size_t copies = i % 7;
          ASSERT_TRUE(counter->add_copies(chunk, copies));
          ASSERT_TRUE(plain->add(std::vector<Chunk>(copies, chunk)));
        }
        Tally tally(classes);
        Tally want(classes);
        ASSERT_TRUE(counter->finish(tally, nullptr) && plain->finish(want, nullptr));
        expect_equal(tally.all(), want.all());
        for (std::size_t i = 0; i < classes; ++i) expect_equal(tally.of_class(i), want.of_class(i));
        EXPECT_EQ(tally.sample_level, want.sample_level);
      }
}

TEST_F(Counting, ThirtyMillionMillionCopiesAreOneStep) {
  constexpr std::uint64_t kCopies = 30'000'000'000'000;
  const Chunk chunk{.fingerprint = {1, 2}, .length = 4096};
  for (const bool sketch : {false, true}) {
    const auto counter = sketch ? make_sketch_counter(options(1_MiB)) : make_exact_counter(options(1_MiB));
    ASSERT_TRUE(counter->add_copies(chunk, kCopies));
    ASSERT_TRUE(counter->add(std::span(&chunk, 1)));
    Tally tally(1);
    ASSERT_TRUE(counter->finish(tally, nullptr));
    EXPECT_EQ(tally.all().chunks, 1U);
    EXPECT_EQ(tally.all().buckets[45].chunks, kCopies + 1);
    EXPECT_EQ(counter->spilled_bytes(), 0U);
  }
}

TEST_F(Counting, NeverSpillsMoreThanTheRecordsOfTheChunks) {
  const auto chunks = chunks_of(2, 100'000);
  const auto counter = make_exact_counter(options(64_KiB));
  for (const Chunk& chunk : chunks) ASSERT_TRUE(counter->add(std::span(&chunk, 1)));
  EXPECT_GT(counter->spilled_bytes(), 0U);
  EXPECT_LE(counter->spilled_bytes(), chunks.size() * 16);
}

TEST_F(Counting, AMergeEndsWhenAsked) {
  std::stop_source source;
  CounterOptions asked = options(64_KiB);
  asked.stop = source.get_token();
  const auto counter = make_exact_counter(asked);
  ASSERT_TRUE(counter->add(chunks_of(7, 50'000)));
  source.request_stop();
  Tally tally(3);
  const Status finished = counter->finish(tally, nullptr);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::kCancelled);
}

TEST_F(Counting, ChunksOfOneFingerprintAndTwoLengthsAreTwo) {
  std::vector<Chunk> chunks(2);
  chunks[0].length = 4096;
  chunks[1].length = 4095;
  const auto counter = make_exact_counter(options(1_MiB));
  EXPECT_EQ(count(*counter, chunks).all().chunks, 2U);
}

TEST_F(Counting, OfManyThreadsIsThatOfOne) {
  const auto chunks = chunks_of(3, 60'000);
  const auto one = make_exact_counter(options(64_KiB));
  const Tally want = count(*one, chunks);
  for (const bool sketch : {false, true}) {
    const auto many = sketch ? make_sketch_counter(options(64_KiB)) : make_exact_counter(options(64_KiB));
    const auto alone = sketch ? make_sketch_counter(options(64_KiB)) : make_exact_counter(options(1_MiB));
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < 3; ++i)
        threads.emplace_back([&, i] {
          for (std::size_t at = i; at < chunks.size(); at += 3)
            EXPECT_TRUE(many->add(std::span(chunks).subspan(at, 1)));
        });
    }
    Tally tally(3);
    ASSERT_TRUE(many->finish(tally, nullptr));
    const Tally expected = count(*alone, chunks);
    expect_equal(tally.all(), expected.all());
    EXPECT_EQ(tally.sample_level, expected.sample_level);
    EXPECT_EQ(tally.sample_level > 0, sketch);
    if (!sketch) expect_equal(tally.all(), want.all());
  }
}

TEST_F(Counting, ASketchIsExactUntilItsMemoryIsFull) {
  const auto chunks = chunks_of(4, 2'000);
  const auto counter = make_sketch_counter(options(1_MiB));
  const Tally tally = count(*counter, chunks);
  EXPECT_EQ(tally.sample_level, 0U);
  expect_equal(tally.all(), naive_tally(chunks).all());
}

TEST_F(Counting, ASketchKeepsEachSampledChunkWithAllItsCopies) {
  const auto chunks = chunks_of(5, 100'000);
  const auto counter = make_sketch_counter(options(64_KiB));
  const Tally tally = count(*counter, chunks);
  ASSERT_GT(tally.sample_level, 0U);
  ASSERT_LT(tally.sample_level, 64U);
  std::vector<Chunk> sampled;
  for (const Chunk& chunk : chunks)
    if (std::countl_zero(chunk.fingerprint[0]) >= static_cast<int>(tally.sample_level))
      sampled.push_back(chunk);
  expect_equal(tally.all(), naive_tally(sampled).all());
}

class FullSpillDisk : public Counting {
 protected:
  void TearDown() override {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool mount_small() {
    return mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  bool mounted_ = false;
};

TEST_F(FullSpillDisk, IsAnErrorThatNamesTheFolderAndTheWaysOut) {
  if (!mount_small()) GTEST_SKIP() << "needs the right to mount a tmpfs: " << std::strerror(errno);
  const auto counter = make_exact_counter(options(16_KiB));
  const auto chunks = chunks_of(6, 100'000);
  Status status = ok();
  for (std::size_t at = 0; at < chunks.size() && status; at += 100)
    status = counter->add(std::span(chunks).subspan(at, 100));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted);
  for (const std::string& word : {folder_.path().string(), std::string("No space left"),
                                  std::string("--temp"), std::string("--sketch")})
    EXPECT_NE(status.error().detail.find(word), std::string::npos) << status.error().detail;
}

TEST_F(Counting, StaleTemporaryFilesOfDeadProcessesAreRemovedAndNoOthers) {
  const auto self = process_stat("self");
  ASSERT_TRUE(self);
  const std::string living = "deduplab-scan-" + std::to_string(::getpid()) + "-" + self->started + "-abcdef";
  const std::string reused = "deduplab-scan-" + std::to_string(::getpid()) + "-1-abcdef";
  const std::string dead = "deduplab-scan-4194400-12345-abcdef";  // Above the largest number of a process.
  for (const std::string& name :
       {living, reused, dead, std::string("deduplab-scan-notes"), std::string("other")})
    ASSERT_TRUE(write_file_atomic(folder_.path() / name, ""));
  // Nobody of us has made these; a name alone does not stop a scan.
  ASSERT_TRUE(write_file_atomic(folder_.path() / (dead + "1"), "somebody's"));
  fs::create_directory(folder_.path() / (dead + "2"));
  fs::create_symlink(dead, folder_.path() / (dead + "3"));
  ASSERT_TRUE(remove_stale_spills(folder_.path()));
  EXPECT_TRUE(fs::exists(folder_.path() / (dead + "1")));
  EXPECT_TRUE(fs::exists(folder_.path() / (dead + "2")));
  EXPECT_TRUE(fs::is_symlink(folder_.path() / (dead + "3")));
  EXPECT_TRUE(fs::exists(folder_.path() / living));
  EXPECT_FALSE(fs::exists(folder_.path() / reused));
  EXPECT_FALSE(fs::exists(folder_.path() / dead));
  EXPECT_TRUE(fs::exists(folder_.path() / "deduplab-scan-notes"));
  EXPECT_TRUE(fs::exists(folder_.path() / "other"));
}

}  // namespace
}  // namespace lab::scan
