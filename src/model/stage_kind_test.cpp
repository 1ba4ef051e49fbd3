// Stages by name, and chains whose stages find what they need.
// SPDX-License-Identifier: Apache-2.0
#include "model/stage_kind.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "model/verdict.hpp"

namespace lab {
namespace {

Chain chain_of(std::string_view text) {
  Chain chain;
  for (const std::string& name : split(text, '>')) {
    const auto kind = parse_stage_kind(name);
    EXPECT_TRUE(kind) << name;
    if (kind) chain.push_back(*kind);
  }
  return chain;
}

TEST(Stages, NamesAreReadBackAndSlipsAreNamed) {
  EXPECT_EQ(stage_names().size(), 9U);
  for (const std::string& name : stage_names()) EXPECT_EQ(to_string(*parse_stage_kind(name)), name);
  const auto slip = parse_stage_kind("bulk_inserts");
  ASSERT_FALSE(slip);
  EXPECT_EQ(slip.error().detail, "'bulk_inserts' is not a stage; did you mean 'bulk_insert'?");
}

TEST(Stages, AChainWhoseStagesFindWhatTheyNeedIsAccepted) {
  for (const char* text :
       {"bulk_insert", "perfile_insert>perfile_delete>maintenance>refill",
        "bulk_insert>delete_truncate>refill", "bulk_insert>update>delete_logical>maintenance>refill",
        "bulk_insert>maintenance", "bulk_insert>delete_drop>refill>perfile_delete"}) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(check_chain(chain_of(text)));
    EXPECT_EQ(chain_name(chain_of(text)), text);
  }
}

TEST(Stages, AChainWithAMissingPreconditionNamesTheStageAndWhatItNeeds) {
  struct Case {
    const char* chain;
    const char* error;
  };
  const Case cases[] = {
      {"perfile_delete", "stage 1 of 'perfile_delete', perfile_delete, needs objects"},
      {"update>bulk_insert", "stage 1 of 'update>bulk_insert', update, needs objects"},
      {"maintenance", "maintenance, needs an earlier stage"},
      {"refill", "refill, needs a deletion before it"},
      {"bulk_insert>refill", "stage 2 of 'bulk_insert>refill', refill, needs a deletion before it"},
      {"bulk_insert>perfile_insert", "perfile_insert, needs an empty system"},
      {"bulk_insert>delete_truncate>perfile_insert", "use refill after a deletion"},
      {"bulk_insert>delete_truncate>delete_drop", "delete_drop, needs objects"},
      {"bulk_insert>delete_truncate>update", "update, needs objects"},
      {"bulk_insert>maintenance>update>maintenance", "stage 4"},
      {"bulk_insert>update>update", "stands twice in the chain"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.chain);
    const Status status = check_chain(chain_of(one.chain));
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().detail.find(one.error), std::string::npos) << status.error().detail;
  }
  EXPECT_FALSE(check_chain({}));
}

TEST(Verdicts, HaveTheWordsThatScriptsDependOn) {
  EXPECT_EQ(to_string(VerdictWord::kNone), "none");
  EXPECT_EQ(to_string(VerdictWord::kPartial), "partial");
  EXPECT_EQ(to_string(VerdictWord::kFull), "full");
  EXPECT_EQ(to_string(VerdictWord::kInconclusive), "inconclusive");
  EXPECT_EQ(to_string(VerdictWord::kTooFewRepetitions), "too_few_repetitions");
  EXPECT_EQ(to_string(VerdictWord::kWithheld), "withheld");
  EXPECT_EQ(to_string(VerdictWord::kSemantic), "semantic");
}

}  // namespace
}  // namespace lab
