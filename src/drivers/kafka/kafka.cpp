// Session of the kafka system, and its line in the registry.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/kafka.hpp"

#include <fmt/format.h>

#include <charconv>

#include "drivers/kafka/admin.hpp"
#include "drivers/kafka/driver.hpp"
#include "drivers/kafka/examine.hpp"
#include "drivers/kafka/lock.hpp"
#include "drivers/kafka/observer.hpp"
#include "drivers/kafka/rights.hpp"

namespace lab {
namespace {

using kafka::Client;
using kafka::MarkerLock;
using kafka::Store;

constexpr const char* kLabUser = "lab_user";
constexpr const char* kNobody = "ANONYMOUS";  // Kafka's own name for a client that has not logged in.

class KafkaSession final : public Session {
 public:
  explicit KafkaSession(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  /// Writes marker and lock, and nothing else.
  Status prepare(const CallContext& call) {
    auto client =
        Client::connect(store_->access, Client::Kind::kReader, kafka::reader_settings(), call, "kafka.open");
    if (!client) return client.error();
    const auto state = kafka::look_at_namespace(*store_, **client, call, "kafka.open");
    if (!state) return state.error();
    LAB_TRY(kafka::check_ours(*store_, *state, "kafka.open"));
    if (!store_->create) LAB_TRY(check_operators_topics(**client, call));
    if (!store_->folder.empty()) LAB_TRY(check_folder_here(**client, call));
    if (!state->marker_topic)
      LAB_TRY(kafka::create_topics(**client, call, "kafka.open", {store_->names.marker()},
                                   kafka::marker_settings(), store_->replicas));
    LAB_TRY(kafka::check_deletion(*store_, **client, call, "kafka.open"));
    auto lock = MarkerLock::open(store_->access, store_->names, call);
    if (!lock) return lock.error();
    auto held = LabLock::take(std::move(*lock), store_->run_id, call);
    if (!held) return held.error();
    lock_ = std::move(*held);
    return ok();
  }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    return kafka::open_kafka_driver(*store_, call);
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    return kafka::open_kafka_observer(*store_, call);
  }

 private:
  /// A folder that holds a part only gives no figures, which the observer says; that of another is refused.
  Status check_folder_here(Client& client, const CallContext& call) {
    Status fits = kafka::check_folder(*store_, client, call, "kafka.open");
    if (!fits && fits.error().code != ErrorCode::kUnsupported) return fits;
    return ok();
  }

  Status check_operators_topics(Client& client, const CallContext& call) {
    if (store_->setup.compacted)
      return Error{ErrorCode::kUnsupported, "kafka.open",
                   "namespace_mode existing empties topics by DeleteRecords, which Kafka refuses for "
                   "cleanup.policy=compact"};
    for (const std::string& name : store_->container_topics()) {
      const auto settings = kafka::describe_topic(client, call, "kafka.open", name);
      if (!settings) return settings.error();
      const auto value = [&](const char* key) {
        const auto found = settings->find(key);
        return found == settings->end() ? std::string() : found->second.value;
      };
      if (value("cleanup.policy") != "delete")
        return Error{
            ErrorCode::kRefused, "kafka.open",
            fmt::format("topic {} has cleanup.policy={}, not delete", name, value("cleanup.policy"))};
      const std::string most = value("max.message.bytes");
      std::int64_t bytes = 0;
      std::from_chars(most.data(), most.data() + most.size(), bytes);
      store_->message_bytes_max = std::min(store_->message_bytes_max, bytes);
    }
    return ok();
  }

  std::unique_ptr<Store> store_;
  std::unique_ptr<LabLock> lock_{};
};

/// Store of a configuration whose variant and options are known.
Result<std::unique_ptr<Store>> store_of(const SystemConfig& config) {
  const auto variant = resolve_config(kafka_system(), config);
  if (!variant) return variant.error();
  auto store = std::make_unique<Store>();
  LAB_TRY(kafka::read_config(config, *store));
  store->setup = kafka::setup_of(*variant);
  store->setup.schema = schema_of(config);
  return store;
}

Status check_kafka(const SystemConfig& config) {
  LAB_TRY(store_of(config));
  return ok();
}

Result<std::unique_ptr<Session>> open_kafka(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "kafka.open"));
  auto store = store_of(config);
  if (!store) return store.error();
  auto session = std::make_unique<KafkaSession>(std::move(*store));
  LAB_TRY(session->prepare(call));
  return std::unique_ptr<Session>(std::move(session));
}

