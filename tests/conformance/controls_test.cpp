// The two controls give the two answers that the instrument must be able to see.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"
#include "drivers/cas/cas.hpp"
#include "drivers/files/files.hpp"

namespace lab {
namespace {

constexpr std::size_t kObjects = 100;
constexpr std::size_t kSize = 65'536;

/// Allocated bytes that `distinct` contents among 100 objects cost.
std::int64_t stored_bytes(const SystemEntry& entry, std::size_t distinct) {
  const TemporaryFolder folder;
  const SystemConfig config{.run_id = "20260131T120000Z-7e57ab1e", .path = folder.path() / "home"};
  const auto session = *entry.open(config, soon());
  const auto driver = *session->open_driver(soon());
  EXPECT_TRUE(driver->reset(soon()));
  const std::int64_t empty = tree_of(config.path / "data").allocated;
  std::vector<Made> objects;
  for (std::uint64_t number = 0; number < kObjects; ++number)
    objects.push_back(made(number, random_bytes(number % distinct, kSize)));
  EXPECT_TRUE(driver->put_batch(soon(), views(objects)));
  EXPECT_TRUE(driver->flush(soon()));
  return tree_of(config.path / "data").allocated - empty;
}

/// Of 90 duplicates among 100 equal-sized objects: 1 when they are free, 0 when they are paid in full.
double eta(const SystemEntry& entry) {
  const auto none = static_cast<double>(stored_bytes(entry, 100));
  const auto many = static_cast<double>(stored_bytes(entry, 10));
  return (none - many) / (none * 0.9);
}

}  // namespace

TEST(Controls, PlainFilesPayEachDuplicateInFull) { EXPECT_NEAR(eta(files_system()), 0, 0.01); }

TEST(Controls, ContentAddressedFilesPayNoDuplicate) { EXPECT_NEAR(eta(cas_system()), 1, 0.01); }

TEST(Controls, TheIndexOfContentAddressedFilesCostsLessThanOnePercent) {
  EXPECT_LT(stored_bytes(cas_system(), 100), static_cast<std::int64_t>(kObjects * kSize * 101 / 100));
}

}  // namespace lab
