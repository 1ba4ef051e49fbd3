// The figures of a scan against a count of the chunks themselves.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <fstream>

#include "scan/scanning_test_support.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;
using Kind = ChunkerSpec::Kind;

bool zeros_only(const std::string& text) { return text.find_first_not_of('\0') == std::string::npos; }

/// All figures of `figures` are those of the chunks themselves.
void expect_figures(const ChunkFigures& figures, const std::vector<std::string>& files,
                    const ChunkerSpec& spec) {
  ChunkFigures want;
  std::map<std::uint64_t, HistogramRow> rows;
  for (const std::string& text : files) want.bytes += text.size();
  for (const auto& [chunk, copies] : naive_count(files, spec)) {
    want.chunks += copies;
    want.unique_chunks += 1;
    want.unique_bytes += chunk.size();
    if (zeros_only(chunk)) {
      want.zero_chunks += copies;
      want.zero_bytes += copies * chunk.size();
    }
    HistogramRow& row = rows[std::bit_ceil(copies)];
    row.distinct += 1;
    row.chunks += copies;
    row.bytes += copies * chunk.size();
  }
  EXPECT_EQ(figures.files, files.size());
  EXPECT_EQ(figures.bytes, want.bytes);
  EXPECT_EQ(figures.chunks, want.chunks);
  EXPECT_EQ(figures.unique_chunks, want.unique_chunks);
  EXPECT_EQ(figures.unique_bytes, want.unique_bytes);
  EXPECT_EQ(figures.zero_chunks, want.zero_chunks);
  EXPECT_EQ(figures.zero_bytes, want.zero_bytes);
  EXPECT_FALSE(figures.sampled);
  ASSERT_EQ(figures.histogram.size(), rows.size());
  std::size_t at = 0;
  for (const auto& [copies_to, row] : rows) {
    EXPECT_EQ(figures.histogram[at].copies_to, copies_to);
    EXPECT_EQ(figures.histogram[at].copies_from, copies_to / 2 + 1);
    EXPECT_EQ(figures.histogram[at].distinct, row.distinct);
    EXPECT_EQ(figures.histogram[at].chunks, row.chunks);
    EXPECT_EQ(figures.histogram[at].bytes, row.bytes);
    ++at;
  }
}

std::vector<ChunkerSpec> many_chunkers() {
  std::vector<ChunkerSpec> all = whole_curve();
  // Sizes that are no multiple of each other, and grids that begin elsewhere.
  for (const ChunkerSpec& more :
       {ChunkerSpec{Kind::kFixed, 1000, 0}, ChunkerSpec{Kind::kFixed, 5000, 0},
        ChunkerSpec{Kind::kFixed, 512, 1}, ChunkerSpec{Kind::kFixed, 4096, 512},
        ChunkerSpec{Kind::kFixed, 8192, 512}, ChunkerSpec{Kind::kFixed, 16384, 4097}})
    all.push_back(more);
  return all;
}

