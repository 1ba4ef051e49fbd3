// Generated directories: complete and true, or not there at all.
// SPDX-License-Identifier: Apache-2.0
#include "payload/manifest.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "core/files.hpp"
#include "core/text.hpp"
#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::vector<nlohmann::json> manifest_of(const fs::path& directory) {
  std::vector<nlohmann::json> lines;
  for (const std::string& line : split(text_in(directory / "manifest.jsonl"), '\n'))
    if (!line.empty()) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename().string());
  return names;
}

TEST(ManifestLine, HasItsKeysInOrderAndNullForAnOriginal) {
  ObjectFacts facts{.number = 12, .content = 3};
  facts.id.fill(std::byte{0xAB});
  const Digest digest = sha256("x");
  const std::string head =
      R"({"number":12,"id":"abababab-abab-abab-abab-abababababab","mime":"text/plain","size":5,)";
  EXPECT_EQ(manifest_line(facts, "text/plain", Bytes{5}, digest),
            head + R"("sha256":")" + to_hex(digest) + R"(","copy_of":null})");
  facts.copy_of = 4;
  EXPECT_EQ(manifest_line(facts, "text/plain", Bytes{5}, digest),
            head + R"("sha256":")" + to_hex(digest) + R"(","copy_of":4})");
}

TEST(GenerateDirectory, WritesEveryObjectAndAManifestThatIsTrue) {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "new" / "deep";
  DatasetSpec spec = spec_of("text_document", 120, 75, {});
  spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{50}, .high = Bytes{5'000}};
  const auto dataset = made(spec);
  std::uint64_t reported = 0;
  const auto summary =
      generate_directory(*dataset, target, {}, [&](std::uint64_t objects, Bytes) { reported = objects; });
  ASSERT_TRUE(summary) << summary.error().text();
  EXPECT_EQ(reported, 120U);
  EXPECT_EQ(names_in(target), (std::set<std::string>{"manifest.jsonl", "objects"}));
  EXPECT_EQ(names_in(target / "objects").size(), 120U);

  const auto lines = manifest_of(target);
  ASSERT_EQ(lines.size(), 120U);
  Bytes logical;
  Bytes unique;
  std::uint64_t distinct = 0;
  for (std::uint64_t number = 0; number < 120; ++number) {
    const nlohmann::json& line = lines[number];
    EXPECT_EQ(line.size(), 6U);
    ASSERT_EQ(line.at("number"), number);
    const std::string bytes = text_in(target / "objects" / std::to_string(number));
    EXPECT_EQ(line.at("size"), bytes.size());
    EXPECT_EQ(line.at("sha256"), to_hex(sha256(bytes)));
    EXPECT_EQ(line.at("id"), format_uuid(dataset->facts(number).id));
    EXPECT_EQ(line.at("mime"), "text/plain; charset=utf-8");
    logical += Bytes{std::ssize(bytes)};
    if (line.at("copy_of").is_null()) {
      unique += Bytes{std::ssize(bytes)};
      ++distinct;
    } else {
      EXPECT_EQ(lines[line.at("copy_of").get<std::uint64_t>()].at("sha256"), line.at("sha256"));
    }
  }
  EXPECT_EQ(summary->objects, 120U);
  EXPECT_EQ(summary->distinct, distinct);
  EXPECT_EQ(distinct, 30U);
  EXPECT_EQ(summary->logical, logical);
  EXPECT_EQ(summary->unique, unique);
}

TEST(GenerateDirectory, ShowsTheAuditEachObjectAndEndsTheManifestWithItsLine) {
  const TemporaryFolder folder;
  const auto dataset = made(spec_of("random_binary", 20, 50, Bytes{100}));
  std::vector<bool> originals;
  GenerateAudit audit;
  audit.object = [&](const ObjectFacts& facts, std::span<const std::byte> payload, const Digest& digest) {
    EXPECT_EQ(payload.size(), 100U);
    EXPECT_EQ(digest, sha256(payload));
    originals.push_back(!facts.copy_of.has_value());
    return ok();
  };
  audit.last_line = [] { return Result<std::string>(R"({"audit":[]})"); };
  ASSERT_TRUE(generate_directory(*dataset, folder.path() / "new", {}, {}, &audit));
  EXPECT_EQ(originals.size(), 20U);
  EXPECT_EQ(std::ranges::count(originals, true), 10);
  const auto lines = manifest_of(folder.path() / "new");
  ASSERT_EQ(lines.size(), 21U);
  EXPECT_EQ(lines.back().dump(), R"({"audit":[]})");
}

TEST(GenerateDirectory, LeavesNothingBehindWhenTheAuditFails) {
  const TemporaryFolder folder;
  const auto dataset = made(spec_of("random_binary", 20, 50, Bytes{100}));
  GenerateAudit audit;
  audit.object = [](const ObjectFacts&, std::span<const std::byte>, const Digest&) { return ok(); };
  audit.last_line = [] { return Result<std::string>(Error{ErrorCode::kCorruption, "audit", "unlike"}); };
  const auto refused = generate_directory(*dataset, folder.path() / "new", {}, {}, &audit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "unlike");
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(GenerateDirectory, IsTheSameTwiceAndTakesAnEmptyFolder) {
  const TemporaryFolder folder;
  const auto dataset = made(spec_of("random_binary", 20, 50, Bytes{100}));
  fs::create_directory(folder.path() / "empty");
  for (const char* name : {"empty", "new/"})
    ASSERT_TRUE(generate_directory(*dataset, folder.path() / name, {}, {}));
  EXPECT_EQ(text_in(folder.path() / "empty/manifest.jsonl"), text_in(folder.path() / "new/manifest.jsonl"));
  EXPECT_EQ(text_in(folder.path() / "empty/objects/7"), text_in(folder.path() / "new/objects/7"));
}

TEST(GenerateDirectory, RefusesWhatIsNotEmptyAndLeavesItAlone) {
  const TemporaryFolder folder;
  folder.write("mine/note.txt", "keep");
  const auto dataset = made(spec_of("random_binary", 5, 0, Bytes{100}));
  for (const char* name : {"mine", "mine/note.txt"}) {
    SCOPED_TRACE(name);
    const auto refused = generate_directory(*dataset, folder.path() / name, {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_NE(refused.error().detail.find(name), std::string::npos) << refused.error().detail;
  }
  EXPECT_EQ(names_in(folder.path() / "mine"), std::set<std::string>{"note.txt"});
  EXPECT_EQ(text_in(folder.path() / "mine/note.txt"), "keep");
}

TEST(GenerateDirectory, LeavesNothingBehindAfterAStop) {
  const TemporaryFolder folder;
  const auto dataset =
      made(spec_of("random_binary", 2'000'000, 0, Bytes{64}));  // More than can be written soon.
  fs::create_directory(folder.path() / "was-there");
  std::stop_source stop;
  for (const char* name : {"was-there", "new/deep/er"}) {
    stop = {};
    const auto stopped =
        generate_directory(*dataset, folder.path() / name, {Clock::time_point::max(), stop.get_token()},
                           [&](std::uint64_t objects, Bytes) {
                             EXPECT_GT(objects, 0U);
                             stop.request_stop();
                           });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"was-there"});
  EXPECT_TRUE(names_in(folder.path() / "was-there").empty());
}

TEST(GenerateDirectory, LeavesNothingBehindAtTheDeadlineAndWhenASourceFileChanged) {
  const TemporaryFolder folder;
  for (int i = 0; i < 5; ++i) folder.write("source/" + std::to_string(i), std::to_string(i));
  const auto dataset = made(spec_of("directory:" + (folder.path() / "source").string(), 5, 0, {}));
  const auto late = generate_directory(*dataset, folder.path() / "new", {Clock::now() - 1s, {}}, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  folder.write("source/3", "changed");
  const auto changed = generate_directory(*dataset, folder.path() / "new", {}, {});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kCorruption);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"source"});
}

/// A limit on file sizes stands for a full disk: a write fails half-way (EFBIG).
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    LAB_CHECK(::getrlimit(RLIMIT_FSIZE, &before_) == 0, "the limit can be read");
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    LAB_CHECK(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "a soft limit can be lowered");
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t handler_;
};

TEST(GenerateDirectory, LeavesNothingBehindWhenAWriteFails) {
  const TemporaryFolder folder;
  DatasetSpec spec = spec_of("random_binary", 50, 0, {});
  spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{1'000}, .high = Bytes{5'000}};
  const auto dataset = made(spec);
  auto failed = [&] {
    const FileSizeLimit limit(4'096);  // Some objects fit, then one does not.
    return generate_directory(*dataset, folder.path() / "new", {}, {});
  }();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  EXPECT_NE(failed.error().detail.find("objects/"), std::string::npos) << failed.error().detail;
  EXPECT_TRUE(names_in(folder.path()).empty());
}

}  // namespace
}  // namespace lab
