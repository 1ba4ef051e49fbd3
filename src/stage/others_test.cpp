// SPDX-License-Identifier: Apache-2.0
#include "stage/others.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

/// A stage that stored 900 bytes, 100 of them log, while others stored `theirs`.
StageRecord stage_beside(std::int64_t theirs) {
  StageRecord record;
  record.empty_bytes = {{"engine", 0},       {"files", 5'000},        {"files:payload", 0}, {"files:log", 50},
                        {"files:meta", 950}, {"files:others", 4'000}, {"filesystem", 9'000}};
  record.after_bytes = {{"engine", 800},
                        {"files", 5'900 + theirs},
                        {"files:payload", 800},
                        {"files:log", 150},
                        {"files:meta", 950},
                        {"files:others", 4'000 + theirs},
                        {"filesystem", 9'900 + theirs}};
  record.residue_bytes = {{"engine", 0}, {"files", 3}, {"files:payload", 1}};
  return record;
}

TEST(AllowForOthers, WidensWhatCountsTheirBytesByWhatTheyStoredAndItsLog) {
  StageRecord record = stage_beside(700);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files"), 3 + 700 + 100);
  EXPECT_EQ(record.residue_bytes.at("filesystem"), 700 + 100);
  EXPECT_EQ(record.residue_bytes.at("files:log"), 100) << "all of its growth may be theirs";
  EXPECT_NE(record.remarks.at("files").find("+700 bytes"), std::string::npos) << record.remarks.at("files");
}

TEST(AllowForOthers, LeavesWhatIsToldByWhatIsOurs) {
  StageRecord record = stage_beside(700);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("engine"), 0);
  EXPECT_EQ(record.residue_bytes.at("files:payload"), 1);
  EXPECT_FALSE(record.residue_bytes.contains("files:meta"));
}

TEST(AllowForOthers, TakesWhatTheyFreedAsWhatTheyStored) {
  StageRecord record = stage_beside(-700);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files"), 3 + 700 + 100);
  EXPECT_NE(record.remarks.at("files").find("-700 bytes"), std::string::npos) << record.remarks.at("files");
}

TEST(AllowForOthers, OfTheLogIsNoMoreThanTwiceTheirData) {
  StageRecord record = stage_beside(30);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files"), 3 + 30 + 60);
}

TEST(AllowForOthers, ChangesNothingWhereTheyStoredNothingOrAreNotKnown) {
  StageRecord quiet = stage_beside(0);
  const ByteMap before = quiet.residue_bytes;
  allow_for_others(quiet);
  EXPECT_EQ(quiet.residue_bytes, before);
  EXPECT_TRUE(quiet.remarks.empty());
  StageRecord unknown = stage_beside(700);
  unknown.empty_bytes.erase("files:others");
  allow_for_others(unknown);
  EXPECT_EQ(unknown.residue_bytes, before);
  EXPECT_TRUE(unknown.remarks.empty());
}

}  // namespace
}  // namespace lab
