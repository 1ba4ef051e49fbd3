// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/bulk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace lab::mariadb {
namespace {

std::vector<Object> sized(const std::string& bytes, const std::vector<std::size_t>& sizes) {
  std::vector<Object> objects;
  for (const std::size_t size : sizes)
    objects.push_back({.payload = as_bytes(std::string_view(bytes).substr(0, size))});
  return objects;
}

TEST(MariadbArrays, HoldEveryObjectOnceAndInOrder) {
  const std::string bytes(1'000, 'x');
  auto objects = sized(bytes, std::vector<std::size_t>(100, 1'000));
  for (std::size_t index = 0; index < objects.size(); ++index)
    objects[index].container = static_cast<std::uint32_t>(index % 3);
  std::vector<std::size_t> seen;
  for (const auto& array : arrays_of(objects, 10'000)) {
    ASSERT_FALSE(array.empty());
    for (std::size_t at = 0; at < array.size(); ++at) {
      EXPECT_EQ(objects[array[at]].container, objects[array[0]].container);
      if (at > 0) {
        EXPECT_LT(array[at - 1], array[at]);
      }
      seen.push_back(array[at]);
    }
  }
  std::sort(seen.begin(), seen.end());
  std::vector<std::size_t> all(objects.size());
  std::iota(all.begin(), all.end(), 0U);
  EXPECT_EQ(seen, all);
}

TEST(MariadbArrays, StayBelowThePacketUnlessOneObjectAloneIsLarger) {
  const std::string bytes(50'000, 'x');
  const auto objects = sized(bytes, {4'000, 4'000, 4'000, 50'000, 1, 0, 9'000});
  for (const auto& array : arrays_of(objects, 10'000)) {
    std::int64_t total = 0;
    for (const std::size_t index : array)
      total += static_cast<std::int64_t>(objects[index].payload.size()) + kRowOverhead;
    EXPECT_TRUE(total <= 10'000 || array.size() == 1) << total;
  }
}

TEST(MariadbArrays, OfNothingAreNone) { EXPECT_TRUE(arrays_of({}, 10'000).empty()); }

TEST(MariadbArrays, ManySmallObjectsAreNotOneArray) {
  const std::string bytes;
  const auto arrays = arrays_of(sized(bytes, std::vector<std::size_t>(10'000, 0)), 1LL << 30);
  EXPECT_GT(arrays.size(), 1U);
}

TEST(MariadbArrays, AreBoundedByTheClientsMemoryAndByTheServer) {
  EXPECT_EQ(array_bytes(1LL << 30), 4LL << 20);
  EXPECT_LT(array_bytes(1LL << 20), 1LL << 20);
  EXPECT_LT(*object_size_max(16LL << 20), 16LL << 20);
  EXPECT_FALSE(object_size_max(1'024));
}

TEST(MariadbArrays, TheServersCountIsReadFromItsSummary) {
  EXPECT_EQ(*records_of("Records: 17  Duplicates: 3  Warnings: 0", "put"), 17U);
  for (const char* other : {"", "Rows matched: 1  Changed: 0  Warnings: 0", "Records: "})
    EXPECT_FALSE(records_of(other, "put")) << other;
}

}  // namespace
}  // namespace lab::mariadb
