// Probes that ask a tool: what it prints, and what is said when it is not there.
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstdlib>

#include "probe/testing/probe_fixture.hpp"
#include "probe/tool.hpp"
#include "probe/vdo_probe.hpp"
#include "probe/zfs_probe.hpp"

namespace lab {
namespace {

class ToolProbes : public ProbeFixture {
 protected:
  void SetUp() override {
    ProbeFixture::SetUp();
    path_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    ProbeFixture::TearDown();
  }
  void tool(const std::string& name, const std::string& script) const {
    std::ofstream(folder_ / name) << "#!/bin/sh\n" << script << "\n";
    ASSERT_EQ(::chmod((folder_ / name).c_str(), 0755), 0);
  }
  std::string path_{};
};

TEST_F(ToolProbes, AnAbsentToolIsNamedWithWhereItComesFrom) {
  const auto text = run_tool({"no-such-tool", "get"}, "Debian's package zfsutils-linux", {});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(text.error().detail, "'no-such-tool' is not installed: Debian's package zfsutils-linux");
}

TEST_F(ToolProbes, AToolThatFailsIsQuotedAndOneThatHangsIsEnded) {
  tool("broken", "echo no such pool >&2; exit 3");
  const auto failed = run_tool({"broken"}, "", {});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().detail.find("exit code 3: no such pool"), std::string::npos);
  tool("hangs", "sleep 600");
  const auto late = run_tool({"hangs"}, "", {Clock::now() + Millis{200}, {}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
}

TEST_F(ToolProbes, VdoIsItsDataAndItsOverhead) {
  tool("vdostats",
       "echo \"$@\" > '" + (folder_ / "asked").string() +
           "'; printf '/dev/x :\\n  block size                : 4096\\n  data blocks used          : 1000\\n"
           "  overhead blocks used      : 24\\n'");
  VdoProbe probe(roots());
  EXPECT_EQ(figure(probe), 1024 * 4096);
  std::ifstream asked(folder_ / "asked");
  std::string first;
  asked >> first;
  EXPECT_EQ(first, "--verbose");
}

TEST_F(ToolProbes, WithoutVdostatsTheReasonNamesIt) {
  if (find_program("vdostats")) GTEST_SKIP() << "it is installed";
  VdoProbe probe(roots());
  EXPECT_NE(refusal(probe).find("'vdostats' is not installed"), std::string::npos);
}

TEST_F(ToolProbes, AnIncompleteAnswerOfVdostatsIsNoFigure) {
  EXPECT_FALSE(parse_vdostats(""));
  EXPECT_FALSE(parse_vdostats("block size : 4096\ndata blocks used : N/A\noverhead blocks used : 1\n"));
}

TEST_F(ToolProbes, FilesThatAreNotOnZfsAreAReason) {
  ZfsProbe dataset(roots());
  ZpoolProbe pool(roots());
  EXPECT_NE(refusal(dataset).find("not on zfs"), std::string::npos);
  EXPECT_NE(refusal(pool).find("not on zfs"), std::string::npos);
}

TEST_F(ToolProbes, PropertiesOfZfsAreNumbersOrAbsent) {
  const auto values = parse_zfs_properties("zfs", "used\t98304\nlogicalused\t-\n");
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (std::map<std::string, Bytes>{{"used", Bytes{98304}}}));
  const auto rounded = parse_zfs_properties("zpool", "allocated\t1.5M\n");
  ASSERT_FALSE(rounded);
  EXPECT_NE(rounded.error().detail.find("'1.5M' is not a number of bytes"), std::string::npos);
}

}  // namespace
}  // namespace lab
