// What a run leaves is its owner's alone, and none of it is a password.
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <fstream>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

class Secrets : public ProgramTest {
 protected:
  std::string out() const { return (root_ / "out").string(); }
};

unsigned mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777U;
}

TEST_F(Secrets, TheRunDirectoryIsItsOwnersAlone) {
  const std::string plan = small_plan().string();
  for (const bool was_there : {false, true}) {
    SCOPED_TRACE(was_there);
    fs::remove_all(out());
    if (was_there) {
      ASSERT_EQ(::mkdir(out().c_str(), 0755), 0);
    }
    // Half-way, so that what only a run has is there too; its data only where a cell had begun by then.
    const Ended ended = run({"run", plan, "--out", out(), "--no-progress", "--stop-after", "1ms"});
    EXPECT_EQ(ended.exit_code, 6) << ended.err;
    EXPECT_EQ(mode_of(out()), 0700U);
    for (const char* name : {"journal.db", "log.jsonl", "plan.toml", "environment.json"})
      EXPECT_EQ(mode_of(fs::path(out()) / name) & 077U, 0U) << name;
    if (const fs::path data = fs::path(out()) / "data"; fs::exists(data)) {
      EXPECT_EQ(mode_of(data) & 077U, 0U);
    }
  }
}

/// The test's own program shows that the machine would make one.
TEST_F(Secrets, AProgramThatCrashesLeavesNoCoreDump) {
  const auto dumped = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"sh", "-c", "ulimit -c unlimited; cd \"$0\"; \"$@\"; true", root_.string()});
    Program shell(arguments, scratch_, {{"ASAN_OPTIONS", "disable_coredump=0"}});
    shell.wait();
    for (const auto& entry : fs::directory_iterator(root_))
      if (entry.path().filename().string().starts_with("core")) return true;
    return false;
  };
  small_plan();
  std::ofstream(root_ / "crash") << "#!/bin/sh\nkill -ABRT $PPID\n";
  fs::permissions(root_ / "crash", fs::perms::owner_all);
  write("crash.toml", tree_of(root_)["small.toml"] + "[hooks]\nafter_operations = [\"" +
                          (root_ / "crash").string() + "\"]\n");
  EXPECT_FALSE(
      dumped({LAB_PROGRAM_PATH, "run", (root_ / "crash.toml").string(), "--out", out(), "--no-progress"}));
  EXPECT_TRUE(fs::exists(root_ / "out" / "journal.db")) << "it did not come so far as to be ended";
  if (!dumped({"sh", "-c", "kill -ABRT $$"})) GTEST_SKIP() << "the kernel writes no core file into a folder";
}

}  // namespace
}  // namespace lab::e2e
