// The share that zstd leaves of each object is the one that was asked for, at any size and grade.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <zstd.h>

#include <set>

#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

DatasetSpec compressible(int thousandths, Bytes size, std::uint64_t objects = 10, int grade = 0) {
  DatasetSpec spec = spec_of("random_binary", objects, grade, size);
  spec.compressible = thousandths;
  return spec;
}

double share_left(std::span<const std::byte> bytes) {
  std::vector<char> compressed(ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compress(compressed.data(), compressed.size(), bytes.data(), bytes.size(), 3);
  EXPECT_FALSE(ZSTD_isError(size));
  return static_cast<double>(size) / static_cast<double>(bytes.size());
}

TEST(Compressible, IsMetWithinTwoPercentByEachObjectAlone) {
  for (const int thousandths : {200, 225, 250, 333, 500, 667, 750, 800, 900, 950, 990})
    for (const std::int64_t size : {2'048, 4'096, 5'000, 16'384, 65'536, 100'001, 131'072, 1'048'576}) {
      const auto dataset = made(compressible(thousandths, Bytes{size}));
      for (const std::uint64_t content : {0, 1, 7}) {
        SCOPED_TRACE(testing::Message() << thousandths << " of " << size << " content " << content);
        const auto bytes = bytes_of(*dataset, content);
        ASSERT_EQ(std::ssize(bytes), size);
        EXPECT_NEAR(share_left(bytes) / (thousandths / 1'000.0), 1, 0.02);
      }
    }
}

TEST(Compressible, HasNoEqualBlocksAndTheGradeOfAnyOtherKind) {
  for (const int grade : {0, 90}) {
    const auto dataset = made(compressible(200, 8_KiB, 200, grade));
    std::set<Digest> blocks;
    std::set<Digest> objects;
    for (std::uint64_t number = 0; number < 200; ++number) {
      const auto bytes = bytes_of(*dataset, dataset->facts(number).content);
      objects.insert(sha256(bytes));
      for (std::size_t at = 0; at < bytes.size(); at += 512)
        blocks.insert(sha256(std::span(bytes).subspan(at, 512)));
    }
    EXPECT_EQ(objects.size(), dataset->distinct());
    EXPECT_EQ(blocks.size(), dataset->distinct() * 16);
  }
}

TEST(Compressible, IsFormatV2) {
  const auto dataset = made(compressible(250, 16_KiB));
  EXPECT_EQ(to_hex(sha256(bytes_of(*dataset, 3))),
            "ee9e4e5aa40887f7b1a7fd4ef1f185ed760ac79f372dd33af7ef2b8aa902626b");
}

TEST(Compressible, IsRefusedWhereItCannotBeMet) {
  const auto refused = [](const DatasetSpec& spec, const char* says) {
    const Status checked = Dataset::check(spec);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(checked.error().detail.find(says), std::string::npos) << checked.error().detail;
    const auto dataset = Dataset::make(spec);
    ASSERT_FALSE(dataset);
    EXPECT_EQ(dataset.error().text(), checked.error().text());
  };
  DatasetSpec spec = compressible(500, 4_KiB);
  EXPECT_TRUE(Dataset::check(spec));
  refused(compressible(500, Bytes{2'047}), "at least 2");
  refused(compressible(199, 4_KiB), "200 to 990");
  refused(compressible(991, 4_KiB), "200 to 990");
  for (const char* payload : {"structured_json", "mixed", "mixed:random_binary=1+uuid_keys=1"}) {
    spec.payload = payload;
    refused(spec, "compresses as it does");
  }
  spec.payload = "directory:/data";
  refused(spec, "real files compress as they do");
}

}  // namespace
}  // namespace lab
