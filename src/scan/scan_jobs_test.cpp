// How files are divided among the workers of a scan.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "scan/scan_pass.hpp"

namespace lab::scan {
namespace {

using Kind = ChunkerSpec::Kind;

std::vector<Job> jobs_of(const FileList& list, std::span<const ChunkerSpec> chunkers, unsigned workers,
                         bool joining = false) {
  JobList jobs(list, chunkers, {.workers = workers, .joining = joining});
  std::vector<Job> all;
  while (const auto job = jobs.next()) all.push_back(*job);
  return all;
}

/// As a device: nothing is asked of a file system.
void add_file(FileList& list, std::uint64_t size) {
  ScanFile& file = list.files.emplace_back();
  file.size = size;
  file.device = true;
}

TEST(Jobs, OfOneFileAreOneBehindTheOtherToItsEnd) {
  FileList list;
  for (const std::uint64_t size : {0ULL, 1ULL, 16ULL << 20U, (16ULL << 20U) + 1, 300ULL << 20U}) {
    add_file(list, size);
    list.files.back().start = list.bytes;
    list.bytes += size;
  }
  const std::vector<ChunkerSpec> chunkers{{Kind::kFixed, 4096, 0}};
  std::uint64_t position = 0;
  std::size_t file = 0;
  bool begins = true;
  for (const Job& job : jobs_of(list, chunkers, 2)) {
    EXPECT_EQ(job.file, file);
    EXPECT_EQ(job.position, position);
    EXPECT_EQ(job.begin == 0, begins);
    EXPECT_EQ(job.last, job.end == list.files[file].size);
    position += job.end - job.begin;
    begins = job.last;
    file += job.last ? 1 : 0;
  }
  EXPECT_EQ(file, list.files.size());
  EXPECT_EQ(position, list.bytes);
}

TEST(Jobs, AFileIsCutOnlyWhereWorkersShareIt) {
  FileList list;
  add_file(list, 200U << 20U);
  const std::vector<ChunkerSpec> chunkers{{Kind::kFixed, 4096, 0}};
  EXPECT_EQ(jobs_of(list, chunkers, 2).size(), 13U);
  const std::vector<Job> whole = jobs_of(list, chunkers, 1);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].end, 200U << 20U);
}

TEST(Jobs, AFileWithContentDefinedChunksIsCutWherePartsAreJoined) {
  FileList list;
  add_file(list, (200U << 20U) + 1);
  add_file(list, 1000);
  std::vector<ChunkerSpec> chunkers{{Kind::kFixed, 4096, 0}, {Kind::kCdc, 8192, 0}};
  EXPECT_EQ(jobs_of(list, chunkers, 2).size(), 2U);
  const std::vector<Job> parts = jobs_of(list, chunkers, 2, true);
  ASSERT_EQ(parts.size(), 52U);
  EXPECT_EQ(parts[50].number, 50U);
  EXPECT_TRUE(parts[50].last);
  EXPECT_FALSE(parts[49].last);
  EXPECT_FALSE(parts[51].number) << "a small file is one job";
  chunkers.push_back({Kind::kFixed, 5000, 0});
  EXPECT_EQ(jobs_of(list, chunkers, 2, true).size(), 2U) << "a block would lie in two parts";
}

TEST(Jobs, AFileIsNotCutWhereEachWorkerHasEnoughOthers) {
  FileList list;
  list.bytes = 64U << 20U;
  for (int i = 0; i < 8; ++i) add_file(list, 8U << 20U);
  const std::vector<ChunkerSpec> chunkers{{Kind::kCdc, 8192, 0}};
  EXPECT_EQ(jobs_of(list, chunkers, 2, true).size(), 16U);
  list.bytes *= 2;
  for (int i = 0; i < 8; ++i) add_file(list, 8U << 20U);
  EXPECT_EQ(jobs_of(list, chunkers, 2, true).size(), 16U) << "an eighth of one worker's share";
}

TEST(Jobs, AFileThatCannotBeOpenedIsOneJob) {
  FileList list;
  list.files.emplace_back().size = 8ULL << 40U;
  list.files.back().path = "/nowhere/at/all";
  for (const ChunkerSpec& chunker : {ChunkerSpec{Kind::kFixed, 4096, 0}, ChunkerSpec{Kind::kCdc, 8192, 0}}) {
    const std::vector<Job> jobs = jobs_of(list, std::span(&chunker, 1), 2, true);
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(jobs[0].end, 8ULL << 40U);
    EXPECT_FALSE(jobs[0].number);
  }
}

TEST(Jobs, PartsAreJoinedOnlyWhereTheMemoryHoldsThem) {
  ScanRequest asked;
  asked.chunkers = {{Kind::kCdc, 8192, 0}};
  EXPECT_FALSE(joins_parts(asked)) << "one worker has no need";
  asked.threads = 2;
  EXPECT_TRUE(joins_parts(asked));
  asked.memory = Bytes{part_buffers(asked).count * 3 / 2 - 1};
  EXPECT_FALSE(joins_parts(asked));
  asked.memory = 256_MiB;
  asked.threads = 8;
  asked.chunkers = whole_curve();
  EXPECT_TRUE(joins_parts(asked)) << "the default";
}

}  // namespace
}  // namespace lab::scan
