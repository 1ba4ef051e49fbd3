// Order, bounds and ends of the producer.
// SPDX-License-Identifier: Apache-2.0
#include "payload/producer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext within(Millis limit) { return {Clock::now() + limit, {}}; }

ObjectOrder straight(std::uint64_t index) { return {{index, {}, 0}, index}; }

/// A dataset whose source counts, fails and blocks as a test wants.
class ScriptedDataset final : public Dataset, public ContentSource {
 public:
  Bytes size{1'000};
  std::uint64_t fails_at = ~std::uint64_t{0};
  std::atomic<std::uint64_t> filled{0};
  std::atomic<bool> blocked{false};

  const DatasetSpec& spec() const override { return spec_; }
  std::uint64_t objects() const override { return 1'000; }
  std::uint64_t distinct() const override { return 1'000; }
  ObjectFacts facts(std::uint64_t number) const override { return {.number = number, .content = number}; }
  const ContentSource& source() const override { return *this; }
  Result<std::uint64_t> spare_content(std::uint64_t index) const override { return 1'000 + index; }

  std::uint64_t contents_max() const override { return 1'000; }
  Result<Bytes> size_of(std::uint64_t /*content*/) const override { return size; }
  std::string_view mime_of(std::uint64_t /*content*/) const override { return "test/bytes"; }
  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override {
    while (blocked) std::this_thread::sleep_for(1ms);
    if (content == fails_at) return Error{ErrorCode::kCorruption, "scripted", "as wanted"};
    out.assign(static_cast<std::size_t>(size.count), static_cast<std::byte>(content));
    const_cast<ScriptedDataset*>(this)->filled += 1;
    return ok();
  }

 private:
  DatasetSpec spec_{};
};

/// Waits until the producer has done all that it may do before somebody takes an object.
void wait_until_idle(const ScriptedDataset& dataset) {
  std::uint64_t before = ~std::uint64_t{0};
  while (dataset.filled != before) {
    before = dataset.filled;
    std::this_thread::sleep_for(30ms);
  }
}

TEST(Producer, DeliversEveryObjectInOrderWithItsBytesAndHash) {
  const auto dataset = made(spec_of("structured_json", 300, 50, Bytes{3'000}));
  Producer producer(dataset, 300, [&](std::uint64_t index) {
    const ObjectFacts facts = dataset->facts(299 - index);  // Any order that the caller likes.
    return ObjectOrder{{facts.number, facts.id, facts.container}, facts.content};
  });
  for (std::uint64_t index = 0; index < 300; ++index) {
    auto object = producer.next(within(60s));
    ASSERT_TRUE(object) << object.error().text();
    ASSERT_TRUE(object->has_value());
    const Object view = (*object)->view();
    const ObjectFacts facts = dataset->facts(299 - index);
    EXPECT_EQ(view.number, facts.number);
    EXPECT_EQ(view.id, facts.id);
    EXPECT_EQ(view.mime, "application/json");
    EXPECT_EQ(view.digest, sha256(view.payload));
    EXPECT_EQ((*object)->payload, bytes_of(*dataset, facts.content));
    if (index % 2 == 0) producer.recycle(std::move(**object));
  }
  for (int again = 0; again < 2; ++again) {
    const auto end = producer.next(within(60s));
    ASSERT_TRUE(end);
    EXPECT_FALSE(end->has_value());
  }
}

TEST(Producer, EndsAtOnceWithoutObjects) {
  Producer producer(std::make_shared<ScriptedDataset>(), 0, straight);
  const auto end = producer.next(within(60s));
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->has_value());
}

TEST(Producer, HoldsNoMoreThanItsBuffer) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  Producer producer(dataset, 100, straight, Bytes{4'500});
  wait_until_idle(*dataset);
  EXPECT_EQ(dataset->filled, 4U);  // Of 1,000 bytes each.
  ASSERT_TRUE(producer.next(within(60s)));
  wait_until_idle(*dataset);
  EXPECT_EQ(dataset->filled, 5U);
}

TEST(Producer, IsReadyWhenItsBufferIsFullOrAllIsMade) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  Producer producer(dataset, 100, straight, Bytes{4'500});
  ASSERT_TRUE(producer.wait_until_ready(within(60s)));
  EXPECT_EQ(dataset->filled, 4U);
  Producer small(dataset, 2, straight, Bytes{4'500});
  ASSERT_TRUE(small.wait_until_ready(within(60s)));
  EXPECT_EQ(dataset->filled, 6U);
  dataset->blocked = true;
  Producer slow(dataset, 2, straight);
  const Status waited = slow.wait_until_ready(within(50ms));
  dataset->blocked = false;
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::kTimeout);
}

TEST(Producer, PassesObjectsLargerThanItsBufferOneByOne) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  Producer producer(dataset, 5, straight, Bytes{500});
  wait_until_idle(*dataset);
  EXPECT_EQ(dataset->filled, 1U);
  for (std::uint64_t index = 0; index < 5; ++index) {
    const auto object = producer.next(within(60s));
    ASSERT_TRUE(object && object->has_value());
    EXPECT_EQ((*object)->key.number, index);
  }
}

TEST(Producer, MakesAVeryLargeObjectOnlyWhenItIsAskedFor) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  Producer producer(dataset, 3, straight, Bytes{399});  // Of 1,000 bytes each.
  ASSERT_TRUE(producer.wait_until_ready(within(60s))) << "nothing is made ahead, and nobody waits for it";
  for (std::uint64_t asked = 0; asked < 3; ++asked) {
    wait_until_idle(*dataset);
    EXPECT_EQ(dataset->filled, asked);
    const auto object = producer.next(within(60s));
    ASSERT_TRUE(object && *object);
    EXPECT_EQ((*object)->content, asked);
  }
  const auto end = producer.next(within(60s));
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST(Producer, DeliversAnErrorAtItsPlaceAndAgain) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  dataset->fails_at = 3;
  Producer producer(dataset, 10, straight);
  wait_until_idle(*dataset);  // The error is known before the first object is taken.
  for (int index = 0; index < 3; ++index) {
    const auto object = producer.next(within(60s));
    ASSERT_TRUE(object && object->has_value());
  }
  for (int again = 0; again < 2; ++again) {
    const auto failed = producer.next(within(60s));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kCorruption);
    EXPECT_EQ(failed.error().detail, "as wanted");
  }
}

TEST(Producer, ReportsAnOrderForAContentThatDoesNotExist) {
  const auto dataset = made(spec_of("random_binary", 10, 0, Bytes{1}));
  Producer producer(dataset, 1, [](std::uint64_t) { return ObjectOrder{{}, 256}; });
  const auto failed = producer.next(within(60s));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kInvalidArgument);
}

TEST(Producer, GivesUpAtTheDeadlineAndGoesOnLater) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  dataset->blocked = true;
  Producer producer(dataset, 10, straight);
  for (const Millis limit : {-1ms, 20ms}) {
    const auto late = producer.next(within(limit));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  }
  dataset->blocked = false;
  const auto object = producer.next({});  // Without a deadline.
  ASSERT_TRUE(object && object->has_value());
  EXPECT_EQ((*object)->key.number, 0U);
}

TEST(Producer, ObeysAStopBeforeAndDuringTheWait) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  dataset->blocked = true;
  Producer producer(dataset, 10, straight);
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  for (int again = 0; again < 2; ++again) {
    const auto stopped = producer.next({Clock::time_point::max(), stop.get_token()});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  }
  dataset->blocked = false;
}

TEST(Producer, LetsItselfBeDestroyedAtAnyMoment) {
  for (const int taken : {0, 1, 3}) {
    const auto dataset = std::make_shared<ScriptedDataset>();
    Producer producer(dataset, 1'000, straight, Bytes{2'500});
    for (int i = 0; i < taken; ++i) {
      auto object = producer.next(within(60s));
      ASSERT_TRUE(object && object->has_value());
      producer.recycle(std::move(**object));
    }
    if (taken == 3) wait_until_idle(*dataset);
    EXPECT_LT(dataset->filled, 1'000U);
  }
}

TEST(Producer, ReusesBuffersThatAreGivenBack) {
  const auto dataset = std::make_shared<ScriptedDataset>();
  Producer producer(dataset, 3, straight, Bytes{1'000});  // One object at a time, one spare buffer.
  auto first = producer.next(within(60s));
  ASSERT_TRUE(first && first->has_value());
  wait_until_idle(*dataset);  // The second is made before the first is given back.
  const std::byte* const memory = (*first)->payload.data();
  producer.recycle(std::move(**first));
  ASSERT_TRUE(producer.next(within(60s)));
  const auto third = producer.next(within(60s));
  ASSERT_TRUE(third && third->has_value());
  EXPECT_EQ((*third)->payload.data(), memory);
}

}  // namespace
}  // namespace lab
