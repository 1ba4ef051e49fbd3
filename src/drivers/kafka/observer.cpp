// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/observer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "drivers/kafka/log_folder.hpp"
#include "drivers/kafka/producer.hpp"

namespace lab::kafka {
namespace {

struct Offsets {
  double low = 0;
  double high = 0;
};

class KafkaObserver final : public Observer {
 public:
  KafkaObserver(const Store& store, std::unique_ptr<Client> client)
      : store_(store), client_(std::move(client)) {}

  /// Kafka's protocol says nothing of when a broker was started. Where its folder is here, the process that
  /// holds the folder's lock tells. Elsewhere a restart shows by the loss of this connection, which is not
  /// opened again.
  Result<ServerIdentity> identity(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.identity"));
    const auto cluster = client_->topic(call, "kafka.identity", store_.names.marker());
    if (!cluster) return cluster.error();
    std::vector<std::string> brokers;
    for (const std::int32_t broker : cluster->brokers) brokers.push_back(std::to_string(broker));
    ServerIdentity identity{.name = "Kafka",
                            .version = client_->version(),
                            .identity = client_->cluster_id() + "/" + join(brokers, ","),
                            .started_at = "not told; a restart ends the connection"};
    if (store_.folder.empty()) return identity;
    if (const auto started = holder_started_at(store_.folder)) identity.started_at = *started;
    return identity;
  }

  Result<std::map<std::string, std::string>> settings(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.settings"));
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : producer_settings(store_.setup.codec))
      if (key != "message.timeout.ms") all["producer." + key] = value;
    all["client"] = std::string("librdkafka ") + rd_kafka_version_str();
    const auto topic = describe_topic(*client_, call, "kafka.settings", store_.names.container(0));
    if (!topic && topic.error().code != ErrorCode::kNotFound) return topic.error();
    if (topic)
      for (const auto& [key, setting] : *topic)
        if (!setting.is_default) all["topic." + key] = setting.value;
    const auto cluster = client_->topic(call, "kafka.settings", store_.names.container(0));
    if (!cluster) return cluster.error();
    for (const std::int32_t broker : cluster->brokers) {
      const auto told = describe_broker(*client_, call, "kafka.settings", broker);
      if (!told && told.error().code == ErrorCode::kRefused) {
        all[fmt::format("broker.{}", broker)] = "not told: " + told.error().detail;
        continue;
      }
      if (!told) return told.error();
      for (const auto& [key, setting] : *told)
        if (!setting.is_default) all[fmt::format("broker.{}.{}", broker, key)] = setting.value;
    }
    return all;
  }

  Result<std::map<std::string, double>> busy(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.busy"));
    const auto offsets = sum_offsets(call, "kafka.busy");
    if (!offsets) return offsets.error();
    const auto behind = replicas_behind(call, "kafka.busy");
    if (!behind) return behind.error();
    std::map<std::string, double> work{
        {"records_since_last_look", offsets->high - seen_high_.value_or(offsets->high)},
        {"replicas_behind", *behind}};
    seen_high_ = offsets->high;
    // Topics made anew begin at 0 again: that is a change as well.
    work["records_since_last_look"] = std::abs(work["records_since_last_look"]);
    if (store_.folder.empty()) return work;
    const PendingFiles pending = pending_files(store_.folder);
    work["files_to_remove"] = pending.removed;
    work["files_being_cleaned"] = pending.cleaning;
    work["topics_to_remove"] = pending.topics;
    return work;
  }

  Result<std::vector<Counter>> activity(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.activity"));
    const auto offsets = sum_offsets(call, "kafka.activity");
    if (!offsets) return offsets.error();
    const auto behind = replicas_behind(call, "kafka.activity");
    if (!behind) return behind.error();
    return std::vector<Counter>{{"log_end_offset", offsets->high, "1"},
                                {"log_start_offset", offsets->low, "1"},
                                {"records_between", offsets->high - offsets->low, "1"},
                                {"replicas_behind", *behind, "1"}};
  }

  Result<Footprint> footprint(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.footprint"));
    return Error{ErrorCode::kUnsupported, "kafka.footprint",
                 fmt::format("librdkafka {} has no DescribeLogDirs request", rd_kafka_version_str())};
  }

  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.directories"));
    if (store_.folder.empty()) return std::vector<std::filesystem::path>{};
    LAB_TRY(check_folder(store_, *client_, call, "kafka.directories"));
    return std::vector{store_.folder};
  }

  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    return kafka::part_of(store_.names, store_.containers, relative);
  }

  Bytes quantum() const override { return Bytes{4096}; }

  Result<double> copies(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.copies"));
    std::optional<std::size_t> replicas;
    for (const std::string& name : store_.container_topics()) {
      const auto state = client_->topic(call, "kafka.copies", name);
      if (!state) return state.error();
      const TopicState* const topic = state->find(name);
      if (topic == nullptr || topic->partitions.empty())
        return Error{ErrorCode::kNotFound, "kafka.copies", "topic " + name + " is not there"};
      const PartitionState& partition = topic->partitions[0];
      if (partition.in_sync != partition.replicas.size())
        return Error{ErrorCode::kUnsettled, "kafka.copies",
                     fmt::format("topic {} has {} of {} replicas in sync", name, partition.in_sync,
                                 partition.replicas.size()),
                     true};
      if (replicas && *replicas != partition.replicas.size())
        return Error{ErrorCode::kRefused, "kafka.copies", "the topics have different numbers of replicas"};
      replicas = partition.replicas.size();
    }
    return static_cast<double>(replicas.value_or(1));
  }

  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.statement_seconds"));
    return std::map<std::string, double>{};
  }

 private:
  /// Over the containers' topics; one that is just being made anew counts as empty.
  Result<Offsets> sum_offsets(const CallContext& call, const char* operation) {
    Offsets sum;
    for (const std::string& topic : store_.container_topics()) {
      const auto state = client_->topic(call, operation, topic);
      if (!state) return state.error();
      if (state->find(topic) == nullptr) continue;
      const auto marks = client_->watermarks(call, operation, topic);
      if (!marks && marks.error().code == ErrorCode::kNotFound) continue;
      if (!marks) return marks.error();
      sum.low += static_cast<double>(marks->low);
      sum.high += static_cast<double>(marks->high);
    }
    return sum;
  }

  Result<double> replicas_behind(const CallContext& call, const char* operation) {
    double behind = 0;
    for (const std::string& name : store_.container_topics()) {
      const auto state = client_->topic(call, operation, name);
      if (!state) return state.error();
      const TopicState* const topic = state->find(name);
      if (topic == nullptr) continue;
      for (const PartitionState& partition : topic->partitions)
        behind += static_cast<double>(partition.replicas.size() - partition.in_sync);
    }
    return behind;
  }

  const Store& store_;
  std::unique_ptr<Client> client_;
  std::optional<double> seen_high_{};
};

}  // namespace

Result<std::unique_ptr<Observer>> open_kafka_observer(const Store& store, const CallContext& call) {
  LAB_TRY(allowed(call, "kafka.open_observer"));
  auto client =
      Client::connect(store.access, Client::Kind::kReader, reader_settings(), call, "kafka.open_observer");
  if (!client) return client.error();
  return std::unique_ptr<Observer>(new KafkaObserver(store, std::move(*client)));
}

}  // namespace lab::kafka
