// Sizes and observers: what is stored shows on disk, parts sum to their whole, observing disturbs nothing.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "conformance.hpp"

namespace lab {

TEST_P(DriverConformance, FilesGrowByAtLeastTheRandomBytesStored) {
  if (!GetParam().entry->has_files) GTEST_SKIP() << "keeps nothing on disk";
  ASSERT_TRUE(driver_->flush(soon()));
  EXPECT_EQ(await_quiet(), 0) << "what others left is still being removed";
  const Tree before = disk();
  load(made_many(0, 64, 65'536));
  const Tree after = disk();
  // A server may free more of its log meanwhile than the data takes.
  EXPECT_GE(std::max(after.allocated - before.allocated, after.outside_log() - before.outside_log()),
            64 * 65'536);
}

TEST_P(DriverConformance, FootprintPartsSumToTheTotal) {
  const auto empty = observer_->footprint(soon());
  if (!empty) {
    EXPECT_EQ(empty.error().code, ErrorCode::kUnsupported) << empty.error().text();
    return;
  }
  load(made_many(0, 64, 65'536));
  const auto loaded = observer_->footprint(soon());
  ASSERT_TRUE(loaded) << loaded.error().text();
  Bytes sum;
  for (const auto& [part, bytes] : loaded->parts) {
    EXPECT_TRUE((std::set<std::string>{"payload", "index", "log", "meta"}).contains(part)) << part;
    EXPECT_GE(bytes, Bytes{0}) << part;
    sum += bytes;
  }
  EXPECT_EQ(sum, loaded->total);
  const auto outside_log = [](const Footprint& figure) {
    const auto log = figure.parts.find("log");
    return figure.total - (log == figure.parts.end() ? Bytes{} : log->second);
  };
  EXPECT_GE(std::max(loaded->total - empty->total, outside_log(*loaded) - outside_log(*empty)),
            Bytes{64 * 65'536});
  if (!embedded() || !GetParam().entry->has_files) return;
  const std::int64_t apparent = disk().apparent;
  EXPECT_LE(loaded->total.count, apparent) << "the engine cannot hold more than its files";
  EXPECT_GE(loaded->total.count, apparent * 9 / 10);
}

TEST_P(DriverConformance, EveryFileHasAPartOrTheEngineTellsTheParts) {
  const auto folders = observer_->directories(soon());
  ASSERT_TRUE(folders);
  EXPECT_EQ(folders->empty(), !GetParam().entry->has_files);
  load(made_many(0, 20, 10'000));
  bool all_told = true;
  for (const auto& folder : *folders) {
    ASSERT_TRUE(std::filesystem::is_directory(folder)) << folder;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      all_told = all_told && observer_->part_of(entry.path().lexically_relative(folder)).has_value();
    }
    EXPECT_GT(files, 0U);
  }
  if (all_told) return;
  const auto figure = observer_->footprint(soon());
  ASSERT_TRUE(figure) << figure.error().text();
  EXPECT_GE(figure->parts.at("payload").count, 200'000);
}

TEST_P(DriverConformance, ObserverDescribesTheSystem) {
  const auto identity = observer_->identity(soon());
  ASSERT_TRUE(identity) << identity.error().text();
  EXPECT_FALSE(identity->name.empty());
  EXPECT_FALSE(identity->version.empty());
  EXPECT_FALSE(identity->identity.empty());
  const auto second = session_->open_observer(soon());
  ASSERT_TRUE(second) << second.error().text();
  const auto again = (*second)->identity(soon());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->identity, identity->identity);
  EXPECT_EQ(again->started_at, identity->started_at);
  ASSERT_TRUE(observer_->settings(soon()));
  const auto activity = observer_->activity(soon());
  ASSERT_TRUE(activity) << activity.error().text();
  EXPECT_GE(activity->size(), 3U);
  std::set<std::string> names;
  for (const Counter& counter : *activity) EXPECT_TRUE(names.insert(counter.name).second) << counter.name;
  EXPECT_GT(observer_->quantum(), Bytes{0});
  EXPECT_EQ(*observer_->copies(soon()), 1.0);
  EXPECT_TRUE(observer_->statement_seconds(soon()));
}

TEST_P(DriverConformance, IsQuietAfterAFlush) {
  load(made_many(0, 50, 100'000));
  EXPECT_EQ(await_quiet(), 0);
}

TEST_P(DriverConformance, ObserverAnswersFromAnotherThreadWhileTheDriverWorks) {
  std::atomic<bool> over{false};
  std::atomic<int> rounds{0};
  std::atomic<int> failures{0};
  std::string first_failure;
  std::jthread watcher([&] {
    const auto note = [&](const auto& result) {
      if (result || result.error().code == ErrorCode::kUnsupported) return;
      if (failures++ == 0) first_failure = result.error().text();
    };
    while (!over) {
      note(observer_->identity(soon()));
      note(observer_->settings(soon()));
      note(observer_->busy(soon()));
      note(observer_->activity(soon()));
      note(observer_->footprint(soon()));
      note(observer_->directories(soon()));
      ++rounds;
    }
  });
  for (std::uint64_t round = 0; round < 2; ++round) {
    const auto objects = made_many(round * 100, 15, 60'000);
    load(objects);
    ASSERT_TRUE(driver_->put(soon(), made(999 + round, "one more").view()));
    if (declares(Capability::kEraseEach)) {
      EXPECT_TRUE(driver_->erase(soon(), keys(objects)));
    }
    if (declares(Capability::kMaintenance)) {
      const auto outcome = driver_->maintain(soon());
      EXPECT_TRUE(outcome) << outcome.error().text();
    }
    if (declares(Capability::kDeleteDrop)) {
      EXPECT_TRUE(driver_->erase_all(soon(), DeleteAll::kDrop));
    }
    const Status emptied = driver_->reset(soon());
    EXPECT_TRUE(emptied) << emptied.error().text();
  }
  const auto limit = Clock::now() + 30s;
  while (rounds == 0 && Clock::now() < limit) std::this_thread::yield();
  over = true;
  watcher.join();
  EXPECT_EQ(failures, 0) << first_failure;
  EXPECT_GT(rounds, 0);
}

}  // namespace lab
