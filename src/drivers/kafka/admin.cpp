// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/text.hpp"
#include "driver/lab_user.hpp"

namespace lab::kafka {
namespace {

constexpr const char* kOperation = "kafka.setup";
constexpr const char* kClientFile = "DEDUP_KAFKA_CLIENT_PROPERTIES";  // Names the tool's file of its login.
constexpr const char* kCluster = "kafka-cluster";  // Kafka's own name of the cluster in its rights.

struct Right {
  rd_kafka_AclOperation_t operation{};
  const char* name = "";     // As kafka-acls.sh spells it.
  bool of_operator = false;  // Where the topics are an operator's, we do not need it.
};

/// DeleteRecords asks for Delete.
constexpr Right kTopicRights[] = {
    {RD_KAFKA_ACL_OPERATION_READ, "Read", false},
    {RD_KAFKA_ACL_OPERATION_WRITE, "Write", false},
    {RD_KAFKA_ACL_OPERATION_DELETE, "Delete", false},
    {RD_KAFKA_ACL_OPERATION_DESCRIBE, "Describe", false},
    {RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS, "DescribeConfigs", false},
    {RD_KAFKA_ACL_OPERATION_CREATE, "Create", true},
    {RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS, "AlterConfigs", true},
};
constexpr Right kClusterRights[] = {
    {RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS, "DescribeConfigs", false},
    {RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE, "IdempotentWrite", false},
};

bool needs(const Store& store, const Right& right) { return store.create || !right.of_operator; }

std::string topic_prefix(const Store& store) { return store.names.prefix + "-"; }

class KafkaAdmin final : public Admin {
 public:
  KafkaAdmin(const Store& store, std::string user)
      : access_(store.access), prefix_(topic_prefix(store)), user_(std::move(user)) {
    rules_ = rules_of(store, user_);
    for (const Right& right : kTopicRights)
      if (needs(store, right)) topic_words_ += std::string(" --operation ") + right.name;
    for (const Right& right : kClusterRights) cluster_words_ += std::string(" --operation ") + right.name;
  }

  std::vector<std::string> apply_statements() const override {
    std::vector<std::string> all{how_to_give(
        has_login() ? kClientFile : "", "the file with an administrator's login that the tool reads", "sh")};
    for (std::string& command : commands("--add")) all.push_back(std::move(command));
    return all;
  }
  std::vector<std::string> undo_statements() const override { return commands("--remove --force"); }

  Status apply(const CallContext& call) override {
    auto client = connect(call);
    if (!client) return client.error();
    return create_acls(**client, call, kOperation, rules_);
  }

  Status undo(const CallContext& call) override {
    auto client = connect(call);
    if (!client) return client.error();
    return delete_acls(**client, call, kOperation, rules_);
  }

 private:
  Result<std::unique_ptr<Client>> connect(const CallContext& call) const {
    return Client::connect(access_, Client::Kind::kReader, reader_settings(), call, kOperation);
  }

  bool has_login() const { return access_.address.security != "plaintext"; }

  std::vector<std::string> commands(const char* what) const {
    std::string begin = "kafka-acls.sh --bootstrap-server " + join(access_.address.hosts, ",");
    if (has_login()) begin += fmt::format(" --command-config '{}'", placeholder(kClientFile));
    begin += fmt::format(" {} --allow-principal 'User:{}'", what, user_);
    return {fmt::format("{}{} --resource-pattern-type prefixed --topic {}", begin, topic_words_, prefix_),
            fmt::format("{}{} --cluster", begin, cluster_words_)};
  }

  Access access_;
  std::string prefix_;
  std::string user_;
  std::vector<AclRule> rules_{};
  std::string topic_words_{};
  std::string cluster_words_{};
};

}  // namespace

std::vector<AclRule> rules_of(const Store& store, const std::string& user) {
  std::vector<AclRule> rules;
  const std::string principal = "User:" + user;
  for (const Right& right : kTopicRights)
    if (needs(store, right))
      rules.push_back({.principal = principal,
                       .resource = RD_KAFKA_RESOURCE_TOPIC,
                       .name = topic_prefix(store),
                       .pattern = RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
                       .operation = right.operation});
  for (const Right& right : kClusterRights)
    rules.push_back({.principal = principal,
                     .resource = RD_KAFKA_RESOURCE_BROKER,  // In rights, the same number is the cluster.
                     .name = kCluster,
                     .pattern = RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                     .operation = right.operation});
  return rules;
}

Result<std::unique_ptr<Admin>> make_admin(const Store& store, const std::string& user) {
  const bool printable = std::all_of(
      user.begin(), user.end(), [](char letter) { return letter >= ' ' && letter <= '~' && letter != '\''; });
  // '*' would be everybody.
  if (user.empty() || user == "*" || !printable)
    return Error{ErrorCode::kInvalidArgument, kOperation,
                 fmt::format("option 'lab_user' is '{}': write the name of one user, without quotes",
                             to_valid_utf8(user))};
  return std::unique_ptr<Admin>(std::make_unique<KafkaAdmin>(store, user));
}

}  // namespace lab::kafka