TEST_F(Scanning, EveryFigureIsThatOfANaiveCountForAllFilesAndForEachClass) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ASSERT_TRUE(remove_tree(data_));
    texts_.clear();
    std::vector<std::string> pool{std::string(70'000, 'a'), std::string("short")};
    for (int i = 0; i < 4; ++i) pool.push_back(random_text(random, 1 + random.below(30'000)));
    add("log/empty", "");
    add("log/aligned", random_text(random, 8192));
    add("log/again", texts_["log/aligned"] + "tail");
    for (int i = 0; i < 8; ++i)
      add(fmt::format("{}/{}", i % 2 == 0 ? "log" : "heap", i), mixed_content(random, pool), i % 3 == 0);
    ScanRequest asked = request(many_chunkers());
    asked.threads = static_cast<unsigned>(seed % 3 + 1);
    asked.fingerprint = std::array{FingerprintKind::kXxh3, FingerprintKind::kSha256,
                                   FingerprintKind::kBlake3}[(seed - 1) / 2];
    asked.verify = seed % 2 == 1;
    asked.classes = {"heap", "log"};
    asked.class_of = [](const fs::path& path) {
      return path.parent_path().filename() == "log" ? std::size_t{1} : std::size_t{0};
    };
    const auto report = run(asked);
    ASSERT_TRUE(report) << report.error().text();
    ASSERT_EQ(report->chunkers.size(), asked.chunkers.size());
    for (const ChunkerReport& chunker : report->chunkers) {
      SCOPED_TRACE(chunker_name(chunker.spec) + " at " + std::to_string(chunker.spec.align));
      expect_figures(chunker.all, contents(), chunker.spec);
      expect_figures(chunker.classes[0], contents("heap"), chunker.spec);
      expect_figures(chunker.classes[1], contents("log"), chunker.spec);
      ASSERT_EQ(chunker.verified.has_value(), asked.verify);
      EXPECT_EQ(chunker.verified.value_or(Comparison{}).collisions, 0U);
    }
  }
}

TEST_F(Scanning, AFileOfSeveralJobsHasTheSameFiguresForEachNumberOfThreads) {
  // Above 64 MiB a file becomes several jobs. It is mostly holes, so that this stays quick.
  const std::uint64_t size = (200ULL << 20U) + 1234;
  add("large", "");
  ASSERT_EQ(::truncate((data_ / "large").c_str(), static_cast<off_t>(size)), 0);
  const auto file = open_file(data_ / "large", O_WRONLY);
  Random random(1);
  const std::string block = random_text(random, 4096);
  constexpr std::uint64_t kMiB = 1ULL << 20U;
  for (const std::uint64_t at : {0 * kMiB, 64 * kMiB, 64 * kMiB - 4096, 130 * kMiB + 4096, size - 4096})
    ASSERT_EQ(::pwrite(file->get(), block.data(), block.size(), static_cast<off_t>(at)), 4096);
  for (const unsigned threads : {1U, 2U, 5U}) {
    SCOPED_TRACE(threads);
    ScanRequest asked = request({{Kind::kFixed, 4096, 0}, {Kind::kFixed, 1U << 20U, 0}});
    asked.threads = threads;
    asked.verify = threads != 2;  // Where a chunk lies is to be right in each job.
    const auto report = run(asked);
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->chunkers[0].verified.value_or(Comparison{}).collisions, 0U);
    const ChunkFigures& small = report->chunkers[0].all;
    EXPECT_EQ(small.files, 1U);
    EXPECT_EQ(small.bytes, size);
    EXPECT_EQ(small.chunks, size / 4096 + 1);
    // The block, zeros, and where the last copy straddles the grid: one whole block and the tail.
    EXPECT_EQ(small.unique_chunks, 4U);
    EXPECT_GT(small.hole_bytes, size - 100'000);
    EXPECT_EQ(report->chunkers[1].all.chunks, 201U);
    EXPECT_EQ(report->chunkers[1].all.unique_chunks, 6U);
  }
}

TEST_F(Scanning, AFileWhoseTimeIsPutBackAfterItWasWrittenToHasChanged) {
  add("a", std::string(8 << 20, 'a'));
  const auto time = fs::last_write_time(data_ / "a");
  const auto write = [&](const ScanProgress& progress) {
    if (progress.counting) return;
    std::fstream(data_ / "a", std::ios::in | std::ios::out) << "b";
    fs::last_write_time(data_ / "a", time);
  };
  const auto report = scan(request({{Kind::kFixed, 4096, 0}}), write, {});
  ASSERT_TRUE(report) << report.error().text();
  ASSERT_EQ(report->incomplete.size(), 1U);
  EXPECT_EQ(report->incomplete[0].reason, "it or its attributes were written to");
}

TEST_F(Scanning, AComparisonHoldsEachCopyAgainstTheFirstOne) {
  Random random(5);
  const std::string text = random_text(random, 64 << 10);
  add("a", text + text);
  add("b", text.substr(0, 10'000));
  ScanRequest asked = request({{Kind::kFixed, 4096, 0}, {Kind::kFixed, 16384, 0}, {Kind::kCdc, 512, 0}});
  asked.verify = true;
  const auto report = run(asked);
  ASSERT_TRUE(report) << report.error().text();
  for (const ChunkerReport& chunker : report->chunkers) {
    SCOPED_TRACE(chunker_name(chunker.spec));
    ASSERT_TRUE(chunker.verified);
    EXPECT_GT(chunker.verified->chunks, 0U);
    EXPECT_EQ(chunker.verified->chunks, chunker.all.chunks - chunker.all.unique_chunks);
    EXPECT_EQ(chunker.verified->collisions, 0U);
  }
}

TEST_F(Scanning, AFileThatChangesBeforeItIsComparedEndsTheScanWithItsNameAndNoFigure) {
  add("a", std::string(1 << 20, 'a'));
  add("alone", "no other file has this, so that nobody reads it again");
  ScanRequest asked = request({{Kind::kFixed, 4096, 0}});
  asked.verify = true;
  for (const std::string name : {"alone", "a"}) {
    const auto change = [&](const ScanProgress& progress) {
      if (!progress.counting) return;
      const auto file = open_file(data_ / name, O_WRONLY | O_APPEND);
      ASSERT_TRUE(write_all(*file, "more", data_ / name));
    };
    const auto report = scan(asked, change, {});
    EXPECT_EQ(report.has_value(), name == "alone");
    if (report) continue;
    EXPECT_EQ(report.error().code, ErrorCode::kIo);
    EXPECT_NE(report.error().detail.find("--verify: " + (data_ / "a").string() + ": its size changed"),
              std::string::npos)
        << report.error().detail;
  }
}

// As in /proc: the size says that there is nothing to read.
TEST_F(Scanning, AFileWithBytesButNoSizeIsListed) {
  add("a", "content");
  ScanRequest asked = request({{Kind::kFixed, 4096, 0}});
  asked.paths.emplace_back("/proc/version");
  const auto report = run(asked);
  ASSERT_TRUE(report) << report.error().text();
  ASSERT_EQ(report->incomplete.size(), 1U);
  EXPECT_EQ(report->incomplete.front().path, "/proc/version");
  EXPECT_EQ(report->chunkers.front().all.bytes, 7U);
}

// A file is read once for all comparisons: what the first pass has brought into the page cache stays there.
TEST_F(Scanning, WhatWillBeComparedStaysInThePageCache) {
  std::string bytes;
  for (int i = 0; i < 2048; ++i) bytes += std::string(512, static_cast<char>('a' + i % 7));
  add("a", bytes);
  const auto file = open_file(data_ / "a", O_RDONLY);
  ASSERT_TRUE(file);
  const auto resident = [&] { return pages_in_cache(file->get(), bytes.size()); };
  for (const bool verify : {true, false}) {
    ASSERT_EQ(::fsync(file->get()), 0);
    ASSERT_EQ(::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    if (resident() != 0) GTEST_SKIP() << "files of the temporary folder stay in memory";
    ScanRequest asked = request({{Kind::kFixed, 512, 0}});
    asked.verify = verify;
    ASSERT_TRUE(run(asked));
    EXPECT_EQ(resident(), verify ? static_cast<std::ptrdiff_t>(bytes.size() / 4096) : 0);
  }
}

TEST_F(Scanning, NothingToScanNamesWhatWasLeftOut) {
  add("empty", "");
  fs::create_symlink("nowhere", data_ / "link");
  const auto report = run(request({{Kind::kFixed, 4096, 0}}));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().detail.find((data_ / "link").string()), std::string::npos)
      << report.error().detail;
}

TEST_F(Scanning, AHardLinkedFileCountsOnceAndWhatIsLeftOutIsNamedWithItsReason) {
  add("a", "content");
  fs::create_hard_link(data_ / "a", data_ / "b");
  fs::create_symlink("a", data_ / "link");
  ASSERT_EQ(::mkfifo((data_ / "pipe").c_str(), 0600), 0);
  const FileHandle socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (data_ / "socket").string();
  ASSERT_LT(name.size(), sizeof address.sun_path);
  std::copy(name.begin(), name.end(), static_cast<char*>(address.sun_path));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto report = run(request({{Kind::kFixed, 4096, 0}}));
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->chunkers[0].all.files, 1U);
  EXPECT_EQ(report->chunkers[0].all.bytes, 7U);
  EXPECT_EQ(report->left_out,
            (std::vector<PathNote>{{(data_ / "b").string(), "another name of a file that is counted"},
                                   {(data_ / "link").string(), "a symbolic link"},
                                   {(data_ / "pipe").string(), "a pipe"},
                                   {(data_ / "socket").string(), "a socket"}}));
}

TEST_F(Scanning, APathThatIsGivenMayBeALinkAndCountsOnceHoweverOftenItIsGiven) {
  add("a", "content");
  fs::create_directory_symlink(data_, folder_.path() / "link");
  ScanRequest asked = request({{Kind::kFixed, 4096, 0}});
  asked.paths = {folder_.path() / "link", data_ / "a"};
  const auto report = run(asked);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->chunkers[0].all.files, 1U);
  ASSERT_EQ(report->left_out.size(), 1U);
  EXPECT_EQ(report->left_out[0].path, (data_ / "a").string());
}

TEST_F(Scanning, AFileThatChangesWhileItIsReadIsCountedAsReadAndNamed) {
  add("a", std::string(3 << 20, 'a'));
  const auto grow = [&](const ScanProgress&) {
    const auto file = open_file(data_ / "a", O_WRONLY | O_APPEND);
    ASSERT_TRUE(write_all(*file, "more", data_ / "a"));
  };
  const auto report = scan(request({{Kind::kFixed, 4096, 0}}), grow, {});
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->chunkers[0].all.bytes, std::uint64_t{3 << 20});
  ASSERT_EQ(report->incomplete.size(), 1U);
  EXPECT_NE(report->incomplete[0].reason.find("its size changed from 3145728 to"), std::string::npos);
}

TEST_F(Scanning, AFileThatIsCutShortIsCountedAsFarAsItWasRead) {
  add("a", std::string(3 << 20, 'a'));
  const auto cut = [&](const ScanProgress&) { fs::resize_file(data_ / "a", 1 << 20); };
  const auto report = scan(request({{Kind::kFixed, 4096, 0}}), cut, {});
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->chunkers[0].all.bytes, std::uint64_t{1 << 20});
  ASSERT_EQ(report->incomplete.size(), 1U);
}

TEST_F(Scanning, AFileThatCannotBeOpenedIsLeftOutWithTheReasonAndNoFigureHoldsIt) {
  add("a", "content");
  add("gone", "is counted by no figure");
  add("pipe", "is none when it is listed");
  ScanRequest asked = request({{Kind::kFixed, 4096, 0}});
  // Called when a file is listed, so that what follows happens between that and its reading.
  asked.class_of = [](const fs::path& path) {
    if (path.filename() == "a") return std::size_t{0};
    fs::remove(path);
    const bool made = path.filename() != "pipe" || ::mkfifo(path.c_str(), 0600) == 0;
    EXPECT_TRUE(made);
    return std::size_t{0};
  };
  const auto report = run(asked);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->chunkers[0].all.files, 1U);
  EXPECT_EQ(report->chunkers[0].all.bytes, 7U);
  EXPECT_EQ(report->left_out,
            (std::vector<PathNote>{{(data_ / "gone").string(), "No such file or directory"},
                                   {(data_ / "pipe").string(), "it is another kind of file now"}}));
  EXPECT_TRUE(report->incomplete.empty());
}

