// Emitted folders, and what several of them are together.
// SPDX-License-Identifier: Apache-2.0
#include "scan/emit.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <bit>

#include "scan/merge.hpp"
#include "scan/naive_count_test_support.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;
using Kind = ChunkerSpec::Kind;
using testing::HasSubstr;

class Emitting : public testing::Test {
 protected:
  /// A folder of files, of which some are in several ones; no block of 512 bytes is all zeros.
  fs::path write_files(const std::string& name, std::uint64_t first, std::uint64_t last) const {
    for (std::uint64_t number = first; number < last; ++number) {
      Random random(number);
      const fs::path path = folder_.path() / name / std::to_string(number);
      fs::create_directories(path.parent_path());
      EXPECT_TRUE(write_file_atomic(path, random_text(random, 3'000) + random_text(random, 5'000)));
    }
    return folder_.path() / name;
  }

  ScanRequest request(const fs::path& path, const std::string& emit = "") const {
    ScanRequest made;
    made.paths = {path};
    made.chunkers = {{Kind::kFixed, 512, 0}, {Kind::kCdc, 2048, 0}};
    made.temporary = folder_.path();
    if (!emit.empty()) made.emit = folder_.path() / emit;
    return made;
  }

  fs::path emitted(const ScanRequest& request) const {
    const auto report = scan(request, {}, {});
    EXPECT_TRUE(report) << report.error().text();
    return request.emit;
  }

  TemporaryFolder folder_{};
};

std::string refusal(const std::vector<fs::path>& folders) {
  const auto input = read_merge_input(folders);
  EXPECT_FALSE(input);
  if (input) return "";
  EXPECT_EQ(input.error().code, ErrorCode::kInvalidArgument);
  return input.error().detail;
}

/// What an engine would count: taken from a scan over all the files, of which no block is all zeros.
Counted counted_by(const ScanReport& report) {
  Counted all;
  for (const ChunkerReport& chunker : report.chunkers) {
    std::vector<CountedBucket>& rows = all.emplace_back();
    for (const HistogramRow& row : chunker.all.histogram) {
      CountedBucket& made = rows.emplace_back();
      made.bucket = static_cast<std::size_t>(std::bit_width(row.copies_to) - 1);
      made.counted = {row.distinct, row.chunks, row.bytes};
    }
    rows.front().unique_bytes = chunker.all.unique_bytes;
  }
  return all;
}

TEST_F(Emitting, ASumOfScansIsTheScanOfTheirFiles) {
  const fs::path one = write_files("all/one", 0, 9);
  const fs::path other = write_files("all/other", 6, 12);
  const auto both = scan(request(folder_.path() / "all"), {}, {});
  ASSERT_TRUE(both) << both.error().text();
  const auto input =
      read_merge_input(std::vector{emitted(request(one, "emit-one")), emitted(request(other, "emit-other"))});
  ASSERT_TRUE(input) << input.error().text();
  Counted counted = counted_by(*both);
  const auto merged = merged_report(*input, counted);
  ASSERT_TRUE(merged) << merged.error().text();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(merged->chunkers[i].all, both->chunkers[i].all);
    EXPECT_EQ(merged->chunkers[i].classes, both->chunkers[i].classes);
  }
  counted[1].front().counted.chunks += 1;
  const auto wrong = merged_report(*input, counted);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(wrong.error().detail, HasSubstr("cdc:2048, all files: counted"));
}

TEST_F(Emitting, TheRowsAreTheDistinctChunksOfEachClass) {
  ScanRequest asked = request(write_files("data", 0, 9), "emit");
  asked.classes = {"even", "odd"};
  asked.class_of = [](const fs::path& path) { return std::stoul(path.filename().string()) % 2; };
  fs::copy_file(folder_.path() / "data/2", folder_.path() / "data/20");
  fs::copy_file(folder_.path() / "data/2", folder_.path() / "data/21");
  const auto report = scan(asked, {}, {});
  ASSERT_TRUE(report) << report.error().text();
  const auto read = read_emitted(asked.emit);
  ASSERT_TRUE(read) << read.error().text();
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(read->chunkers[i].files.size(), 1U);
    const auto& classes = report->chunkers[i].classes;
    EXPECT_EQ(read->chunkers[i].files[0].rows, classes[0].unique_chunks + classes[1].unique_chunks);
  }
}

TEST_F(Emitting, AFileHasNoMoreRowsThanItMay) {
  const fs::path folder = folder_.path() / "emit";
  auto emitter = Emitter::begin(folder, FingerprintKind::kXxh3, 10);
  ASSERT_TRUE(emitter);
  (*emitter)->open({Kind::kFixed, 512, 0});
  const std::array<std::byte, 12> key{};
  const std::vector<std::uint64_t> copies{1};
  for (int i = 0; i < 25; ++i) ASSERT_TRUE((*emitter)->add(key, 512, copies));
  const auto files = (*emitter)->close();
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 3U);
  EXPECT_EQ((*files)[2].name, "fixed-512-at-0-00002.parquet");
  EXPECT_EQ((*files)[1].rows, 10U);
  EXPECT_EQ((*files)[2].rows, 5U);
  emitter->reset();
  EXPECT_FALSE(fs::exists(folder)) << "it was not finished";
}

TEST_F(Emitting, AScanThatIsStoppedLeavesNothing) {
  const fs::path data = write_files("data", 0, 9);
  std::stop_source source;
  const auto stop = [&](const ScanProgress& progress) {
    if (progress.counting) source.request_stop();
  };
  EXPECT_FALSE(scan(request(data, "emit"), stop, source.get_token()));
  EXPECT_FALSE(fs::exists(folder_.path() / "emit"));
  fs::create_directory(folder_.path() / "given");
  EXPECT_FALSE(scan(request(data, "given"), stop, source.get_token()));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "given"));
}

