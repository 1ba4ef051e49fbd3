// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/admin.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "drivers/kafka/kafka.hpp"

namespace lab::kafka {
namespace {

SystemConfig config(std::string url, std::map<std::string, std::string> options = {}) {
  return {.url = std::move(url), .password = "secret-words", .options = std::move(options)};
}

constexpr const char* kUrl = "kafka://boss@one,two:9093?security=sasl_ssl&mechanism=PLAIN";

TEST(KafkaAdmin, ItPrintsTheCommandsThatGiveAndTakeTheRights) {
  const auto admin = kafka_system().admin(config(kUrl, {{"namespace", "bench"}, {"lab_user", "lab"}}));
  ASSERT_TRUE(admin) << admin.error().text();
  const std::string start =
      "kafka-acls.sh --bootstrap-server one:9092,two:9093 --command-config "
      "'${DEDUP_KAFKA_CLIENT_PROPERTIES}' ";
  const std::string topics =
      " --allow-principal 'User:lab' --operation Read --operation Write --operation Delete --operation "
      "Describe --operation DescribeConfigs --operation Create --operation AlterConfigs "
      "--resource-pattern-type prefixed --topic bench-";
  const std::string cluster =
      " --allow-principal 'User:lab' --operation DescribeConfigs --operation IdempotentWrite --cluster";
  EXPECT_EQ((*admin)->apply_statements(),
            (std::vector<std::string>{
                "-- Save the lines below as FILE and export DEDUP_KAFKA_CLIENT_PROPERTIES, the file with an "
                "administrator's login that the tool reads, which takes the place of "
                "${DEDUP_KAFKA_CLIENT_PROPERTIES}: grep -v '^--' FILE | envsubst "
                "'${DEDUP_KAFKA_CLIENT_PROPERTIES}' | sh",
                start + "--add" + topics, start + "--add" + cluster}));
  EXPECT_EQ((*admin)->undo_statements(), (std::vector<std::string>{start + "--remove --force" + topics,
                                                                   start + "--remove --force" + cluster}));
}

TEST(KafkaAdmin, ItsUserIsTheUrlsUnlessTheOptionNamesAnother) {
  const auto text = [](const SystemConfig& one) {
    const auto admin = kafka_system().admin(one);
    return admin ? (*admin)->apply_statements()[1] : admin.error().text();
  };
  EXPECT_NE(text(config(kUrl)).find("'User:boss'"), std::string::npos) << text(config(kUrl));
  const std::string none = text(config("kafka://one?security=plaintext"));
  EXPECT_NE(none.find("'User:ANONYMOUS'"), std::string::npos) << none;
  EXPECT_EQ(none.find("--command-config"), std::string::npos) << none;
  for (const char* user : {"", "*", "o'lab", "two\nlines"}) {
    const auto refused = kafka_system().admin(config(kUrl, {{"lab_user", user}}));
    ASSERT_FALSE(refused) << user;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().detail.find("'lab_user'"), std::string::npos) << refused.error().text();
  }
}

TEST(KafkaAdmin, WhereTopicsAreAnOperatorsNoRightToMakeOrChangeThemIsAskedFor) {
  Store store;
  store.names.prefix = "bench";
  const auto asks = [&](rd_kafka_AclOperation_t operation) {
    const auto rules = rules_of(store, "lab");
    return std::any_of(rules.begin(), rules.end(), [&](const AclRule& rule) {
      return rule.operation == operation && rule.resource == RD_KAFKA_RESOURCE_TOPIC;
    });
  };
  EXPECT_TRUE(asks(RD_KAFKA_ACL_OPERATION_CREATE));
  store.create = false;
  EXPECT_FALSE(asks(RD_KAFKA_ACL_OPERATION_CREATE));
  EXPECT_FALSE(asks(RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS));
  EXPECT_TRUE(asks(RD_KAFKA_ACL_OPERATION_DELETE)) << "DeleteRecords";
  for (const AclRule& rule : rules_of(store, "lab")) {
    EXPECT_EQ(rule.principal, "User:lab");
    EXPECT_EQ(rule.name, rule.resource == RD_KAFKA_RESOURCE_TOPIC ? "bench-" : "kafka-cluster");
  }
}

}  // namespace
}  // namespace lab::kafka
