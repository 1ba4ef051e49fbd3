// SPDX-License-Identifier: Apache-2.0
#include "probe/reading.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "probe/testing/fake_observer.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

class ReadingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "reading_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    std::ofstream(root_ / "all.db") << std::string(64 << 10, 'x');
    std::ofstream(root_ / "wal.log") << std::string(4096, 'x');
    observer_.roots = {root_};
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path root_;
  FakeObserver observer_;
};

TEST_F(ReadingTest, AProbeThatFailsIsMissingWithItsReasonAndNeverANumber) {
  observer_.roots = {root_ / "gone"};
  observer_.figure = Error{ErrorCode::kConnectionLost, "fake.footprint", "server went away"};
  const Reading reading = read_probes(observer_, {});
  EXPECT_TRUE(reading.bytes.empty());
  for (const char* probe : {"engine", "apparent", "files"}) {
    SCOPED_TRACE(probe);
    ASSERT_TRUE(reading.missing.contains(probe));
    EXPECT_FALSE(reading.missing.at(probe).empty());
  }
  EXPECT_NE(reading.missing.at("engine").find("server went away"), std::string::npos);
}

TEST_F(ReadingTest, NoProbeIsBothANumberAndMissing) {
  const Reading reading = read_probes(observer_, {});
  for (const auto& [probe, bytes] : reading.bytes) EXPECT_FALSE(reading.missing.contains(probe)) << probe;
  EXPECT_TRUE(reading.bytes.contains("files"));
  EXPECT_TRUE(reading.missing.contains("engine"));
}

TEST_F(ReadingTest, PartsOfClassifiedFilesSumToTheFiles) {
  const Reading reading = read_probes(observer_, {});
  EXPECT_EQ(reading.bytes.at("files:payload") + reading.bytes.at("files:log"), reading.bytes.at("files"));
}

TEST_F(ReadingTest, PartsOfOneBigFileComeFromTheEngineAndSumToTheFiles) {
  observer_.part = std::nullopt;
  observer_.figure = Footprint{Bytes{60'000}, {{"payload", Bytes{40'000}}, {"index", Bytes{8'000}}}};
  const Reading reading = read_probes(observer_, {});
  EXPECT_EQ(reading.bytes.at("files:payload"), 40'000);
  EXPECT_EQ(reading.bytes.at("files:index"), 8'000);
  EXPECT_EQ(reading.bytes.at("files:payload") + reading.bytes.at("files:index") +
                reading.bytes.at("files:log") + reading.bytes.at("files:meta"),
            reading.bytes.at("files"));
}

TEST_F(ReadingTest, APartThatWouldBeNegativeIsMissing) {
  observer_.part = std::nullopt;
  observer_.figure = Footprint{Bytes{1 << 30}, {{"payload", Bytes{1 << 30}}}};
  const Reading reading = read_probes(observer_, {});
  EXPECT_FALSE(reading.bytes.contains("files:meta"));
  EXPECT_TRUE(reading.missing.contains("files:meta"));
}

TEST_F(ReadingTest, ACheapReadingHasTheWholesOnly) {
  const Reading reading = read_cheap_probes(observer_, {});
  EXPECT_TRUE(reading.bytes.contains("files"));
  EXPECT_TRUE(reading.bytes.contains("apparent"));
  EXPECT_FALSE(reading.bytes.contains("files:payload"));
}

}  // namespace
}  // namespace lab
