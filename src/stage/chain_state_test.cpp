// SPDX-License-Identifier: Apache-2.0
#include "stage/chain_state.hpp"

#include <gtest/gtest.h>

#include "stage/testing/stage_fixture.hpp"

namespace lab {
namespace {

std::shared_ptr<const Dataset> dataset_of(int grade) {
  auto dataset = Dataset::make(small_spec(grade));
  EXPECT_TRUE(dataset);
  return *dataset;
}

void put_all(ChainState& state) {
  for (std::uint64_t number = 0; number < state.dataset().objects(); ++number) {
    const ObjectOrder order = state.order_of(number);
    state.note_put(order.key, sha256(std::to_string(order.content)));
  }
  ASSERT_TRUE(state.finish_insert());
}

TEST(ChainState, CountsLAndUOfWhatIsLive) {
  ChainState state(dataset_of(90), Keeps::kAll);
  EXPECT_FALSE(state.live());
  put_all(state);
  EXPECT_EQ(state.expected().objects, 40U);
  EXPECT_EQ(state.expected().unique_objects, 4U);
  EXPECT_EQ(state.expected().unique.count * 10, state.expected().logical.count);
  state.finish_delete();
  EXPECT_EQ(state.expected().objects, 0U);
  EXPECT_EQ(state.expected().logical.count, 0);
  EXPECT_EQ(state.expected().keyed, DigestSum{});
}

TEST(ChainState, CountsUByTheDuplicateUnit) {
  DatasetSpec spec = small_spec(50);
  spec.unit = {.kind = DuplicateUnit::Kind::kBlock, .bytes = Bytes{256}};
  for (const Keeps keeps : {Keeps::kAll, Keeps::kOnePerKeyAtIngestion}) {
    auto dataset = Dataset::make(spec);
    ASSERT_TRUE(dataset);
    ChainState state(*dataset, keeps);
    put_all(state);
    EXPECT_EQ(state.expected().objects, 40U) << "no two objects are equal, so each is kept";
    EXPECT_EQ(state.expected().unique_objects, 40U);
    EXPECT_EQ(state.expected().logical.count, 40 * 2048);
    EXPECT_EQ(state.expected().unique.count, 40 * 2048 / 2) << "half of the blocks are copies";
  }
  spec.unit = {.kind = DuplicateUnit::Kind::kChanged, .bytes = Bytes{1}};
  auto dataset = Dataset::make(spec);
  ASSERT_TRUE(dataset);
  ChainState state(*dataset, Keeps::kAll);
  put_all(state);
  EXPECT_EQ(state.expected().unique, state.expected().logical) << "of changed copies d is 0";
  EXPECT_EQ(state.expected().near_duplicate.count, 20 * (2048 - 1)) << "one byte of each copy is its own";
  // Replacing takes the bytes of a copy away, and of an original those of the copy that is now alone.
  const ObjectKey key = state.order_of(39).key;
  state.note_replaced(key, sha256(std::to_string(state.order_of(39).content)), sha256("new"), 40);
  ASSERT_TRUE(state.finish_update());
  EXPECT_EQ(state.expected().near_duplicate.count, 19 * (2048 - 1));
  state.finish_delete();
  EXPECT_EQ(state.expected().near_duplicate.count, 0);
}

TEST(ChainState, WhereOneAKeyIsKeptOnlyTheFirstOfEachContentIsHeld) {
  ChainState state(dataset_of(90), Keeps::kOnePerKeyAtIngestion);
  put_all(state);
  EXPECT_EQ(state.expected().objects, 4U);
  EXPECT_EQ(state.held_numbers().size(), 4U);
  EXPECT_EQ(state.expected().logical, state.expected().unique);
  EXPECT_EQ(state.expected().keyed.count, 4U);
}

TEST(ChainState, MaintenanceTurnsADatasetIntoItsSurvivors) {
  ChainState state(dataset_of(50), Keeps::kOnePerKeyAfterMaintenance);
  put_all(state);
  EXPECT_EQ(state.expected().objects, 40U);
  const DigestSum contents = state.expected().contents;
  EXPECT_EQ(contents.count, 20U);
  state.finish_maintenance();
  EXPECT_EQ(state.expected().objects, 20U);
  EXPECT_EQ(state.expected().contents, contents) << "which copy is left does not matter";
}

TEST(ChainState, AReplacementLeavesTheSumOfTheNewBytes) {
  ChainState replaced(dataset_of(0), Keeps::kAll);
  put_all(replaced);
  const ObjectKey key = replaced.order_of(3).key;
  replaced.note_replaced(key, sha256(std::to_string(replaced.order_of(3).content)), sha256("new"), 40);
  ASSERT_TRUE(replaced.finish_update());
  ChainState direct(dataset_of(0), Keeps::kAll);
  for (std::uint64_t number = 0; number < 40; ++number) {
    const ObjectOrder order = direct.order_of(number);
    direct.note_put(order.key, number == 3 ? sha256("new") : sha256(std::to_string(order.content)));
  }
  ASSERT_TRUE(direct.finish_insert());
  EXPECT_EQ(replaced.expected().keyed, direct.expected().keyed);
  EXPECT_EQ(replaced.order_of(3).content, 40U);
}

TEST(ChainState, TheSameBytesUnderAnotherKeyAreNotTheSame) {
  const ObjectId one{std::byte{1}};
  const ObjectId two{std::byte{2}};
  const Digest digest = sha256("x");
  EXPECT_NE(keyed_digest(one, 0, digest), keyed_digest(two, 0, digest));
  EXPECT_NE(keyed_digest(one, 0, digest), keyed_digest(one, 1, digest));
}

}  // namespace
}  // namespace lab
