// Records on their way to Kafka, and the acknowledgement of each.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "drivers/kafka/client.hpp"

namespace lab::kafka {

struct Record {
  std::span<const std::byte> key{};
  std::optional<std::span<const std::byte>> value{};  // Nothing: a tombstone.
  std::vector<std::pair<const char*, std::span<const std::byte>>> headers{};
};

/// A record that the broker has acknowledged; borrowed.
struct Delivered {
  std::string_view topic{};
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;  // By the broker's clock, where the topic has LogAppendTime.
  std::span<const std::byte> key{};
  bool tombstone = false;
};

/// A call adds records and then awaits all of them, and no call is made while spent(). Not thread-safe.
class Producer {
 public:
  using Sink = std::function<void(const Delivered&)>;

  static Result<std::unique_ptr<Producer>> open(const Access& access, const ClientSettings& settings,
                                                const CallContext& call, const char* operation, Sink sink);

  /// Finds the topic's leader now, so that no record waits for it.
  Status know(const CallContext& call, const char* operation, const std::string& topic);

  /// Copies the record into a queue of at most 64 MiB; waits while it is full.
  Status add(const CallContext& call, const char* operation, const std::string& topic, const Record& record);

  /// Until each record that was added is acknowledged by all replicas in sync. Errors: the broker's for the
  /// first that failed, with how many.
  Status finish(const CallContext& call, const char* operation);

  /// One record.
  Status send(const CallContext& call, const char* operation, const std::string& topic, const Record& record);

  /// Gives the call up that is under way, for `cause`, which it returns.
  Error abandon(Error cause);

  /// A call was given up with records under way: librdkafka would send them again, so its handle was ended.
  /// A new producer must be opened; a connection that was lost is never `spent`.
  bool spent() const { return client_ == nullptr; }

  /// Not while spent().
  Client& client() { return *client_; }

 private:
  explicit Producer(Sink sink) : sink_(std::move(sink)) {}
  void on_report(const rd_kafka_message_t& message);
  Status make_room(const CallContext& call, const char* operation, std::size_t bytes);
  void begin_anew();

  Sink sink_;
  std::uint64_t generation_ = 1;  // Tells the reports of this call from those of one that was given up.
  std::uint64_t added_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t failed_ = 0;
  std::size_t under_way_ = 0;  // Bytes of values that are neither acknowledged nor failed.
  rd_kafka_resp_err_t first_failure_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::unique_ptr<Client> client_{};                          // After those that its callbacks use.
  std::map<std::string, Handle<rd_kafka_topic_t>> topics_{};  // Of client_.
};

/// Idempotent, acks=all, as they enter a record of a run.
ClientSettings producer_settings(const std::string& codec);

}  // namespace lab::kafka
