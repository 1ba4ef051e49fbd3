// One connection to a Kafka cluster through librdkafka: its opening, its loss, and questions about topics.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/time.hpp"
#include "drivers/kafka/address.hpp"

namespace lab::kafka {

/// Ends librdkafka's own objects.
struct HandleDelete {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
  void operator()(char* text) const { rd_kafka_mem_free(nullptr, text); }
};
template <class T>
using Handle = std::unique_ptr<T, HandleDelete>;

constexpr const char* kPasswordVariable = "DEDUP_KAFKA_PASSWORD";  // Unless a plan names another.

/// Who is spoken to, and as whom.
struct Access {
  Address address{};
  std::string password{};
};

struct PartitionState {
  std::int32_t leader = -1;
  std::vector<std::int32_t> replicas{};
  std::size_t in_sync = 0;
};

struct TopicState {
  std::string name{};
  std::vector<PartitionState> partitions{};
};

struct ClusterState {
  std::vector<std::int32_t> brokers{};  // Ascending.
  std::vector<TopicState> topics{};     // Those that exist.

  const TopicState* find(const std::string& topic) const;
};

struct Watermarks {
  std::int64_t low = 0;   // First offset that can be read.
  std::int64_t high = 0;  // One behind the last.
};

using ClientSettings = std::vector<std::pair<std::string, std::string>>;

/// Not thread-safe. A connection that was closed once after the client was ready stays lost: librdkafka would
/// connect again in silence.
class Client {
 public:
  enum class Kind : std::uint8_t { kReader, kWriter };
  using OnDelivery = std::function<void(const rd_kafka_message_t&)>;

  /// Returns when the cluster has answered. Errors: kConnectionLost, kRefused (user, password, certificate),
  /// kTimeout, kCancelled, kInvalidArgument.
  static Result<std::unique_ptr<Client>> connect(const Access& access, Kind kind,
                                                 const ClientSettings& settings, const CallContext& call,
                                                 const char* operation, OnDelivery on_delivery = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  const std::string& cluster_id() const { return cluster_id_; }

  /// "protocol of 4.1 or later (Produce 13, Fetch 18)"; what the broker itself offered.
  std::string version() const;

  /// Serves what librdkafka has to say. Errors: kTimeout, kCancelled, kConnectionLost once it was lost.
  Status usable(const CallContext& call, const char* operation);

  bool lost() const;

  Result<ClusterState> topics(const CallContext& call, const char* operation);  // All of the cluster.
  Result<ClusterState> topic(const CallContext& call, const char* operation, const std::string& name);
  Result<Watermarks> watermarks(const CallContext& call, const char* operation, const std::string& topic);

  /// Asks for the leader of a topic's partition at once; librdkafka by itself looks once a second.
  Status learn(const CallContext& call, const char* operation, rd_kafka_topic_t* topic);

  /// Hands every record of partition 0 from `from` to before `to` to `sink`, in order of their offsets.
  Status consume(const CallContext& call, const char* operation, const std::string& topic, Watermarks range,
                 const std::function<Status(const rd_kafka_message_t&)>& sink);

  /// Whether a topic that is there might be read: one question for what lies at its end. Errors: kRefused.
  Status may_read(const CallContext& call, const char* operation, const std::string& topic);

 private:
  struct Shared;
  explicit Client(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Status await_cluster(const CallContext& call, const char* operation, const Access& access);
  Result<ClusterState> look(const CallContext& call, const char* operation, const std::string* name);
  Result<std::int64_t> offset_at(const CallContext& call, const char* operation, const std::string& topic,
                                 std::int64_t which);
  Result<const rd_kafka_metadata_t*> ask(const CallContext& call, const char* operation,
                                         rd_kafka_topic_t* topic);

  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  static void on_error(rd_kafka_t* handle, int code, const char* reason, void* shared);
  static void on_report(rd_kafka_t* handle, const rd_kafka_message_t* message, void* shared);
  static int on_close(int socket, void* shared);

  std::shared_ptr<Shared> shared_;
  rd_kafka_t* handle_ = nullptr;
  std::string cluster_id_{};
};

/// Of a client that reads: no group, checksums checked, an offset that is gone is an error.
ClientSettings reader_settings();

/// What librdkafka or the broker said, as an error of ours.
Error kafka_error(rd_kafka_resp_err_t code, const char* operation, std::string detail = {});

/// "at least 4.1" from the request versions that a broker offers; empty for one that is older than 2.4.
struct OfferedVersions {
  int produce = -1;
  int fetch_lowest = -1;
  int fetch = -1;
  int config_resources = -1;  // Of request 74.
  int topic_partitions = -1;  // Of request 75.
};
std::string release_of(const OfferedVersions& offered);

}  // namespace lab::kafka