Result<ServerIdentity> identify_kafka(const SystemConfig& config, const CallContext& call) {
  auto store = store_of(config);
  if (!store) return std::move(store).error();
  KafkaSession session(std::move(*store));
  return identity_of(session, call);
}

Status reach_kafka(const SystemConfig& config, const CallContext& call) {
  const auto store = store_of(config);
  if (!store) return store.error();
  const auto client =
      Client::connect((*store)->access, Client::Kind::kReader, kafka::reader_settings(), call, "kafka.reach");
  if (!client) return client.error();
  return ok();
}

Status remove_kafka(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "kafka.remove"));
  auto made = store_of(config);
  if (!made) return made.error();
  const Store& store = **made;
  auto client =
      Client::connect(store.access, Client::Kind::kReader, kafka::reader_settings(), call, "kafka.remove");
  if (!client) return client.error();
  const auto state = kafka::look_at_namespace(store, **client, call, "kafka.remove");
  if (!state) return state.error();
  if (!state->marker_topic && state->numbered.empty() && state->unknown.empty()) return ok();
  LAB_TRY(kafka::check_ours(store, *state, "kafka.remove"));
  auto lock = MarkerLock::open(store.access, store.names, call);
  if (!lock) return lock.error();
  const auto held = (*lock)->read(call);
  if (!held) return held.error();
  LAB_TRY(LabLock::check_free(*held, config.run_id));
  lock->reset();  // A producer that knows the marker topic is gone before the topic is.
  if (!store.create) return kafka::delete_records(**client, call, "kafka.remove", state->numbered);
  LAB_TRY(kafka::delete_topics(**client, call, "kafka.remove", state->numbered));
  return kafka::delete_topics(**client, call, "kafka.remove", {store.names.marker()});
}

std::vector<Finding> examine_kafka(const SystemConfig& config, const CallContext& call) {
  auto store = store_of(config);
  if (!store) return {{.what = "address", .passed = false, .detail = store.error().text()}};
  return kafka::examine_cluster(**store, call);
}

Result<std::vector<std::string>> leftovers_of_kafka(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "kafka.leftovers"));
  auto store = store_of(config);
  if (!store) return store.error();
  return kafka::leftovers_in(**store, call);
}

Result<std::unique_ptr<Admin>> admin_of_kafka(const SystemConfig& config) {
  auto store = store_of(config);
  if (!store) return store.error();
  const auto option = config.options.find(kLabUser);
  if (option != config.options.end()) return kafka::make_admin(**store, option->second);
  const std::string& user = (*store)->access.address.user;
  return kafka::make_admin(**store, user.empty() ? kNobody : user);
}

}  // namespace

SystemEntry kafka_system() {
  return {
      .name = "kafka",
      .what = "Apache Kafka, a record an object, a topic of one partition a container",
      .embedded = false,
      .native = true,
      .variants = kafka::variants(),
      .options = server_options({"replication_factor", kLabUser}),
      .mechanisms =
          {{"ingestion", "missing",
            "kafka.apache.org/documentation: the idempotent producer drops repeated sends of one batch, "
            "never equal contents"},
           {"compaction", "full",
            "variant compact_by_hash: the log cleaner keeps one record a key, removes whole records"},
           {"compression", "partial",
            "variants lz4 and zstd: kafka.apache.org/documentation: a producer compresses a batch as a "
            "whole, so that copies within one batch may shrink"},
           {"storage", "missing", "kafka.apache.org/documentation: a segment is the batches as they came"}},
      .library = std::string("librdkafka ") + rd_kafka_version_str(),
      .has_engine = false,
      .password_env = kafka::kPasswordVariable,
      .protocol = Protocol::kKafka,
      .check = check_kafka,
      .open = open_kafka,
      .remove = remove_kafka,
      .reach = reach_kafka,
      .examine = examine_kafka,
      .identify = identify_kafka,
      .leftovers = leftovers_of_kafka,
      .admin = admin_of_kafka};
}

}  // namespace lab
