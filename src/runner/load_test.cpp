// A dataset into a system outside of a run: what is there afterwards, also when it failed in its midst.
// SPDX-License-Identifier: Apache-2.0
#include "runner/load.hpp"

#include <gtest/gtest.h>

#include <set>

#include "driver/testing/forwarding_driver.hpp"
#include "runner/testing/run_fixture.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kObjects = 700;  // More than a batch has.

class DatasetLoads : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    config_.path = directory_ / "home";
    config_.run_id = "20260131T120000Z-7e57ab1e";
    auto dataset = Dataset::make({.payload = "random_binary",
                                  .dataset_seed = 7,
                                  .grade = 50,
                                  .objects = kObjects,
                                  .object_size = {.low = Bytes{512}}});
    ASSERT_TRUE(dataset) << dataset.error().text();
    dataset_ = *dataset;
  }

  Result<GenerateSummary> load(const CallContext& call = {}) {
    reached_ = {};
    const LoadRequest request{entry_,
                              config_,
                              dataset_,
                              Millis{60'000},
                              [this](const ObjectFacts& facts, const MadeObject& object) -> Status {
                                EXPECT_EQ(facts.number, seen_.size());
                                seen_.push_back(object.digest);
                                if (seen_.size() == fail_at_) return Error{ErrorCode::kIo, "look", "no more"};
                                return ok();
                              },
                              [this](std::uint64_t objects, Bytes) { told_ = objects; }};
    return load_dataset(request, call, reached_);
  }

  /// Read by a session of its own.
  std::multiset<std::string> digests_held() const {
    std::multiset<std::string> held;
    auto session = files_system().open(config_, {});
    EXPECT_TRUE(session) << session.error().text();
    if (!session) return held;
    auto driver = (*session)->open_driver({});
    EXPECT_TRUE(driver) << driver.error().text();
    if (!driver) return held;
    EXPECT_TRUE(
        (*driver)->read_all({}, [&](const ObjectId&, std::uint32_t, std::span<const std::byte> bytes) {
          held.insert(to_hex(sha256(bytes)));
          return ok();
        }));
    return held;
  }

  static SystemEntry faulty_files() {
    SystemEntry entry = files_system();
    entry.open = open_faulty_files;
    return entry;
  }

  SystemEntry entry_ = faulty_files();
  SystemConfig config_{};
  std::shared_ptr<const Dataset> dataset_{};
  LoadReached reached_{};
  std::vector<Digest> seen_{};
  std::size_t fail_at_ = 0;
  std::uint64_t told_ = 0;
};

TEST_F(DatasetLoads, AllObjectsAreThereAsTheyWereMade) {
  EXPECT_TRUE(what_is_there(entry_, {entry_}, config_, {})->empty());
  const auto made = load();
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->objects, kObjects);
  EXPECT_EQ(made->distinct, kObjects / 2);
  EXPECT_EQ(made->logical, Bytes{512 * static_cast<std::int64_t>(kObjects)});
  EXPECT_EQ(made->unique.count * 2, made->logical.count);
  EXPECT_TRUE(reached_.loaded);
  EXPECT_EQ(reached_.acknowledged, kObjects);
  EXPECT_EQ(told_, kObjects);
  std::multiset<std::string> expected;
  for (const Digest& digest : seen_) expected.insert(to_hex(digest));
  EXPECT_EQ(digests_held(), expected);
  EXPECT_EQ(what_is_there(entry_, {entry_}, config_, {})->size(), 1U);
}

TEST_F(DatasetLoads, ALostConnectionSaysHowManyWereAcknowledged) {
  faults({{.operation = "put_batch", .after_calls = 1}});
  const auto made = load();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(reached_.began);
  EXPECT_FALSE(reached_.loaded);
  EXPECT_EQ(reached_.acknowledged, 512U);
  EXPECT_EQ(digests_held().size(), 512U);
}

TEST_F(DatasetLoads, ASystemThatLosesWhatItAcknowledgedIsFound) {
  faults({{.operation = "put_batch", .after_calls = 1, .lie = true}});
  const auto made = load();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kCorruption);
  EXPECT_NE(made.error().detail.find("700 objects were sent"), std::string::npos) << made.error().detail;
  EXPECT_NE(made.error().detail.find("counts 512"), std::string::npos) << made.error().detail;
  EXPECT_FALSE(reached_.loaded);
}

TEST_F(DatasetLoads, AnErrorOfTheOneWhoLooksEndsIt) {
  fail_at_ = 3;
  const auto made = load();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().operation, "look");
  EXPECT_EQ(reached_.acknowledged, 0U);
  EXPECT_EQ(seen_.size(), 3U);
}

TEST_F(DatasetLoads, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const auto made = load({Clock::time_point::max(), stop.get_token()});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kCancelled);
}

TEST_F(DatasetLoads, ObjectsThatTheSystemDoesNotTakeLeaveNothing) {
  /// Takes nothing above 100 bytes.
  class Narrow final : public Session {
   public:
    explicit Narrow(std::unique_ptr<Session> inner) : inner_(std::move(inner)) {}
    Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
      auto inner = inner_->open_driver(call);
      if (!inner) return inner;
      return std::unique_ptr<Driver>(std::make_unique<NarrowDriver>(std::move(*inner)));
    }
    Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
      return inner_->open_observer(call);
    }

   private:
    class NarrowDriver final : public ForwardingDriver {
     public:
      explicit NarrowDriver(std::unique_ptr<Driver> inner) : ForwardingDriver(std::move(inner)) {
        info_.object_size_max = 100;
      }
    };
    std::unique_ptr<Session> inner_;
  };
  entry_.open = [](const SystemConfig& config, const CallContext& call) -> Result<std::unique_ptr<Session>> {
    auto session = files_system().open(config, call);
    if (!session) return session;
    return std::unique_ptr<Session>(std::make_unique<Narrow>(std::move(*session)));
  };
  const auto made = load();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(made.error().detail, "object 0 has 512 bytes, files takes at most 100");
  EXPECT_FALSE(reached_.began) << "nothing of it is left";
  EXPECT_FALSE(fs::exists(config_.path));
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace lab
