// Deadlines and stops: nothing starts after them and nothing hangs.
// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <thread>

#include "conformance.hpp"
#include "driver/limited_driver.hpp"

namespace lab {
namespace {

/// More than any system writes before the test's deadline or stop: one payload under many ids.
struct EndlessBatch {
  EndlessBatch() {
    Object object = payload.view();
    for (std::uint64_t number = 0; number < 4'000; ++number) {
      object.id = id_of(number);
      objects.push_back(object);
    }
  }
  Made payload = made(0, random_bytes(5, 8U << 20U));
  std::vector<Object> objects{};
};

/// Requests a stop shortly after its start; says how long ago that was.
class Stopper {
 public:
  explicit Stopper(Millis delay)
      : thread_([this, delay] {
          std::this_thread::sleep_for(delay);
          requested_at_ = Clock::now();
          source_.request_stop();
        }) {}
  CallContext call() const { return {Clock::now() + 60s, source_.get_token()}; }
  Clock::duration since() {
    const auto now = Clock::now();
    thread_.join();
    return now - requested_at_;
  }

 private:
  std::stop_source source_{};
  Clock::time_point requested_at_{};
  std::jthread thread_;
};

}  // namespace

TEST_P(DriverConformance, StartsNothingAfterTheDeadline) {
  const auto objects = made_many(0, 3, 100);
  load(objects);
  const Made more = made(9, "late");
  const Object view[] = {more.view()};
  const ObjectKey key[] = {objects[0].key()};
  GuardedDriver guarded(std::move(*session_->open_driver(soon())));
  for (Driver* driver : {driver_.get(), static_cast<Driver*>(&guarded)}) {
    SCOPED_TRACE(driver == &guarded ? "guarded" : "raw");
    const CallContext late{Clock::now() - 1s, {}};
    const auto expect_timeout = [](const char* what, const auto& result, bool declared = true) {
      ASSERT_FALSE(result) << what;
      if (!declared && result.error().code == ErrorCode::kUnsupported) return;
      EXPECT_EQ(result.error().code, ErrorCode::kTimeout) << what << ": " << result.error().text();
    };
    expect_timeout("prove", driver->prove(late));
    expect_timeout("reset", driver->reset(late));
    expect_timeout("put", driver->put(late, view[0]));
    expect_timeout("read_all", driver->read_all(late, [](auto&&...) { return ok(); }));
    expect_timeout("count", driver->count(late));
    expect_timeout("flush", driver->flush(late));
    expect_timeout("put_batch", driver->put_batch(late, view), declares(Capability::kBatch));
    expect_timeout("get", driver->get(late, key[0]), declares(Capability::kGet));
    expect_timeout("erase", driver->erase(late, key), declares(Capability::kEraseEach));
    expect_timeout("erase_all", driver->erase_all(late, DeleteAll::kLogical),
                   declares(Capability::kDeleteLogical));
    expect_timeout("erase_all", driver->erase_all(late, DeleteAll::kDrop), declares(Capability::kDeleteDrop));
    expect_timeout("maintain", driver->maintain(late), declares(Capability::kMaintenance));
  }
  expect_holds(objects);
}

TEST_P(DriverConformance, ObserverStartsNothingAfterTheDeadline) {
  const CallContext late{Clock::now() - 1s, {}};
  EXPECT_EQ(observer_->identity(late).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(observer_->settings(late).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(observer_->busy(late).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(observer_->activity(late).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(observer_->footprint(late).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(observer_->directories(late).error().code, ErrorCode::kTimeout);
}

TEST_P(DriverConformance, GivesUpABatchAtItsDeadline) {
  if (!declares(Capability::kBatch)) GTEST_SKIP() << "not declared";
  const EndlessBatch batch;
  const Status put = driver_->put_batch(within(20ms), batch.objects);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kTimeout) << put.error().text();
  const Status emptied = driver_->reset(soon());
  ASSERT_TRUE(emptied) << emptied.error().text();
  expect_holds({});
}

TEST_P(DriverConformance, StopsALongBatch) {
  if (!declares(Capability::kBatch)) GTEST_SKIP() << "not declared";
  const EndlessBatch batch;
  Stopper stopper(20ms);
  const Status put = driver_->put_batch(stopper.call(), batch.objects);
  EXPECT_LT(stopper.since(), kStopBound);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kCancelled) << put.error().text();
  const Status emptied = driver_->reset(soon());
  ASSERT_TRUE(emptied) << emptied.error().text();
  const auto objects = made_many(0, 3, 1'000);
  load(objects);
  expect_holds(objects);
}

TEST_P(DriverConformance, StopsReadingInTheMiddle) {
  const auto objects = made_many(0, 50, 10'000);
  load(objects);
  std::stop_source stop;
  int seen = 0;
  const Status read = driver_->read_all({Clock::time_point::max(), stop.get_token()},
                                        [&](const ObjectId&, std::uint32_t, std::span<const std::byte>) {
                                          stop.request_stop();
                                          ++seen;
                                          return ok();
                                        });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kCancelled);
  EXPECT_LT(seen, 50);
  expect_holds(objects);
}

TEST_P(DriverConformance, AStoppedMaintenanceOrFlushLosesNothing) {
  const auto kept = made_many(1'000, 40, 100'000);
  const auto gone = made_many(0, 100, 100'000);
  struct Case {
    const char* what;
    Capability capability;
    std::function<Status(const CallContext&)> run;
  };
  const Case cases[] = {
      {"maintain", Capability::kMaintenance,
       [&](const CallContext& call) -> Status {
         const auto outcome = driver_->maintain(call);
         if (!outcome) return outcome.error();
         return ok();
       }},
      {"flush", Capability::kBatch, [&](const CallContext& call) { return driver_->flush(call); }},
  };
  for (const Case& c : cases) {
    if (!declares(c.capability) || !declares(Capability::kEraseEach)) continue;
    SCOPED_TRACE(c.what);
    ASSERT_TRUE(driver_->reset(soon()));
    load(kept);
    load(gone);
    ASSERT_TRUE(driver_->erase(soon(), keys(gone)));
    Stopper stopper(2ms);
    const Status status = c.run(stopper.call());
    EXPECT_LT(stopper.since(), kStopBound);
    if (!status) {  // It may have been over before the stop came.
      EXPECT_EQ(status.error().code, ErrorCode::kCancelled) << status.error().text();
    }
    expect_holds(kept);
    load(made_many(0, 3, 1'000));
    EXPECT_EQ(count(), kept.size() + 3);
  }
}

TEST_P(DriverConformance, AStoppedDeletionOfAllLeavesASoundSystem) {
  const auto objects = made_many(0, 100, 100'000);
  for (const DeleteAll how : {DeleteAll::kLogical, DeleteAll::kTruncate, DeleteAll::kDrop}) {
    SCOPED_TRACE(to_string(how));
    load(objects);
    const std::uint64_t held = count();  // More than were loaded where a second put appends.
    Stopper stopper(2ms);
    const Status status = driver_->erase_all(stopper.call(), how);
    EXPECT_LT(stopper.since(), kStopBound);
    if (!status && status.error().code == ErrorCode::kUnsupported) continue;
    if (status) {
      EXPECT_EQ(count(), 0U);
    } else {
      EXPECT_EQ(status.error().code, ErrorCode::kCancelled) << status.error().text();
      EXPECT_LE(count(), held);
    }
    ASSERT_TRUE(driver_->reset(soon()));
    load({objects[7]});
    expect_holds({objects[7]});
  }
}

TEST_P(DriverConformance, AStoppedMaintenanceCanBeDoneAgain) {
  if (!declares(Capability::kMaintenance) || !declares(Capability::kEraseEach))
    GTEST_SKIP() << "not declared";
  auto objects = made_many(0, 20, 50'000);
  load(objects);
  ASSERT_TRUE(driver_->erase(soon(), keys({objects[0], objects[1]})));
  objects.erase(objects.begin(), objects.begin() + 2);
  Stopper stopper(1ms);
  const auto first = driver_->maintain(stopper.call());
  stopper.since();
  if (first) {
    EXPECT_TRUE(first->worked);
  }
  const auto second = driver_->maintain(soon());
  ASSERT_TRUE(second) << second.error().text();
  expect_holds(objects);
  close();
  ASSERT_NO_FATAL_FAILURE(open());
  if (GetParam().entry->has_files) expect_holds(objects);
}

}  // namespace lab
