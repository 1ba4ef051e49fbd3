// Streams: every byte in its format, as other tools read it, and no end where they are not whole.
// SPDX-License-Identifier: Apache-2.0
#include "payload/stream_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "core/files.hpp"
#include "core/process.hpp"
#include "payload/payload_test_support.hpp"
#include "payload/tar.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// The bytes of the whole stream.
std::string streamed(const Dataset& dataset, StreamFormat format, const GenerateAudit* audit = nullptr) {
  const TemporaryFolder folder;
  const auto file = open_file(folder.path() / "stream", O_WRONLY | O_CREAT);
  EXPECT_TRUE(file);
  const auto summary = generate_stream(dataset, {file->get(), format, folder.path()}, {}, {}, audit);
  EXPECT_TRUE(summary) << summary.error().text();
  return text_in(folder.path() / "stream");
}

DatasetSpec various(std::uint64_t objects) {
  DatasetSpec spec = spec_of("text_document", objects, 50, {});
  spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{500}, .high = Bytes{1'600}};
  return spec;
}

TEST(GenerateStream, FramesEachPayloadWithItsLength) {
  const auto dataset = made(various(40));
  const std::string stream = streamed(*dataset, StreamFormat::kFramed);
  std::size_t at = 0;
  for (std::uint64_t number = 0; number < 40; ++number) {
    const std::string expected = text_of(*dataset, dataset->facts(number).content);
    ASSERT_LE(at + 8, stream.size());
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) length = length << 8U | static_cast<unsigned char>(stream[at + i]);
    ASSERT_EQ(length, expected.size());
    ASSERT_EQ(stream.substr(at + 8, length), expected);
    at += 8 + length;
  }
  EXPECT_EQ(at, stream.size());
}

TEST(GenerateStream, IsATarThatUnpacksToWhatADirectoryHolds) {
  const auto dataset = made(various(60));
  const TemporaryFolder folder;
  folder.write("data.tar", streamed(*dataset, StreamFormat::kTar));
  fs::create_directory(folder.path() / "unpacked");
  const auto ended = run_command({}, {.argv = {"tar", "-xf", (folder.path() / "data.tar").string(), "-C",
                                               (folder.path() / "unpacked").string()}});
  ASSERT_TRUE(ended) << ended.error().text();
  ASSERT_EQ(ended->exit_code, 0) << ended->output;
  EXPECT_EQ(ended->output, "") << "no warning";
  ASSERT_TRUE(generate_directory(*dataset, folder.path() / "written", {}, {}));
  const auto same = run_command({}, {.argv = {"diff", "-r", (folder.path() / "unpacked").string(),
                                              (folder.path() / "written").string()}});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->exit_code, 0) << same->output;
  EXPECT_EQ(text_in(folder.path() / "unpacked/objects/59"), text_of(*dataset, dataset->facts(59).content));
}

TEST(GenerateStream, IsTheSameTarTwiceAndItsManifestEndsWithTheAudit) {
  const auto dataset = made(various(10));
  EXPECT_EQ(streamed(*dataset, StreamFormat::kTar), streamed(*dataset, StreamFormat::kTar));
  int objects = 0;
  GenerateAudit audit;
  audit.object = [&](const ObjectFacts&, std::span<const std::byte>, const Digest&) {
    ++objects;
    return ok();
  };
  audit.last_line = [] { return Result<std::string>(R"({"audit":[]})"); };
  const std::string stream = streamed(*dataset, StreamFormat::kTar, &audit);
  EXPECT_EQ(objects, 10);
  EXPECT_NE(stream.find("}\n{\"audit\":[]}\n"), std::string::npos);
}

TEST(GenerateStream, HasNoEndOfTarWhereTheAuditFails) {
  const auto dataset = made(various(10));
  const TemporaryFolder folder;
  const auto file = open_file(folder.path() / "stream", O_WRONLY | O_CREAT);
  GenerateAudit audit;
  audit.object = [](const ObjectFacts&, std::span<const std::byte>, const Digest&) { return ok(); };
  audit.last_line = [] { return Result<std::string>(Error{ErrorCode::kCorruption, "audit", "unlike"}); };
  const auto failed =
      generate_stream(*dataset, {file->get(), StreamFormat::kTar, folder.path()}, {}, {}, &audit);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "unlike");
  EXPECT_FALSE(text_in(folder.path() / "stream").ends_with(tar_end()));
}

TEST(Tar, WritesSizesThatOctalDigitsCannotHoldAsABinaryNumber) {
  const std::string small = tar_header("x", (1ULL << 33U) - 1);
  EXPECT_EQ(small.substr(124, 11), "77777777777");
  const std::string large = tar_header("x", 1ULL << 33U);
  EXPECT_EQ(large.substr(124, 12), std::string("\x80\0\0\0\0\0\0\x02\0\0\0\0", 12));
}

TEST(StreamFormats, AreNamedWithTheNearestWord) {
  EXPECT_EQ(*parse_stream_format("tar"), StreamFormat::kTar);
  EXPECT_EQ(*parse_stream_format("framed"), StreamFormat::kFramed);
  EXPECT_EQ(*parse_stream_format("raw"), StreamFormat::kRaw);
  EXPECT_NE(parse_stream_format("frame").error().detail.find("did you mean 'framed'?"), std::string::npos);
}

TEST(GenerateStream, WritesThePayloadsOneAfterTheOther) {
  const TemporaryFolder folder;
  const auto dataset = made(spec_of("structured_json", 30, 50, Bytes{999}));
  const auto file = open_file(folder.path() / "stream", O_WRONLY | O_CREAT);
  ASSERT_TRUE(file);
  const auto summary = generate_stream(*dataset, {file->get()}, {}, {});
  ASSERT_TRUE(summary) << summary.error().text();
  EXPECT_EQ(summary->logical, Bytes{30 * 999});
  EXPECT_EQ(summary->unique, Bytes{15 * 999});
  std::string expected;
  for (std::uint64_t number = 0; number < 30; ++number)
    expected += text_of(*dataset, dataset->facts(number).content);
  EXPECT_EQ(text_in(folder.path() / "stream"), expected);
}

class PipeTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    reader_ = FileHandle(ends[0]);
    writer_ = FileHandle(ends[1]);
  }
  FileHandle reader_{};
  FileHandle writer_{};
  std::shared_ptr<const Dataset> dataset_ = made(spec_of("random_binary", 10, 0, Bytes{100'003}));
};

using GenerateStreamToAPipe = PipeTest;

TEST_F(GenerateStreamToAPipe, DeliversEveryByte) {
  Sha256 hash;
  std::jthread reading([&] {
    std::vector<std::byte> buffer(10'000);
    for (ssize_t got = 0; (got = ::read(reader_.get(), buffer.data(), buffer.size())) > 0;)
      hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
  });
  const auto summary = generate_stream(*dataset_, {writer_.get()}, {}, {});
  writer_.reset();
  reading.join();
  ASSERT_TRUE(summary) << summary.error().text();
  Sha256 expected;
  for (std::uint64_t number = 0; number < 10; ++number) expected.update(bytes_of(*dataset_, number));
  EXPECT_EQ(hash.digest(), expected.digest());
}

TEST_F(GenerateStreamToAPipe, DoesNotHangOnAReaderThatDoesNotRead) {
  const auto late = generate_stream(*dataset_, {writer_.get()}, {Clock::now() + 50ms, {}}, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
}

TEST_F(GenerateStreamToAPipe, FailsWhenTheReaderIsGone) {
  reader_.reset();
  const auto failed = generate_stream(*dataset_, {writer_.get()}, {}, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace lab