TEST_F(Emitting, AFolderThatIsNotEmptyIsRefusedAndLeftAsItIs) {
  const fs::path data = write_files("data", 0, 2);
  fs::create_directory(folder_.path() / "full");
  ASSERT_TRUE(write_file_atomic(folder_.path() / "full/note", "mine"));
  const auto refused = scan(request(data, "full"), {}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().detail, HasSubstr("is not empty"));
  EXPECT_EQ(*read_file(folder_.path() / "full/note"), "mine");
  EXPECT_FALSE(scan(request(data, "full/note"), {}, {}));
  EXPECT_FALSE(scan(request(data, "no/folder"), {}, {}));
}

TEST_F(Emitting, ItsBuffersArePartOfTheMemory) {
  const fs::path data = write_files("data", 0, 2);
  ScanRequest asked = request(data, "emit");
  asked.memory = 4_MiB;
  const auto refused = scan(asked, {}, {});
  ASSERT_FALSE(refused);
  const std::string& words = refused.error().detail;
  const std::size_t at = words.find("at least ");
  ASSERT_NE(at, std::string::npos) << words;
  asked.memory = *parse_bytes(words.substr(at + 9));
  EXPECT_TRUE(scan(asked, {}, {}));
}

TEST_F(Emitting, ScansThatDoNotFitTogetherAreRefusedWithWhatDiffers) {
  const fs::path data = write_files("data", 0, 3);
  const fs::path first = emitted(request(data, "first"));
  ScanRequest asked = request(data, "chunkers");
  asked.chunkers[0].size = 1024;
  EXPECT_THAT(refusal({first, emitted(asked)}),
              HasSubstr("have not the same chunkers: fixed:512, cdc:2048; fixed:1024, cdc:2048"));
  asked = request(data, "offsets");
  asked.chunkers[0].align = 64;
  EXPECT_THAT(refusal({first, emitted(asked)}), HasSubstr("fixed:512 at 64"));
  asked = request(data, "fingerprint");
  asked.fingerprint = FingerprintKind::kSha256;
  EXPECT_THAT(refusal({first, emitted(asked)}), HasSubstr("the same fingerprint: xxh3; sha256"));
  asked = request(data, "another fingerprint");
  asked.fingerprint = FingerprintKind::kBlake3;
  const fs::path blake3 = emitted(asked);
  EXPECT_THAT(refusal({first, blake3}), HasSubstr("the same fingerprint: xxh3; blake3"));
  EXPECT_TRUE(read_merge_input(std::vector{blake3}));
  asked = request(data, "classes");
  asked.classes = {"payload"};
  EXPECT_THAT(refusal({first, emitted(asked)}), HasSubstr("the same classes: all; payload"));
  EXPECT_THAT(refusal({first, first / "../first"}), HasSubstr("is named twice"));
  fs::copy(first, folder_.path() / "copy");
  EXPECT_THAT(refusal({first, folder_.path() / "copy"}), HasSubstr("hold the same scan"));
  EXPECT_TRUE(read_merge_input(std::vector{first, emitted(request(data, "second"))}));
}

TEST_F(Emitting, AFolderThatIsNotWholeIsRefused) {
  const fs::path first = emitted(request(write_files("data", 0, 3), "first"));
  const std::string name = "fixed-512-at-0-00000.parquet";
  const std::uintmax_t size = fs::file_size(first / name);
  fs::resize_file(first / name, size - 1);
  EXPECT_THAT(refusal({first}),
              HasSubstr(fmt::format("{} has {} bytes, scan.json says {}", name, size - 1, size)));
  fs::remove(first / name);
  EXPECT_THAT(refusal({first}), HasSubstr(name + ": No such file"));
  const std::string good = *read_file(first / "scan.json");
  for (const auto& [from, to, expected] : std::vector<std::array<std::string, 3>>{
           {"deduplab-scan-emit", "other", "key 'format' is 'other'"},
           {"\"version\": 1", "\"version\": 2", "its version is 2"},
           {"\"fingerprint\": \"xxh3\"", "\"fingerprint\": \"md5\"", "key 'fingerprint' is 'md5'"},
           {"\"zero_blocks\"", "\"zero_block\"", "key 'classes.zero_blocks'"},
           {"cdc:2048", "cdc:2047", "key 'chunkers.chunker'"},
           {"\"rows\": ", "\"rows\": -", "key 'files.rows' is out of range"},
           {"\"left_out\"", "\"left_in\"", "key 'left_out' is missing"},
           {"\"left_out\": []", R"("left_out": [{"path": "a"}])", "key 'left_out.reason'"},
           {"\"incomplete\": []", "\"incomplete\": {}", "key 'incomplete' must be an array"}}) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    ASSERT_TRUE(write_file_atomic(first / "scan.json", text.replace(text.find(from), from.size(), to)));
    EXPECT_THAT(refusal({first}), HasSubstr(expected));
  }
  ASSERT_TRUE(write_file_atomic(first / "scan.json", good.substr(0, good.size() / 2)));
  EXPECT_THAT(refusal({first}), HasSubstr("scan.json: it is not a JSON object"));
  fs::remove(first / "scan.json");
  EXPECT_THAT(refusal({first}), HasSubstr("no scan --emit has ended there"));
  EXPECT_THAT(refusal({first / "nowhere"}), HasSubstr("No such file"));
}

}  // namespace
}  // namespace lab::scan
