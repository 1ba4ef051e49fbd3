// What goes in comes out: bytes, counts, second puts, containers.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"

namespace lab {

TEST_P(DriverConformance, ReadsBackTheBytesItAcknowledged) {
  const Made object =
      made(1, std::string("a\0b\xff", 4));  // A NUL and a non-UTF-8 byte: text paths lose them.
  ASSERT_TRUE(driver_->put(soon(), object.view()));
  expect_holds({object});
}

TEST_P(DriverConformance, KeepsAnEmptyObjectAndALargeOne) {
  const std::vector<Made> objects{made(1, ""), made(2, random_bytes(2, 8U << 20U)), made(3, "x")};
  for (const Made& object : objects) {
    const Status put = driver_->put(soon(), object.view());
    ASSERT_TRUE(put) << put.error().text();
  }
  expect_holds(objects);
  if (!declares(Capability::kGet)) return;
  for (const Made& object : objects) EXPECT_TRUE(*driver_->get(soon(), object.key()) == object.payload);
}

TEST_P(DriverConformance, ReadsBackEveryObjectOfABatch) {
  std::vector<Made> objects;
  for (std::uint64_t number = 0; number < 400; ++number)
    objects.push_back(made(number, random_bytes(number + 1, number * 97)));
  load(objects);
  expect_holds(objects);
}

TEST_P(DriverConformance, ReadsBackEveryObjectOfAStream) {
  if (!declares(Capability::kStream)) GTEST_SKIP() << "not declared";
  auto objects = made_many(0, 300, 3'000);
  objects.push_back(made(900, ""));
  objects.push_back(made(901, random_bytes(901, 1'000'000)));
  Object borrowed;
  std::size_t next = 0;
  const Status put = driver_->put_stream(soon(), [&]() -> Result<const Object*> {
    if (next == objects.size()) return nullptr;
    borrowed = objects[next++].view();
    return &borrowed;
  });
  ASSERT_TRUE(put) << put.error().text();
  ASSERT_TRUE(driver_->flush(soon()));
  expect_holds(objects);
}

TEST_P(DriverConformance, AnErrorOfItsSourceEndsAStreamAndTheDriverGoesOn) {
  if (!declares(Capability::kStream)) GTEST_SKIP() << "not declared";
  const auto objects = made_many(0, 20, 50'000);
  Object borrowed;
  std::size_t next = 0;
  const Status put = driver_->put_stream(soon(), [&]() -> Result<const Object*> {
    if (next == objects.size()) return Error{ErrorCode::kCorruption, "source", "the disk of the source"};
    borrowed = objects[next++].view();
    return &borrowed;
  });
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kCorruption) << put.error().text();
  const Status emptied = driver_->reset(soon());
  ASSERT_TRUE(emptied) << emptied.error().text();
  load(objects);
  expect_holds(objects);
}

TEST_P(DriverConformance, CountsAfterEachStep) {
  EXPECT_EQ(count(), 0U);
  const auto objects = made_many(0, 3, 100);
  for (std::size_t done = 0; done < objects.size(); ++done) {
    ASSERT_TRUE(driver_->put(soon(), objects[done].view()));
    EXPECT_EQ(count(), done + 1);
  }
  load(made_many(3, 10, 100));
  EXPECT_EQ(count(), 13U);
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(count(), 0U);
}

TEST_P(DriverConformance, DoesWhatItDeclaresOnASecondPut) {
  const Made first = made(1, random_bytes(1, 5'000));
  const Made second = made(1, random_bytes(2, 70'000));
  ASSERT_TRUE(driver_->put(soon(), first.view()));
  const Status again = driver_->put(soon(), second.view());
  EXPECT_EQ(declares(Capability::kReplace), info().second_put == SecondPut::kReplace);
  switch (info().second_put) {
    case SecondPut::kReplace:
      ASSERT_TRUE(again) << again.error().text();
      expect_holds({second});
      break;
    case SecondPut::kRefuse:
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error().code, ErrorCode::kRefused);
      expect_holds({first});
      break;
    case SecondPut::kAppend:
      ASSERT_TRUE(again) << again.error().text();
      expect_holds({first, second});
      break;
  }
}

TEST_P(DriverConformance, ReplacesInsideABatchAsByItself) {
  if (!declares(Capability::kBatch) || !declares(Capability::kReplace)) GTEST_SKIP() << "not declared";
  load(made_many(0, 20, 3'000));
  std::vector<Made> replaced = made_many(0, 20, 4'000);
  load(replaced);
  expect_holds(replaced);
}

TEST_P(DriverConformance, FindsNothingUnderAMissingId) {
  const auto objects = made_many(0, 2, 100);
  load(objects);
  const ObjectKey missing{.id = id_of(99)};
  if (declares(Capability::kGet)) {
    const auto got = driver_->get(soon(), missing);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ErrorCode::kNotFound);
  }
  if (declares(Capability::kEraseEach)) {
    const Status erased = driver_->erase(soon(), {&missing, 1});
    ASSERT_FALSE(erased);
    EXPECT_EQ(erased.error().code, ErrorCode::kNotFound);
  }
  expect_holds(objects);
}

TEST_P(DriverConformance, KeepsEqualContentsOrOneOfThemAsItDeclares) {
  std::vector<Made> objects;
  for (std::uint64_t number = 0; number < 12; ++number)
    objects.push_back(made(number, random_bytes(number % 3, 9'000)));
  load(objects);
  const Made late = made(50, objects[0].payload);
  ASSERT_TRUE(driver_->put(soon(), late.view()));
  if (info().keeps == Keeps::kOnePerKeyAtIngestion) {
    expect_holds({objects[0], objects[1], objects[2]});
    return;
  }
  objects.push_back(late);
  if (info().keeps == Keeps::kAll) {
    expect_holds(objects);
  } else {
    EXPECT_GE(count(), 3U);
    EXPECT_LE(count(), objects.size());
  }
}

TEST_P(DriverConformance, KeepsContainersApart) {
  close();
  config_.containers = 3;
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(driver_->reset(soon()));
  const std::string same = random_bytes(7, 20'000);
  std::vector<Made> objects;
  for (std::uint32_t container = 0; container < 3; ++container) {
    objects.push_back(made(container, same, container));
    objects.push_back(made(100, random_bytes(container, 500), container));  // One id in all containers.
  }
  load(objects);
  expect_holds(objects);
  if (declares(Capability::kEraseEach)) {
    const ObjectKey gone[] = {objects[3].key()};
    ASSERT_TRUE(driver_->erase(soon(), gone));
    objects.erase(objects.begin() + 3);
    expect_holds(objects);
  }
  close();
  ASSERT_NO_FATAL_FAILURE(open());
  if (GetParam().entry->has_files) expect_holds(objects);
}

TEST_P(DriverConformance, RefusesAContainerThatIsNotThere) {
  const Made object = made(1, "x", 1);
  const Status put = driver_->put(soon(), object.view());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(count(), 0U);
}

TEST_P(DriverConformance, ReturnsTheErrorOfTheReader) {
  load(made_many(0, 3, 100));
  int seen = 0;
  const Status read =
      driver_->read_all(soon(), [&](const ObjectId&, std::uint32_t, std::span<const std::byte>) -> Status {
        ++seen;
        return Error{ErrorCode::kCorruption, "reader", "enough"};
      });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().detail, "enough");
  EXPECT_EQ(seen, 1);
}

}  // namespace lab
