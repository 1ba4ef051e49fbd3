// SHA-256 against the vectors of FIPS 180-4 and NIST, and the order-free sum of digests.
// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lab {
namespace {

TEST(Hash, AgreesWithThePublishedVectors) {
  struct Case {
    const char* what;
    std::string message;
    const char* digest;
  };
  const Case cases[] = {
      {"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"a million", std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    EXPECT_EQ(to_hex(sha256(one.message)), one.digest);
  }
}

TEST(Hash, PiecesGiveTheDigestOfTheWholeAndADigestStartsAnew) {
  Sha256 hash;
  for (int round = 0; round < 2; ++round) {
    hash.update("a");
    hash.update("");
    hash.update("bc");
    EXPECT_EQ(hash.digest(), sha256("abc"));
  }
}

TEST(Hash, TheLeadingEightBytesAreBigEndian) { EXPECT_EQ(leading_u64(sha256("abc")), 0xBA7816BF8F01CFEAULL); }

TEST(Hash, EqualMultisetsHaveEqualSumsInAnyOrder) {
  DigestSum forward;
  DigestSum backward;
  for (int i = 0; i < 100; ++i) forward.add(sha256(std::to_string(i % 40)));
  for (int i = 99; i >= 0; --i) backward.add(sha256(std::to_string(i % 40)));
  EXPECT_EQ(forward, backward);
  EXPECT_EQ(forward.count, 100U);
}

TEST(Hash, ALostADoubledAndAChangedObjectChangeTheSum) {
  DigestSum whole;
  for (const char* text : {"a", "b", "c"}) whole.add(sha256(text));
  DigestSum doubled;
  for (const char* text : {"a", "b", "b"}) doubled.add(sha256(text));
  DigestSum lost;
  for (const char* text : {"a", "b"}) lost.add(sha256(text));
  EXPECT_NE(whole, doubled);
  EXPECT_NE(whole, lost);
}

}  // namespace
}  // namespace lab
