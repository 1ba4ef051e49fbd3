// The table of what servers may refuse finds what is not in it, and what is in it no more.
// SPDX-License-Identifier: Apache-2.0
#include "server_refusals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lab::e2e {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Json stage_of(const char* system, const char* variant, const char* stage, const std::string& reason,
              const char* mode = "blob") {
  return {{"system", system},
          {"variant", variant},
          {"stage", stage},
          {"mode", mode},
          {"chain", "a>b"},
          {"cell_id", variant},
          {"superseded", false},
          {"control", false},
          {"valid", reason.empty()},
          {"reason", reason},
          {"server", {{"version", "25.3.1"}}}};
}

TEST(ServerRefusals, DeclaredOnesAndWhatFollowsFromThemAreRight) {
  EXPECT_THAT(
      contradictions(
          {stage_of("redis", "aof+stream", "bulk_insert", ""),
           stage_of("redis", "aof+stream", "update",
                    "unsupported: redis variant x declares no replacing put"),
           stage_of("redis", "aof+stream", "delete_logical",
                    "unsupported: it declares no logical deletion of all"),
           stage_of("redis", "rdb+stream", "delete_drop", ""),
           stage_of("redis", "rdb+hash", "delete_drop", "unsupported: redis variant x declares no dropping"),
           stage_of("redis", "aof+stream", "refill",
                    "unsupported: the system still holds the objects: this variant does not declare the "
                    "deletion before")}),
      IsEmpty());
}

TEST(ServerRefusals, OneThatIsNotDeclaredIsFound) {
  for (const Json& stage :
       {stage_of("mariadb", "default", "update",
                 "unsupported: mariadb variant default declares no replacing put"),
        stage_of("redis", "aof", "update", "unsupported: redis variant aof declares no replacing put"),
        stage_of("redis", "aof+stream", "update", "unsupported: the moon is full"),
        stage_of("postgresql", "lz4", "bulk_insert", "unsupported: variant lz4 has no mode 'native'",
                 "native"),
        stage_of("clickhouse", "zstd", "bulk_insert", "unsupported: ClickHouse 25 has no codecs of columns"),
        stage_of("redis", "aof", "refill",
                 "unsupported: the system still holds the objects: this variant does "
                 "not declare the deletion before")}) {
    SCOPED_TRACE(stage["reason"]);
    EXPECT_THAT(contradictions(Json::array({stage})),
                ElementsAre(HasSubstr("is refused, and the table does not say so")));
  }
}

TEST(ServerRefusals, OneThatIsNoMoreIsFound) {
  EXPECT_THAT(
      contradictions(Json::array({stage_of("kafka", "lz4", "update", "")})),
      ElementsAre("kafka/lz4 blob update of a>b: is valid, and the table has it as refused: 'declares no "
                  "replacing put'"));
  EXPECT_THAT(contradictions(Json::array({stage_of("postgresql", "lz4", "update", "")})), IsEmpty())
      << "that depends on how the server was built";
}

TEST(ServerRefusals, AFailureIsNoRefusal) {
  EXPECT_THAT(contradictions(Json::array({stage_of("redis", "aof", "update", "CONNECTION_LOST")})),
              ElementsAre(HasSubstr("CONNECTION_LOST")));
}

TEST(ServerRefusals, AnOldServerMayRefuseWhatANewOneMayNot) {
  Json old =
      stage_of("clickhouse", "zstd", "bulk_insert", "unsupported: ClickHouse 18 has no codecs of columns");
  old["server"]["version"] = "18.16.1";
  EXPECT_THAT(contradictions(Json::array({old})), IsEmpty());
}

}  // namespace
}  // namespace lab::e2e
