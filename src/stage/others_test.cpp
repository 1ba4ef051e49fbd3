// SPDX-License-Identifier: Apache-2.0
#include "stage/others.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

/// A stage that stored 900 bytes, 100 of them log, while others stored `theirs`.
StageRecord stage_beside(std::int64_t theirs) {
  StageRecord record;
  record.empty_bytes = {{"engine", 50},          {"engine:log", 50},   {"files", 5'000},
                        {"files:payload", 0},    {"files:log", 50},    {"files:meta", 950},
                        {"files:others", 4'000}, {"filesystem", 9'000}};
  record.after_bytes = {{"engine", 950},
                        {"engine:log", 150},
                        {"files", 5'900 + theirs},
                        {"files:payload", 800},
                        {"files:log", 150},
                        {"files:meta", 950},
                        {"files:others", 4'000 + theirs},
                        {"filesystem", 9'900 + theirs}};
  record.residue_bytes = {{"engine", 0}, {"files", 3}, {"files:payload", 1}};
  return record;
}

TEST(AllowForOthers, WidensWhatCountsTheirBytesByWhatTheyStoredAndByWhatAllShare) {
  StageRecord record = stage_beside(700);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files"), 3 + 700 + 100);
  EXPECT_EQ(record.residue_bytes.at("filesystem"), 700 + 100);
  EXPECT_EQ(record.residue_bytes.at("files:log"), 100) << "all that it moved by may be theirs";
  EXPECT_NE(record.remarks.at("files").find("+700 bytes"), std::string::npos) << record.remarks.at("files");
}

TEST(AllowForOthers, WidensTheEnginesFigureByTheLogThatIsInIt) {
  StageRecord record = stage_beside(700);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("engine"), 100);
  EXPECT_EQ(record.residue_bytes.at("engine:log"), 100);
  EXPECT_NE(record.remarks.at("engine").find(" 100 bytes of the logs"), std::string::npos);
  record = stage_beside(700);
  record.after_bytes.erase("engine:log");
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("engine"), 0) << "there is none in it";
  EXPECT_FALSE(record.remarks.contains("engine"));
}

TEST(AllowForOthers, LeavesWhatIsToldByWhatIsOurs) {
  StageRecord record = stage_beside(700);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files:payload"), 1);
  EXPECT_FALSE(record.residue_bytes.contains("files:meta")) << "it did not move";
}

TEST(AllowForOthers, TakesWhatWasFreedAsWhatWasStored) {
  StageRecord record = stage_beside(-700);
  record.after_bytes["files:log"] = 20;
  record.after_bytes["files:meta"] = 1'000;
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files"), 3 + 700 + 30 + 50)
      << "a log that was removed may have been theirs";
  EXPECT_EQ(record.residue_bytes.at("files:meta"), 50);
  EXPECT_NE(record.remarks.at("files").find("-700 bytes"), std::string::npos) << record.remarks.at("files");
}

TEST(AllowForOthers, OfTheLogTakesAllHoweverLittleTheyStored) {
  StageRecord record = stage_beside(1);
  allow_for_others(record);
  EXPECT_EQ(record.residue_bytes.at("files"), 3 + 1 + 100) << "logs grow by whole files";
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
