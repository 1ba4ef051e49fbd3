// A full or failing disk: the cell is invalid, the journal stays readable, nothing is invented.
// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>
#include <sys/resource.h>
#include <cerrno>
#include <cstring>

#include <nlohmann/json.hpp>

#include "../e2e/program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

class FullDisk : public ProgramTest {
 protected:
  void TearDown() override {
    for (const std::string& mount : mounts_) ::umount2(mount.c_str(), MNT_DETACH);
    ProgramTest::TearDown();
  }

  /// A file system of its own with so much room; skips where this user may not mount one.
  std::string small_disk(const std::string& name, const std::string& size) {
    std::string where = (root_ / name).string();
    fs::create_directories(where);
    if (::mount("tmpfs", where.c_str(), "tmpfs", 0, ("size=" + size + ",mode=0700").c_str()) != 0) {
      reason_ = std::string("needs the right to mount a tmpfs: ") + ::strerror(errno);
      return "";
    }
    mounts_.push_back(where);
    return where;
  }

  std::vector<std::string> mounts_{};
  std::string reason_{};
};

TEST_F(FullDisk, OfTheSystemIsSaidBeforeTheFirstWrite) {
  const std::string disk = small_disk("disk", "200k");
  if (disk.empty()) GTEST_SKIP() << reason_;
  const auto plan = small_plan().string();
  auto text = tree_of(root_)["small.toml"];
  text.replace(text.find("[systems.files]\n"), 16, "[systems.files]\npath = \"" + disk + "/lab\"\n");
  write("small.toml", text);
  const std::string out = (root_ / "out").string();
  // The preflight says so before the first write.
  const Ended refused = run({"run", plan, "--out", out});
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_NE(refused.err.find("files disk"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(FullDisk, ThatFillsDuringTheRunInvalidatesTheStageAndNothingElse) {
  const std::string disk = small_disk("disk", "2m");
  if (disk.empty()) GTEST_SKIP() << reason_;
  const auto plan = small_plan().string();
  auto text = tree_of(root_)["small.toml"];
  text.replace(text.find("[systems.files]\n"), 16, "[systems.files]\npath = \"" + disk + "/lab\"\n");
  write("small.toml", text);
  write("disk/ballast",
        std::string(1'850'000, 'x'));  // Another tenant; the plan's need is judged by the free space
  const std::string out = (root_ / "out").string();
  const Ended early = run({"run", plan, "--out", out});
  ASSERT_EQ(early.exit_code, 3) << early.err;  // before: so the tenant comes after the preflight.
  fs::remove(fs::path(disk) / "ballast");
  ASSERT_EQ(run({"run", plan, "--out", out, "--stop-after", "0ms"}).exit_code, 6);
  write("disk/ballast", std::string(1'850'000, 'x'));
  const Ended ended = run({"resume", out});
  EXPECT_EQ(ended.exit_code, 1) << ended.err;
  const auto results = nlohmann::json::parse(tree_of(out)["results.json"], nullptr, false);
  ASSERT_TRUE(results.is_object());
  std::size_t full = 0;
  for (const auto& stage : results["stages"]) {
    if (stage["superseded"].get<bool>() || stage["system"] != "files") continue;
    if (stage["valid"].get<bool>()) continue;
    EXPECT_FALSE(stage["reason"].get<std::string>().empty());
    EXPECT_TRUE(!stage.contains("edr") || stage["edr"].empty());
    full += stage["reason"].get<std::string>().find("No space left") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(full, 0U);
  for (const auto& stage : results["stages"])
    EXPECT_TRUE(stage["system"] != "cas" || stage["superseded"].get<bool>() || stage["valid"].get<bool>() ||
                stage["reason"].get<std::string>().starts_with("unsupported: "))
        << stage["reason"];
  fs::remove(fs::path(disk) / "ballast");  // Space comes back, and the run becomes whole.
  EXPECT_EQ(run({"resume", out}).exit_code, 0);
}

TEST_F(FullDisk, WhereAllWasTakenButNoRoomIsLeftForBackgroundWorkMakesItInvalid) {
  const std::string disk = small_disk("disk", "4m");
  if (disk.empty()) GTEST_SKIP() << reason_;
  // Leaves less than the 320 KiB of a cell, but enough for the next one in the place of the last.
  const std::string fill = "rm -f " + disk + "/ballast; head -c $(($(df --output=avail -B1 " + disk +
                           " | tail -n 1) - 262144)) /dev/zero > " + disk + "/ballast";
  small_plan(1, "[hooks]\nafter_operations = [\"sh\", \"-c\", \"" + fill + "\"]\n");
  auto text = tree_of(root_)["small.toml"];
  text.replace(text.find("[systems.files]\n"), 16, "[systems.files]\npath = \"" + disk + "/lab\"\n");
  const std::string out = (root_ / "out").string();
  EXPECT_EQ(run({"run", write("small.toml", text).string(), "--out", out}).exit_code, 1);
  const auto results = nlohmann::json::parse(tree_of(out)["results.json"], nullptr, false);
  ASSERT_TRUE(results.is_object());
  std::size_t full = 0;
  for (const auto& stage : results["stages"]) {
    if (stage["system"] != "files" || stage["reason"].get<std::string>().starts_with("unsupported: "))
      continue;
    EXPECT_FALSE(stage["valid"].get<bool>()) << stage["stage"];
    EXPECT_NE(stage["reason"].get<std::string>().find("the size would be that of a full disk"),
              std::string::npos)
        << stage["reason"];
    EXPECT_NE(stage["reason"].get<std::string>().find("(RESOURCE_EXHAUSTED)"), std::string::npos);
    ++full;
  }
  EXPECT_GE(full, 4U) << "bulk_insert and what is behind perfile_insert, of two grades";
}

TEST_F(FullDisk, OfTheRunDirectoryEndsWithFourAndTheJournalStaysReadable) {
  const std::string disk = small_disk("disk", "80m");
  if (disk.empty()) GTEST_SKIP() << reason_;
  const auto plan = small_plan(6).string();
  const std::string out = disk + "/out";
  ASSERT_EQ(run({"run", plan, "--out", out, "--stop-after", "300ms"}).exit_code, 6);
  const auto kept = figures_of(out);
  const std::string ballast = disk + "/ballast";
  {
    // All but a few pages: the journal runs full in the middle of a cell.
    const auto space = fs::space(disk);
    std::string block(1 << 16, 'x');
    FILE* const file = std::fopen(ballast.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    for (std::uintmax_t left = space.available - 96 * 1024; left > block.size(); left -= block.size())
      std::fwrite(block.data(), 1, block.size(), file);
    std::fclose(file);
  }
  const Ended ended = run({"resume", out});
  EXPECT_TRUE(ended.exit_code == 4 || ended.exit_code == 1) << ended.exit_code << ended.err;
  EXPECT_NE(ended.exit_code, 0);
  EXPECT_EQ(run({"status", out}).exit_code, 0);
  fs::remove(ballast);
  EXPECT_EQ(run({"resume", out}).exit_code, 0);
  const Figures now = figures_of(out);
  for (const auto& [key, value] : kept) EXPECT_EQ(difference_of({{key, value}}, {{key, now.at(key)}}), "");
  EXPECT_EQ(now.size(), 2U * 2 * 6 * 5);
}

TEST_F(FullDisk, AFileThatMayNotGrowAnyMoreEndsWithACodeAndNotWithASignal) {
  const auto plan = small_plan(6).string();
  const std::string whole = (root_ / "whole").string();
  const std::string out = (root_ / "out").string();
  ASSERT_EQ(run({"run", plan, "--out", whole}).exit_code, 0);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const rlim_t most : {rlim_t{200U << 10U}, rlim_t{300U << 10U}}) {
    const struct rlimit small{most, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    fs::remove_all(out);
    const Ended ended = run({"run", plan, "--out", out});
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_TRUE(ended.exit_code == 4 || ended.exit_code == 1) << ended.exit_code << ended.err;
    EXPECT_NE(ended.err.find("File too large"), std::string::npos) << ended.err;
    EXPECT_EQ(run({"resume", out}).exit_code, 0);
    EXPECT_EQ(difference_of(figures_of(whole), figures_of(out)), "");
  }
}

}  // namespace
}  // namespace lab::e2e
