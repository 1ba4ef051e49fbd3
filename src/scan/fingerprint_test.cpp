// SPDX-License-Identifier: Apache-2.0
#include "scan/fingerprint.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "core/hash.hpp"

namespace lab::scan {
namespace {

/// As BLAKE3's official test vectors fill their inputs.
std::vector<std::byte> counting_bytes(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251);
  return bytes;
}

std::string hex_of(FingerprintKind kind, std::span<const std::byte> bytes) {
  const Fingerprint fingerprint = fingerprint_of(kind, bytes);
  return to_hex(std::as_bytes(std::span(fingerprint)));
}

struct Known {
  std::size_t size = 0;
  const char* digest = "";
};

// Of the official test_vectors.json, the first 32 bytes: around a chunk of 1 KiB, a level of the tree, and
// what the widest kernel takes at once.
constexpr Known kBlake3[] = {
    {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
    {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
    {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"},
    {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
    {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
    {2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"},
    {4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"},
    {7169, "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817"},
    {8193, "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b"},
    {16384, "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4"},
    {31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
    {102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
};

TEST(Fingerprints, OfBlake3AreThoseOfItsOfficialVectors) {
  for (const Known& known : kBlake3)
    EXPECT_EQ(hex_of(FingerprintKind::kBlake3, counting_bytes(known.size)), known.digest) << known.size;
}

TEST(Fingerprints, OfSha256AreItsDigests) {
  EXPECT_EQ(hex_of(FingerprintKind::kSha256, as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Fingerprints, OfXxh3TakeTwoWordsAndLeaveTheRest) {
  const Fingerprint fingerprint = fingerprint_of(FingerprintKind::kXxh3, as_bytes("abc"));
  EXPECT_NE(fingerprint[0], 0U);
  EXPECT_NE(fingerprint[1], 0U);
  EXPECT_EQ(fingerprint[2], 0U);
  EXPECT_EQ(fingerprint[3], 0U);
  EXPECT_FALSE(is_wide(FingerprintKind::kXxh3));
  EXPECT_TRUE(is_wide(FingerprintKind::kSha256));
  EXPECT_TRUE(is_wide(FingerprintKind::kBlake3));
}

TEST(Fingerprints, AreTheSameOnEachThread) {
  const auto bytes = counting_bytes(31744);
  std::array<std::string, 4> found;
  {
    std::vector<std::jthread> threads;
    for (std::string& one : found)
      threads.emplace_back([&] { one = hex_of(FingerprintKind::kBlake3, bytes); });
  }
  for (const std::string& one : found) EXPECT_EQ(one, kBlake3[10].digest);
}

TEST(Fingerprints, AWordThatIsNoneNamesTheNearest) {
  for (const FingerprintKind kind :
       {FingerprintKind::kXxh3, FingerprintKind::kSha256, FingerprintKind::kBlake3}) {
    const auto parsed = parse_fingerprint(std::string(to_string(kind)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, kind);
  }
  const auto refused = parse_fingerprint("blake2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().detail.find("did you mean 'blake3'?"), std::string::npos);
}

}  // namespace
}  // namespace lab::scan
