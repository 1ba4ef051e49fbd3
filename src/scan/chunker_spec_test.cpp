// SPDX-License-Identifier: Apache-2.0
#include "scan/chunker_spec.hpp"

#include <gtest/gtest.h>

namespace lab::scan {
namespace {

using Kind = ChunkerSpec::Kind;

TEST(ChunkerWords, AreReadAsTheyArePrinted) {
  const std::vector<std::string> words{"fixed:4096", "cdc:8192", "fixed:128KiB", "fixed:5000"};
  const auto read = parse_chunkers(words);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, (std::vector<ChunkerSpec>{{Kind::kFixed, 4096, 0},
                                             {Kind::kCdc, 8192, 0},
                                             {Kind::kFixed, 131072, 0},
                                             {Kind::kFixed, 5000, 0}}));
  EXPECT_EQ(chunker_name((*read)[2]), "fixed:131072");
}

TEST(ChunkerWords, ThatAreWrongAreNamedWithWhatWouldBeRight) {
  struct Case {
    std::vector<std::string> words;
    const char* want;
  };
  for (const Case& c :
       {Case{{"fixd:4096"}, "did you mean 'fixed'"}, Case{{"fixed"}, "has no size, as in fixed:4096"},
        Case{{"fixed:4K"}, "'4K' is not a size"}, Case{{"fixed:63"}, "from 64 to 8388608"},
        Case{{"cdc:131072"}, "from 512 to 65536"}, Case{{"cdc:5000"}, "power of two"},
        Case{{"fixed:4096", "fixed:4KiB"}, "'fixed:4KiB' is named twice"}}) {
    const auto read = parse_chunkers(c.words);
    ASSERT_FALSE(read) << c.want;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(read.error().detail.find(c.want), std::string::npos) << read.error().detail;
  }
}

TEST(Alignments, GoToFixedBlocksThatAreLargerThanThey) {
  const std::vector<ChunkerSpec> asked{{Kind::kFixed, 512, 0}, {Kind::kFixed, 4096, 0}, {Kind::kCdc, 512, 0}};
  const auto all = with_alignments(asked, std::vector<std::uint32_t>{0, 512});
  ASSERT_TRUE(all);
  EXPECT_EQ(
      *all,
      (std::vector<ChunkerSpec>{
          {Kind::kFixed, 512, 0}, {Kind::kFixed, 4096, 0}, {Kind::kFixed, 4096, 512}, {Kind::kCdc, 512, 0}}));
  EXPECT_FALSE(with_alignments(asked, std::vector<std::uint32_t>{512}));
  EXPECT_FALSE(with_alignments(asked, std::vector<std::uint32_t>{0, 0}));
}

}  // namespace
}  // namespace lab::scan
