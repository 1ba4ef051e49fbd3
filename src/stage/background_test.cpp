// SPDX-License-Identifier: Apache-2.0
#include "stage/background.hpp"

#include <sys/statvfs.h>

#include "probe/testing/fake_observer.hpp"
#include "stage/testing/stage_fixture.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// A counter of failures, and another one, that grow by `step` each time that they are asked for.
struct Failing {
  double step = 0;
  double value = 7;
  std::vector<Counter> operator()() {
    value += step;
    return {{"lost_merges", value, "failures"}, {"merges", 100 * value, "1"}};
  }
};

/// Bytes on the file system of temporary folders that are left to everybody.
Bytes left() {
  struct statvfs disk{};
  EXPECT_EQ(::statvfs(fs::temp_directory_path().c_str(), &disk), 0);
  return Bytes{static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize)};
}

Status checked(FakeObserver& observer, Bytes live) { return check_background(observer, {}, live, {}); }

TEST(Background, WorkThatHasNoRoomForWhatIsLiveMakesTheSizeThatOfAFullDisk) {
  FakeObserver observer;
  const fs::path folder = fs::temp_directory_path();
  observer.roots = {folder};
  EXPECT_TRUE(checked(observer, Bytes{1}));
  const Status full = checked(observer, left() + Bytes{1LL << 40});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(full.error().detail.find(folder.string()), std::string::npos) << full.error().detail;
  observer.roots = {folder / "gone" / "deeper"};
  EXPECT_TRUE(checked(observer, Bytes{1}));
  EXPECT_FALSE(checked(observer, left() + Bytes{1LL << 40})) << "a folder that is gone lay where others lie";
}

TEST(Background, WhereNoFilesAreLocalTheRoomIsNotKnownAndNothingIsClaimed) {
  FakeObserver observer;
  EXPECT_TRUE(checked(observer, left() + Bytes{1LL << 40}));
}

TEST(Background, OnlyFailuresThatCameSinceCountAndOnlyFailures) {
  FakeObserver observer;
  observer.counters = Failing{};
  const auto before = background_failures(observer, {});
  ASSERT_TRUE(before);
  EXPECT_EQ(*before, (std::map<std::string, double>{{"lost_merges", 7}}));
  EXPECT_TRUE(check_background(observer, *before, Bytes{}, {}));
  observer.counters = Failing{.step = 2};
  const Status failed = check_background(observer, *before, Bytes{}, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(failed.error().detail.find("lost_merges grew by 2"), std::string::npos) << failed.error().detail;
  EXPECT_FALSE(check_background(observer, {}, Bytes{}, {}))
      << "a counter that was not there had counted nothing";
}

TEST_F(StageFixture, BackgroundWorkThatFailsInTheStageMakesItInvalid) {
  for (const double step : {0.0, 1.0}) {
    SCOPED_TRACE(step);
    open({});
    auto observer = std::make_unique<FakeObserver>();
    observer->counters = Failing{.step = step};
    identity_ = observer->who;
    observer_ = std::move(observer);
    const StageRecord record = run(StageKind::kBulkInsert);
    EXPECT_EQ(record.valid, step == 0.0) << record.reason;
    EXPECT_EQ(record.error_code, step == 0.0 ? "" : "RESOURCE_EXHAUSTED");
    EXPECT_FALSE(record.retryable);
  }
}

}  // namespace
}  // namespace lab