TEST_F(Scanning, OfNothingIsAnError) {
  fs::create_directories(data_);
  const auto nothing = run(request({{Kind::kFixed, 4096, 0}}));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(nothing.error().detail.find("nothing to scan"), std::string::npos);
  add("empty", "");
  EXPECT_FALSE(run(request({{Kind::kFixed, 4096, 0}})));
  ScanRequest missing = request({{Kind::kFixed, 4096, 0}});
  missing.paths = {data_ / "missing"};
  EXPECT_EQ(run(missing).error().code, ErrorCode::kNotFound);
  missing.paths = {"/dev/null"};
  EXPECT_EQ(run(missing).error().code, ErrorCode::kInvalidArgument);
  missing.paths = {"/proc/self/status"};
  EXPECT_NE(run(missing).error().detail.find("/proc/self/status: it has bytes, although"), std::string::npos);
}

TEST_F(Scanning, StopsWhenAsked) {
  add("a", std::string(3 << 20, 'a'));
  std::stop_source source;
  const auto stop = [&](const ScanProgress&) { source.request_stop(); };
  const auto report = scan(request({{Kind::kFixed, 4096, 0}}), stop, source.get_token());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
}

TEST_F(Scanning, SaysHowMuchMemoryItNeedsWhereItIsGivenTooLittle) {
  add("a", "content");
  ScanRequest asked = request(whole_curve());
  asked.threads = 4;
  asked.memory = 1_MiB;
  const auto refused = run(asked);
  ASSERT_FALSE(refused);
  const std::string& words = refused.error().detail;
  const std::size_t at = words.find("at least ");
  ASSERT_NE(at, std::string::npos) << words;
  asked.memory = *parse_bytes(words.substr(at + 9));
  EXPECT_TRUE(run(asked));
}

}  // namespace
}  // namespace lab::scan
