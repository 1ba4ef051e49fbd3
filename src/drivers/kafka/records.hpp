// An object as a record, and what a topic holds as objects.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_set>

#include "driver/driver.hpp"
#include "driver/placed_id.hpp"
#include "drivers/kafka/client.hpp"
#include "drivers/kafka/producer.hpp"
#include "drivers/kafka/topics.hpp"

namespace lab::kafka {

/// Owns what a Record borrows besides payload, id and digest.
struct ObjectRecord {
  /// In mode "native" the value is the record, and its one header says which schema it has.
  ObjectRecord(const Object& object, const Setup& setup);
  ObjectRecord(const ObjectRecord&) = delete;
  ObjectRecord& operator=(const ObjectRecord&) = delete;

  std::string size{};
  Record record{};
};

/// The object in a record; nothing for a tombstone and for a record that only began a segment. Errors:
/// kCorruption for a record that is none of ours.
struct FoundObject {
  ObjectId id{};
  std::span<const std::byte> payload{};
};
Result<std::optional<FoundObject>> object_in(const rd_kafka_message_t& message, bool by_hash,
                                             const char* operation);

/// Reads the objects of one topic as its variant means them: cleanup.policy=delete and key = hash, every
/// record; key = id, the newest record of each id, unless that is a tombstone. The second reads the topic
/// twice and keeps the ids, not the payloads.
Status read_topic(Client& client, const CallContext& call, const char* operation, const Setup& setup,
                  const std::string& topic, const std::function<Status(const FoundObject&)>& sink);

/// Objects that read_topic would give.
Result<std::uint64_t> count_topic(Client& client, const CallContext& call, const char* operation,
                                  const Setup& setup, const std::string& topic);

/// The ids that are live in a topic whose key is the id, so that an erasure of one that is not there can be
/// refused: followed from what is acknowledged, and read from the topic where others wrote in between.
class LiveIds {
 public:
  void begin_empty();                     // The topic was made anew.
  void note(const Delivered& delivered);  // One of our own records was acknowledged.
  Status catch_up(Client& client, const CallContext& call, const char* operation, const std::string& topic);
  bool contains(const ObjectId& id) const { return live_.contains({.id = id}); }
  bool complete() const { return known_ && !gap_; }

 private:
  void apply(std::string_view key, bool tombstone);

  std::unordered_set<PlacedId, PlacedIdHash> live_{};
  std::int64_t next_ = 0;
  bool known_ = false;
  bool gap_ = false;
};

}  // namespace lab::kafka
