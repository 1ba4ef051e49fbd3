// Large files that several workers cut into content-defined chunks at once.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "scan/scanning_test_support.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;
using Kind = ChunkerSpec::Kind;

TEST_F(Scanning, AFileWhosePartsAreCutAtOnceHasTheFiguresOfOneWorker) {
  Random random(9);
  const std::string text = random_text(random, 3 << 20);
  // Runs of one byte and a period longer than a part, in which no two parts agree on a cut; copies far from
  // each other.
  std::string large = text + std::string(10 << 20, '\xff') + text.substr(12'345);
  for (int i = 0; i < 600'000; ++i) large += "sixteen letters!";
  add("large", large + text);
  add("sparse", std::string(9 << 20, '\0') + text, true);
  add("small", text.substr(0, 100'000));
  ScanRequest asked = request(whole_curve());
  const auto one = run(asked);
  ASSERT_TRUE(one) << one.error().text();
  expect_the_same_by_several_workers(asked, *one);
}

/// A cut depends on the one before it, and of these periods each beginning has cuts of its own for ever.
std::vector<std::string> without_common_cuts() {
  Random random(21);
  std::vector<std::string> all;
  for (const std::size_t period : {1'500U, 11'000U}) {
    const std::string once = random_text(random, period);
    std::string& repeated = all.emplace_back();
    while (repeated.size() < 13U << 20U) repeated += once;
  }
  return all;
}

const std::vector<ChunkerSpec> kLevels{{Kind::kCdc, 512, 0}, {Kind::kCdc, 2048, 0}, {Kind::kCdc, 4096, 0}};

TEST_F(Scanning, APartWhoseBeginningAgreesOnNoCutIsReadAgainAndHasTheFiguresOfOneWorker) {
  for (const std::string& text : without_common_cuts()) add("of " + std::to_string(text.size()), text);
  ScanRequest asked = request(kLevels);
  const auto one = run(asked);
  ASSERT_TRUE(one) << one.error().text();
  expect_the_same_by_several_workers(asked, *one);
}

/// Writes to a file as soon as it gets a chunk.
class Writing final : public Counter {
 public:
  explicit Writing(fs::path path) : path_(std::move(path)) {}
  Status add(std::span<const Chunk>) override {
    std::fstream(path_, std::ios::in | std::ios::out) << "changed";
    return ok();
  }
  Status finish(Tally&, DistinctSink*) override { return ok(); }
  std::uint64_t spilled_bytes() const override { return 0; }

 private:
  fs::path path_;
};

TEST_F(Scanning, AFileThatHasChangedWhenAPartIsReadAgainIsNamed) {
  add("a", without_common_cuts().front());
  const ScanRequest asked = request(kLevels);
  std::vector<std::unique_ptr<Counter>> counters;
  for (std::size_t i = 0; i < kLevels.size(); ++i) counters.push_back(std::make_unique<Writing>(data_ / "a"));
  const auto list = list_files(asked.paths, [](const fs::path&) { return std::size_t{0}; }, {});
  ASSERT_TRUE(list);
  JobList jobs(*list, kLevels, {.workers = 2, .joining = true});
  const auto first = jobs.next();
  const auto second = jobs.next();
  ASSERT_TRUE(first && second && second->number == 1U);
  PartQueue parts(FingerprintKind::kXxh3, kLevels, 2);
  ScanPass pass(asked, counters, {.parts = &parts}, [](std::uint64_t) {});
  // The second part waits for the first one; when that is joined, all of both was read, and the file changes.
  const auto waits = pass.run(list->files[0], *second, {});
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->problem, "");
  const auto joins = pass.run(list->files[0], *first, {});
  ASSERT_TRUE(joins) << joins.error().text();
  EXPECT_EQ(joins->problem, "it was written to");
}

TEST_F(Scanning, ALongHoleHasTheFiguresOfOneWorkerAndIsNotReadPieceByPiece) {
  Random random(11);
  const std::string text = random_text(random, 100'000);
  constexpr std::uint64_t kHole = 20ULL << 30U;
  const std::uint64_t places[] = {0, 3'000'000, kHole + 12'345, 2 * kHole};
  add("sparse", "");
  const auto file = open_file(data_ / "sparse", O_WRONLY);
  for (const std::uint64_t at : places)
    ASSERT_EQ(::pwrite(file->get(), text.data(), text.size(), static_cast<off_t>(at)), std::ssize(text));
  ScanRequest asked = request({{Kind::kCdc, 512, 0}, {Kind::kCdc, 65536, 0}, {Kind::kFixed, 4096, 0}});
  const auto one = run(asked);
  ASSERT_TRUE(one) << one.error().text();
  EXPECT_EQ(one->chunkers[0].all.bytes, 2 * kHole + text.size());
  EXPECT_GT(one->chunkers[0].all.hole_bytes, 2 * kHole - 1'000'000);
  EXPECT_GT(one->chunkers[0].all.chunks, 2 * kHole / 4096);
  EXPECT_EQ(one->chunkers[0].spilled_bytes, 0U) << "the chunks of a hole are a number";
  expect_the_same_by_several_workers(asked, *one);
}

TEST_F(Scanning, ALongHoleIsOneJobAndWhatIsWrittenToItMeanwhileIsNotRead) {
  constexpr std::uint64_t kSize = (300ULL << 20U) + 5;
  add("sparse", "begins");
  fs::resize_file(data_ / "sparse", kSize);
  for (const ChunkerSpec& chunker : {ChunkerSpec{Kind::kFixed, 4096, 0}, ChunkerSpec{Kind::kCdc, 8192, 0}}) {
    const ScanRequest asked = request({chunker});
    const auto list = list_files(asked.paths, [](const fs::path&) { return std::size_t{0}; }, {});
    ASSERT_TRUE(list);
    const auto counter = make_exact_counter({.memory = 1_MiB});
    const bool cdc = chunker.kind == Kind::kCdc;
    std::optional<PartQueue> parts;
    if (cdc) parts.emplace(FingerprintKind::kXxh3, asked.chunkers, 2);
    ScanPass pass(asked, std::span(&counter, 1), {.parts = parts ? &*parts : nullptr}, [](std::uint64_t) {});
    JobList jobs(*list, asked.chunkers, {.workers = 2, .joining = cdc});
    const auto first = jobs.next();
    const auto hole = jobs.next();
    ASSERT_TRUE(first && hole);
    EXPECT_FALSE(first->hole);
    EXPECT_TRUE(hole->hole && hole->last);
    EXPECT_EQ(hole->begin, first->end);
    EXPECT_EQ(hole->end, kSize);
    EXPECT_FALSE(jobs.next());
    const auto file = open_file(data_ / "sparse", O_WRONLY);
    ASSERT_EQ(::pwrite(file->get(), "later", 5, 200 << 20), 5);
    ASSERT_TRUE(pass.run(list->files[0], *first, {}));
    const auto outcome = pass.run(list->files[0], *hole, {});
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_EQ(outcome->problem, "not read from byte 209715200 on: it was written to where it had a hole");
    EXPECT_EQ(hole->begin + outcome->bytes, 200ULL << 20U);
    ASSERT_TRUE(pass.flush());
    EXPECT_EQ(pass.streams()[0].met()[0].bytes, 200ULL << 20U) << "and what was read is counted";
    add("sparse", "begins");
    fs::resize_file(data_ / "sparse", kSize);
  }
}

TEST_F(Scanning, ThatBytesOfAHoleAreMissingGoesBeforeThatTheFileHasChanged) {
  Random random(14);
  add("a", random_text(random, 24 << 20));
  fs::resize_file(data_ / "a", 200 << 20);
  const auto file = open_file(data_ / "a", O_WRONLY);
  for (const ChunkerSpec& chunker : {ChunkerSpec{Kind::kFixed, 4096, 0}, ChunkerSpec{Kind::kCdc, 8192, 0}}) {
    ScanRequest asked = request({chunker});
    asked.threads = 2;
    // By the first bytes that are read: their parts end later, and before the hole.
    const auto write = [&](const ScanProgress&) {
      EXPECT_EQ(::pwrite(file->get(), "later", 5, 100 << 20), 5);
    };
    const auto report = scan(asked, write, {});
    ASSERT_TRUE(report) << report.error().text();
    ASSERT_EQ(report->incomplete.size(), 1U);
    EXPECT_EQ(report->incomplete[0].reason,
              "not read from byte 104857600 on: it was written to where it had a hole");
    EXPECT_EQ(report->chunkers[0].all.bytes, 100ULL << 20U);
    ASSERT_EQ(::fallocate(file->get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100 << 20, 1 << 20), 0);
  }
}

// What was reserved and not written is a hole to ext4 until somebody has read it.
TEST_F(Scanning, SpaceThatWasReservedIsReadAsZerosAlsoWhereItIsNoHoleAnyMore) {
  Random random(13);
  const std::string text = random_text(random, 6 << 20);
  constexpr std::uint64_t kSize = 200ULL << 20U;
  add("a", text);
  const auto file = open_file(data_ / "a", O_RDWR);
  if (::fallocate(file->get(), 0, 0, 80 << 20) != 0) GTEST_SKIP() << "no fallocate in the temporary folder";
  fs::resize_file(data_ / "a", kSize);
  const ScanRequest asked = request({{Kind::kCdc, 8192, 0}});
  const auto one = run(asked);
  ASSERT_TRUE(one) << one.error().text();
  expect_the_same_by_several_workers(asked, *one);
  const auto list = list_files(asked.paths, [](const fs::path&) { return std::size_t{0}; }, {});
  ASSERT_TRUE(list);
  const auto counter = make_exact_counter({.memory = 16_MiB});
  PartQueue parts(FingerprintKind::kXxh3, asked.chunkers, 2);
  ScanPass pass(asked, std::span(&counter, 1), {.parts = &parts}, [](std::uint64_t) {});
  JobList jobs(*list, asked.chunkers, {.workers = 2, .joining = true, .looks_after = true});
  std::vector<Job> all;
  while (const auto job = jobs.next()) all.push_back(*job);
  std::string seen(kSize, '\0');
  ASSERT_EQ(::pread(file->get(), seen.data(), seen.size(), 0), std::ssize(seen));
  std::uint64_t bytes = 0;
  for (const Job& job : all) {
    const auto outcome = pass.run(list->files[0], job, {});
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_EQ(outcome->problem, "");
    bytes += outcome->bytes;
  }
  EXPECT_EQ(bytes, kSize);
  ASSERT_TRUE(pass.flush());
  Tally tally(1);
  ASSERT_TRUE(counter->finish(tally, nullptr));
  EXPECT_EQ(tally.all().chunks, one->chunkers[0].all.unique_chunks);
  EXPECT_EQ(tally.all().bytes, one->chunkers[0].all.unique_bytes);
}

TEST_F(Scanning, OfAFileInPartsNothingStaysInThePageCacheThatWasNotThere) {
  Random random(12);
  const std::string text = random_text(random, 40 << 20);
  add("a", text);
  const auto file = open_file(data_ / "a", O_RDONLY);
  ASSERT_TRUE(file);
  const auto resident = [&] { return pages_in_cache(file->get(), text.size()); };
  for (const ChunkerSpec& chunker : {ChunkerSpec{Kind::kFixed, 4096, 0}, ChunkerSpec{Kind::kCdc, 8192, 0}})
    for (const unsigned threads : {1U, 2U}) {
      ASSERT_EQ(::fsync(file->get()), 0);
      ASSERT_EQ(::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED), 0);
      if (resident() != 0) GTEST_SKIP() << "files of the temporary folder stay in memory";
      ScanRequest asked = request({chunker});
      asked.threads = threads;
      ASSERT_TRUE(run(asked));
      EXPECT_EQ(resident(), 0) << chunker_name(chunker) << " " << threads;
    }
}

TEST_F(Scanning, APartThatEndsEarlyLeavesNoWorkerWaiting) {
  // Of parts of 4 MiB the last ones are gone when their turn comes, and one ends within itself.
  add("a", std::string(100 << 20, 'a'));
  for (const unsigned threads : {2U, 4U}) {
    fs::resize_file(data_ / "a", 100 << 20);
    ScanRequest asked = request({{Kind::kCdc, 8192, 0}});
    asked.threads = threads;
    ASSERT_TRUE(joins_parts(asked));
    const auto cut = [&](const ScanProgress& progress) {
      if (!progress.counting) fs::resize_file(data_ / "a", (10 << 20) + 1234);
    };
    const auto report = scan(asked, cut, {});
    ASSERT_TRUE(report) << report.error().text();
    ASSERT_EQ(report->incomplete.size(), 1U);
    EXPECT_LT(report->chunkers[0].all.bytes, std::uint64_t{100 << 20});
  }
}

TEST_F(Scanning, AnErrorOrAStopInOnePartLeavesNoWorkerWaiting) {
  Random random(4);
  add("a", random_text(random, 64 << 20));
  ScanRequest asked = request({{Kind::kCdc, 512, 0}});
  asked.threads = 3;
  ASSERT_TRUE(joins_parts(asked));
  std::stop_source source;
  const auto stop = [&](const ScanProgress& progress) {
    if (progress.bytes_done > 12 << 20) source.request_stop();
  };
  const auto stopped = scan(asked, stop, source.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  // The first run of a counter finds no folder.
  asked.chunkers = {{Kind::kCdc, 512, 0}, {Kind::kFixed, 64, 0}};
  asked.threads = 2;
  asked.memory = 40_MiB;
  asked.temporary = folder_.path() / "temporary";
  fs::create_directory(asked.temporary);
  ASSERT_TRUE(joins_parts(asked));
  const auto vanish = [&](const ScanProgress&) { fs::remove(asked.temporary); };
  const auto failed = scan(asked, vanish, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace lab::scan
