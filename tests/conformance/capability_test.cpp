// What is declared works, what is not declared is refused, and deletions and maintenance do what they say.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"

namespace lab {
namespace {

struct Deletion {
  DeleteAll how;
  Capability capability;
};
constexpr Deletion kDeletions[] = {{DeleteAll::kLogical, Capability::kDeleteLogical},
                                   {DeleteAll::kTruncate, Capability::kDeleteTruncate},
                                   {DeleteAll::kDrop, Capability::kDeleteDrop}};

}  // namespace

TEST_P(DriverConformance, DoesWhatItDeclaresAndRefusesTheRest) {
  const auto objects = made_many(0, 4, 1'000);
  load(objects);
  const auto check = [&](Capability capability, const char* what, const auto& result) {
    SCOPED_TRACE(what);
    EXPECT_EQ(result.has_value(), declares(capability)) << "declared and done must be the same";
    if (!result) {
      EXPECT_EQ(result.error().code, ErrorCode::kUnsupported) << result.error().text();
    }
  };
  const Made more[] = {made(10, "ten")};
  const Object view[] = {more[0].view()};
  check(Capability::kBatch, "put_batch", driver_->put_batch(soon(), view));
  check(Capability::kGet, "get", driver_->get(soon(), objects[0].key()));
  const ObjectKey key[] = {objects[0].key()};
  check(Capability::kEraseEach, "erase", driver_->erase(soon(), key));
  check(Capability::kMaintenance, "maintain", driver_->maintain(soon()));
  for (const Deletion& deletion : kDeletions)
    check(deletion.capability, "erase_all", driver_->erase_all(soon(), deletion.how));
}

TEST_P(DriverConformance, DescribesItself) {
  EXPECT_EQ(info().system, GetParam().entry->name);
  EXPECT_EQ(info().variant, GetParam().variant);
  EXPECT_FALSE(info().durability.empty());
  EXPECT_EQ(info().bulk_path.empty(), !declares(Capability::kBatch));
  EXPECT_FALSE(GetParam().entry->what.empty());
  EXPECT_FALSE(GetParam().entry->library.empty());
  EXPECT_FALSE(GetParam().entry->mechanisms.empty());
  EXPECT_TRUE(driver_->prove(soon()));
}

TEST_P(DriverConformance, EachDeletionOfAllLeavesNothingAndRoomForANewLoad) {
  const auto objects = made_many(0, 30, 10'000);
  for (const Deletion& deletion : kDeletions) {
    if (!declares(deletion.capability)) continue;
    SCOPED_TRACE(to_string(deletion.how));
    load(objects);
    expect_holds(objects);
    const Status erased = driver_->erase_all(soon(), deletion.how);
    ASSERT_TRUE(erased) << erased.error().text();
    ASSERT_TRUE(driver_->flush(soon()));
    expect_holds({});
  }
  load(made_many(100, 5, 1'000));
  EXPECT_EQ(count(), 5U + (declares(Capability::kDeleteLogical) || declares(Capability::kDeleteTruncate) ||
                                   declares(Capability::kDeleteDrop)
                               ? 0U
                               : 30U));
}

TEST_P(DriverConformance, ErasesTheNamedObjectsAndNoOthers) {
  if (!declares(Capability::kEraseEach)) GTEST_SKIP() << "not declared";
  auto objects = made_many(0, 10, 5'000);
  load(objects);
  const std::vector<Made> gone(objects.begin(), objects.begin() + 4);
  ASSERT_TRUE(driver_->erase(soon(), keys(gone)));
  objects.erase(objects.begin(), objects.begin() + 4);
  expect_holds(objects);
  load(gone);
  EXPECT_EQ(count(), 10U);
}

constexpr const char* kByItselfAlone =
    "SeaweedFS frees what was deleted by a vacuum of its own, which S3 cannot ask for";

TEST_P(DriverConformance, MaintenanceWorksAfterDeletionsAndKeepsTheRest) {
  if (!declares(Capability::kMaintenance) || !declares(Capability::kEraseEach))
    GTEST_SKIP() << "not declared";
  auto objects = made_many(0, 64, 65'536);
  load(objects);
  const std::int64_t loaded = held_bytes();
  const std::vector<Made> gone(objects.begin(), objects.begin() + 48);
  ASSERT_TRUE(driver_->erase(soon(), keys(gone)));
  ASSERT_TRUE(driver_->flush(soon()));
  const auto outcome = driver_->maintain(soon());
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->worked) << outcome->what;
  EXPECT_FALSE(outcome->what.empty());
  objects.erase(objects.begin(), objects.begin() + 48);
  expect_holds(objects);
  if (frees_by_itself_alone()) GTEST_SKIP() << kByItselfAlone;
  if (GetParam().entry->has_files && info().maintenance_shrinks) {
    EXPECT_LT(held_bytes(), loaded * 6 / 10) << "three of four objects are gone";
  }
  load(gone);
  EXPECT_EQ(count(), 64U);
  if (GetParam().entry->has_files && !info().maintenance_shrinks) {
    EXPECT_LT(held_bytes(), loaded * 12 / 10) << "what was freed is used again";
  }
}

TEST_P(DriverConformance, MaintenanceOfDeletedDataFreesIt) {
  if (!declares(Capability::kMaintenance) || !declares(Capability::kDeleteLogical))
    GTEST_SKIP() << "not declared";
  load(made_many(0, 64, 65'536));
  const std::int64_t loaded = held_bytes();
  ASSERT_TRUE(driver_->erase_all(soon(), DeleteAll::kLogical));
  ASSERT_TRUE(driver_->flush(soon()));
  const auto outcome = driver_->maintain(soon());
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->worked) << outcome->what;
  expect_holds({});
  if (frees_by_itself_alone()) GTEST_SKIP() << kByItselfAlone;
  EXPECT_LT(held_bytes(), loaded / 10);
}

/// Where truncation is the only deletion that leaves its work to the maintenance: Kafka without compaction.
TEST_P(DriverConformance, MaintenanceOfTruncatedDataFreesIt) {
  if (!declares(Capability::kMaintenance) || !declares(Capability::kDeleteTruncate) ||
      declares(Capability::kDeleteLogical) || declares(Capability::kEraseEach))
    GTEST_SKIP() << "not declared";
  load(made_many(0, 64, 65'536));
  const std::int64_t loaded = held_bytes();
  ASSERT_TRUE(driver_->erase_all(soon(), DeleteAll::kTruncate));
  ASSERT_TRUE(driver_->flush(soon()));
  const auto outcome = driver_->maintain(soon());
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->worked) << outcome->what;
  expect_holds({});
  if (GetParam().entry->has_files) {
    EXPECT_LT(held_bytes(), loaded / 10);
  }
}

}  // namespace lab
