// Which mixes can be written, and what is said of those that cannot.
// SPDX-License-Identifier: Apache-2.0
#include "model/mix.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

const std::vector<std::string> kKinds{"random_binary", "structured_json", "uuid_keys"};

TEST(Mix, HasTheSharesAsTheyAreWritten) {
  const auto shares = parse_mix("mixed:uuid_keys=100+structured_json=1", kKinds);
  ASSERT_TRUE(shares) << shares.error().text();
  EXPECT_EQ(*shares, (std::vector<MixShare>{{"uuid_keys", 100}, {"structured_json", 1}}));
}

TEST(Mix, IsFiveEqualSharesWithoutNoiseUnlessSharesAreWritten) {
  const auto shares = parse_mix("mixed", kKinds);
  ASSERT_TRUE(shares);
  EXPECT_EQ(*shares, (std::vector<MixShare>{{"structured_json", 1},
                                            {"text_document", 1},
                                            {"uuid_keys", 1},
                                            {"jsonb_documents", 1},
                                            {"time_series", 1}}));
}

TEST(Mix, IsRecognisedByItsName) {
  EXPECT_TRUE(is_mixed("mixed"));
  EXPECT_TRUE(is_mixed("mixed:"));
  EXPECT_FALSE(is_mixed("mixed_documents"));
  EXPECT_FALSE(is_mixed("directory:mixed:"));
}

TEST(Mix, SaysWhatIsWrongWithNearestWord) {
  for (const auto& [payload, says] : {
           std::pair{"mixed:", "'' is not a kind that can be mixed"},
           {"mixed:uuid_keys", "'uuid_keys' has no share"},
           {"mixed:uuid_key=1+structured_json=1", "did you mean 'uuid_keys'?"},
           {"mixed:mixed=1+uuid_keys=1", "'mixed' is not a kind that can be mixed"},
           {"mixed:uuid_keys=1+uuid_keys=2", "'uuid_keys' stands twice"},
           {"mixed:uuid_keys=1", "at least two kinds"},
           {"mixed:uuid_keys=0+structured_json=1", "'0' of uuid_keys is not an integer from 1 to 100"},
           {"mixed:uuid_keys=101+structured_json=1", "1 to 100"},
           {"mixed:uuid_keys=-1+structured_json=1", "1 to 100"},
           {"mixed:uuid_keys=1.5+structured_json=1", "1 to 100"},
           {"mixed:uuid_keys=+structured_json=1", "1 to 100"},
           {"mixed:uuid_keys=1++structured_json=1", "'' is not a kind"},
       }) {
    SCOPED_TRACE(payload);
    const auto shares = parse_mix(payload, kKinds);
    ASSERT_FALSE(shares);
    EXPECT_EQ(shares.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(shares.error().detail.find(says), std::string::npos) << shares.error().detail;
  }
}

}  // namespace
}  // namespace lab
