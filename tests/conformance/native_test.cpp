// Mode "native": records of each kind go into typed columns and come back to the byte.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"
#include "core/testing/temporary_folder.hpp"
#include "payload/dataset.hpp"
#include "payload/real_data_test_support.hpp"

namespace lab {

class NativeConformance : public DriverConformance {
 protected:
  /// A folder of them, for all tests of the program.
  static std::string real_records() {
    static const TemporaryFolder folder;
    static const bool written = (write_real_records(folder.path(), 200), true);
    EXPECT_TRUE(written);
    return folder.path().string();
  }
  static const NativeSchema& schema() { return *find_native_schema(GetParam().payload); }

  /// Records with the contents `first`, `first` + 1, ... of the kind, each twice under ids of their own.
  static std::vector<Made> records(std::uint64_t first, std::uint64_t contents) {
    DatasetSpec spec{.payload = GetParam().payload, .dataset_seed = 7, .objects = first + contents};
    spec.object_size = {.low = Bytes{3'000}};
    if (schema().form == RecordForm::kRow)
      spec.object_size.low = Bytes{static_cast<std::int64_t>(schema().row_bytes)};
    if (schema().of_real_data) spec.object_size = {.kind = SizeLaw::Kind::kRecord};
    const auto dataset = Dataset::make(spec, {.real_world_dir = real_records()});
    std::vector<Made> all;
    EXPECT_TRUE(dataset) << dataset.error().text();
    if (!dataset) return all;
    std::vector<std::byte> payload;
    for (std::uint64_t at = 0; at < contents; ++at) {
      EXPECT_TRUE((*dataset)->source().fill(first + at, payload));
      for (const std::uint64_t id : {2 * at, 2 * at + 1})
        all.push_back(made(id, std::string(as_text(payload))));
    }
    return all;
  }
};

TEST_P(NativeConformance, EveryRecordComesBackToTheByteAndEqualOnesAreKept) {
  auto objects = records(0, 150);
  load(objects);
  const Made late = made(900, objects[0].payload);
  ASSERT_TRUE(driver_->put(soon(), late.view()));
  objects.push_back(late);
  expect_holds(objects);
  if (!declares(Capability::kGet)) return;
  for (const std::size_t at : {0U, 17U, 300U}) {
    const auto got = driver_->get(soon(), objects[at].key());
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(*got, objects[at].payload);
  }
}

TEST_P(NativeConformance, ASecondPutReplacesEveryColumn) {
  if (!declares(Capability::kReplace)) GTEST_SKIP() << "not declared";
  load(records(0, 20));
  auto objects = records(50, 20);
  load(objects);
  expect_holds(objects);
  objects[3].payload = records(90, 1)[0].payload;
  ASSERT_TRUE(driver_->put(soon(), objects[3].view()));
  expect_holds(objects);
}

TEST_P(NativeConformance, AStreamAndADroppedTableKeepTheSchema) {
  auto objects = records(0, 10);
  if (declares(Capability::kStream)) {
    const auto all = views(objects);
    std::size_t next = 0;
    const Status put = driver_->put_stream(
        soon(), [&]() -> Result<const Object*> { return next == all.size() ? nullptr : &all[next++]; });
    ASSERT_TRUE(put) << put.error().text();
  } else {
    load(objects);
  }
  expect_holds(objects);
  if (declares(Capability::kEraseEach)) {
    ASSERT_TRUE(driver_->erase(soon(), std::vector{objects.back().key()}));
    objects.pop_back();
    expect_holds(objects);
  }
  if (!declares(Capability::kDeleteDrop)) return;
  const Status dropped = driver_->erase_all(soon(), DeleteAll::kDrop);
  ASSERT_TRUE(dropped) << dropped.error().text();
  expect_holds({});
  load(objects);
  expect_holds(objects);
}

TEST_P(NativeConformance, WhatIsNoRecordIsRefusedAndTheDriverGoesOn) {
  if (!schema().is_row()) GTEST_SKIP() << "any text is a record";
  const auto objects = records(0, 1);
  const Made two = made(5, objects[0].payload + objects[0].payload);
  EXPECT_EQ(driver_->put(soon(), two.view()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(driver_->put_batch(soon(), views({objects[0], two})).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(count(), 0U) << "all or nothing";
  load(objects);
  expect_holds(objects);
}

INSTANTIATE_TEST_SUITE_P(Systems, NativeConformance, testing::ValuesIn(native_candidates()), name_of);

}  // namespace lab
