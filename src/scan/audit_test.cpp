// The audit tells what was asked from what was made, for equal objects, equal blocks, and ends.
// SPDX-License-Identifier: Apache-2.0
#include "scan/audit.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "core/random.hpp"

namespace lab::scan {
namespace {

std::vector<std::byte> noise(std::uint64_t seed, std::size_t size) {
  Random random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

struct AuditTest : testing::Test {
  void SetUp() override {
    auto made = make_audit({.temporary = testing::TempDir()});
    ASSERT_TRUE(made) << made.error().text();
    audit = std::move(*made);
  }

  void add(const std::vector<std::byte>& bytes, bool original) {
    const Status added = audit->add(bytes, sha256(bytes), original);
    ASSERT_TRUE(added) << added.error().text();
  }

  std::map<std::string, AuditRow> finish() {
    std::map<std::string, AuditRow> rows;
    const auto finished = audit->finish();
    EXPECT_TRUE(finished);
    if (finished)
      for (const AuditRow& row : *finished) rows[row.unit] = row;
    return rows;
  }

  std::unique_ptr<Audit> audit{};
};

TEST_F(AuditTest, CountsCopiesAsAskedAndNothingElse) {
  for (const std::uint64_t seed : {1, 2, 3}) add(noise(seed, 262'144), true);
  for (const std::uint64_t seed : {1, 1, 3}) add(noise(seed, 262'144), false);
  const auto rows = finish();
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows.at("object"), (AuditRow{"object", 6, 3, 3}));
  EXPECT_EQ(rows.at("fixed:512"), (AuditRow{"fixed:512", 6 * 512, 3 * 512, 3 * 512}));
  EXPECT_EQ(rows.at("fixed:4096"), (AuditRow{"fixed:4096", 6 * 64, 3 * 64, 3 * 64}));
  EXPECT_EQ(rows.at("fixed:8192"), (AuditRow{"fixed:8192", 6 * 32, 3 * 32, 3 * 32}));
  EXPECT_EQ(rows.at("fixed:131072"), (AuditRow{"fixed:131072", 12, 6, 6}));
  EXPECT_GT(rows.at("cdc:8192").asked, 40U);
  EXPECT_TRUE(rows.at("cdc:8192").as_asked());
  EXPECT_GT(rows.at("cdc:8192").met, rows.at("cdc:8192").asked);
}

TEST_F(AuditTest, FindsOneEqualBlockOf512BytesInTwoOriginals) {
  std::vector<std::byte> one = noise(1, 65'536);
  const std::vector<std::byte> two = noise(2, 65'536);
  std::copy_n(two.begin() + 1'024, 512, one.begin() + 51'200);
  add(one, true);
  add(two, true);
  const auto rows = finish();
  EXPECT_EQ(rows.at("fixed:512").asked, 256U);
  EXPECT_EQ(rows.at("fixed:512").made, 255U);
  EXPECT_FALSE(rows.at("fixed:512").as_asked());
  EXPECT_TRUE(rows.at("fixed:4096").as_asked());
  EXPECT_TRUE(rows.at("object").as_asked());
}

TEST_F(AuditTest, FindsOriginalsThatAreEqualAndCopiesThatAreNot) {
  add(noise(1, 4'096), true);
  add(noise(1, 4'096), true);
  auto rows = finish();
  EXPECT_EQ(rows.at("object"), (AuditRow{"object", 2, 2, 1}));
  SetUp();
  add(noise(1, 4'096), true);
  add(noise(2, 4'096), false);
  rows = finish();
  EXPECT_EQ(rows.at("object"), (AuditRow{"object", 2, 1, 2}));
  EXPECT_EQ(rows.at("fixed:512"), (AuditRow{"fixed:512", 16, 8, 16}));
}

TEST_F(AuditTest, CountsBlocksOfZerosOnce) {
  add(std::vector<std::byte>(8'192), true);
  const auto rows = finish();
  EXPECT_EQ(rows.at("fixed:512"), (AuditRow{"fixed:512", 16, 16, 1}));
}

TEST_F(AuditTest, LeavesOutTheEndsOfObjects) {
  for (std::uint64_t seed = 0; seed < 600; ++seed) add(noise(seed, 513), true);  // Some last bytes are equal.
  const auto rows = finish();
  EXPECT_EQ(rows.at("fixed:512"), (AuditRow{"fixed:512", 600, 600, 600}));
  EXPECT_EQ(rows.at("cdc:8192"), (AuditRow{"cdc:8192", 0, 0, 0}));
  EXPECT_EQ(rows.at("object"), (AuditRow{"object", 600, 600, 600}));
}

TEST_F(AuditTest, IsExactWhereItsMemoryIsTooSmall) {
  auto small = make_audit({.memory = 8_MiB, .temporary = testing::TempDir()});
  ASSERT_TRUE(small) << small.error().text();
  audit = std::move(*small);
  constexpr std::uint64_t kObjects = 400'000;  // Records of 16 bytes: more than 4 MiB of them.
  for (std::uint64_t number = 0; number < kObjects; ++number) {
    std::vector<std::byte> bytes(8);
    const std::uint64_t value = number / 2;
    std::memcpy(bytes.data(), &value, sizeof(value));
    add(bytes, number % 2 == 0);
  }
  EXPECT_EQ(finish().at("object"), (AuditRow{"object", kObjects, kObjects / 2, kObjects / 2}));
}

TEST(Audit, SaysHowMuchMemoryItNeeds) {
  const auto refused = make_audit({.memory = 1_MiB, .temporary = testing::TempDir()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace lab::scan
