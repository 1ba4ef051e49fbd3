// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "drivers/kafka/maintenance.hpp"

namespace lab::kafka {
namespace {

constexpr const char* kIdHeader = "id";

std::string_view key_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key_len};
}

Error no_object(const rd_kafka_message_t& message, const char* operation, const char* why) {
  return {ErrorCode::kCorruption, operation, fmt::format("the record at offset {} {}", message.offset, why)};
}

Result<ObjectId> as_id(std::string_view bytes, const rd_kafka_message_t& message, const char* operation) {
  ObjectId id{};
  if (bytes.size() != id.size()) return no_object(message, operation, "has no id of 16 bytes");
  std::memcpy(id.data(), bytes.data(), id.size());
  return id;
}

Result<std::string_view> id_header(const rd_kafka_message_t& message, const char* operation) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, kIdHeader, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return no_object(message, operation, "has no header with an id");
  return std::string_view(static_cast<const char*>(value), size);
}

/// Nothing where the topic is not there, which it is not between a drop that was cut short and the next
/// reset.
Result<std::optional<Watermarks>> range_of(Client& client, const CallContext& call, const char* operation,
                                           const std::string& topic) {
  const auto state = client.topic(call, operation, topic);
  if (!state) return state.error();
  if (state->find(topic) == nullptr) return std::optional<Watermarks>{};
  const auto marks = client.watermarks(call, operation, topic);
  if (!marks) return marks.error();
  return std::optional<Watermarks>{*marks};
}

/// Offset of the newest record of each live id.
using Newest = std::unordered_map<PlacedId, std::int64_t, PlacedIdHash>;

Result<Newest> newest_records(Client& client, const CallContext& call, const char* operation,
                              const std::string& topic, Watermarks range) {
  Newest newest;
  LAB_TRY(client.consume(call, operation, topic, range, [&](const rd_kafka_message_t& message) -> Status {
    if (is_roll_record(key_of(message))) return ok();
    const auto id = as_id(key_of(message), message, operation);
    if (!id) return id.error();
    if (message.payload == nullptr)
      newest.erase({.id = *id});
    else
      newest[{.id = *id}] = message.offset;
    return ok();
  }));
  return newest;
}

Status read_newest(Client& client, const CallContext& call, const char* operation, const std::string& topic,
                   Watermarks range, const std::function<Status(const FoundObject&)>& sink) {
  const auto newest = newest_records(client, call, operation, topic, range);
  if (!newest) return newest.error();
  std::uint64_t given = 0;
  LAB_TRY(client.consume(call, operation, topic, range, [&](const rd_kafka_message_t& message) -> Status {
    const auto object = object_in(message, false, operation);
    if (!object) return object.error();
    if (!*object) return ok();
    const auto found = newest->find({.id = (*object)->id});
    if (found == newest->end() || found->second != message.offset) return ok();
    ++given;
    return sink(**object);
  }));
  if (given == newest->size()) return ok();
  return Error{ErrorCode::kCorruption, operation,
               fmt::format("{} of {} live ids of topic {} could be read", given, newest->size(), topic)};
}

/// cleanup.policy=delete: each offset is a record.
Status read_each(Client& client, const CallContext& call, const char* operation, const std::string& topic,
                 Watermarks range, const std::function<Status(const FoundObject&)>& sink) {
  std::int64_t expected = range.low;
  LAB_TRY(client.consume(call, operation, topic, range, [&](const rd_kafka_message_t& message) -> Status {
    if (message.offset != expected++)
      return no_object(message, operation, "was read where another offset comes next");
    const auto object = object_in(message, false, operation);
    if (!object) return object.error();
    if (!*object) return no_object(message, operation, "has no value");
    return sink(**object);
  }));
  if (expected == range.high) return ok();
  return Error{ErrorCode::kCorruption, operation,
               fmt::format("{} of {} records of topic {} could be read", expected - range.low,
                           range.high - range.low, topic)};
}

}  // namespace

ObjectRecord::ObjectRecord(const Object& object, const Setup& setup)
    : size(std::to_string(object.payload.size())) {
  record.value = object.payload;
  record.key = object.id;
  if (setup.schema != nullptr) {
    record.headers = {{"schema", as_bytes(setup.schema->payload)}};
    return;
  }
  const bool by_hash = setup.by_hash;
  record.key = by_hash ? std::span<const std::byte>(object.digest) : std::span<const std::byte>(object.id);
  record.headers = {{"mime", as_bytes(object.mime)}, {"size", as_bytes(size)}, {"sha256", object.digest}};
  if (by_hash) record.headers.emplace_back(kIdHeader, object.id);
}

Result<std::optional<FoundObject>> object_in(const rd_kafka_message_t& message, bool by_hash,
                                             const char* operation) {
  if (message.payload == nullptr) return std::optional<FoundObject>{};
  Result<std::string_view> bytes = key_of(message);
  if (by_hash) bytes = id_header(message, operation);
  if (!bytes) return bytes.error();
  const auto id = as_id(*bytes, message, operation);
  if (!id) return id.error();
  return std::optional<FoundObject>(
      {.id = *id, .payload = {static_cast<const std::byte*>(message.payload), message.len}});
}

Status read_topic(Client& client, const CallContext& call, const char* operation, const Setup& setup,
                  const std::string& topic, const std::function<Status(const FoundObject&)>& sink) {
  const auto found = range_of(client, call, operation, topic);
  if (!found) return found.error();
  if (!*found) return ok();
  const Watermarks range = **found;
  if (!setup.compacted) return read_each(client, call, operation, topic, range, sink);
  if (!setup.by_hash) return read_newest(client, call, operation, topic, range, sink);
  return client.consume(call, operation, topic, range, [&](const rd_kafka_message_t& message) -> Status {
    const auto object = object_in(message, true, operation);
    if (!object) return object.error();
    return *object ? sink(**object) : ok();
  });
}

Result<std::uint64_t> count_topic(Client& client, const CallContext& call, const char* operation,
                                  const Setup& setup, const std::string& topic) {
  const auto found = range_of(client, call, operation, topic);
  if (!found) return found.error();
  if (!*found) return std::uint64_t{0};
  const Watermarks range = **found;
  if (!setup.compacted) return static_cast<std::uint64_t>(range.high - range.low);
  if (!setup.by_hash) {
    const auto newest = newest_records(client, call, operation, topic, range);
    if (!newest) return newest.error();
    return static_cast<std::uint64_t>(newest->size());
  }
  std::uint64_t objects = 0;
  LAB_TRY(client.consume(call, operation, topic, range, [&](const rd_kafka_message_t& message) {
    if (message.payload != nullptr) ++objects;
    return ok();
  }));
  return objects;
}

void LiveIds::begin_empty() {
  live_.clear();
  next_ = 0;
  known_ = true;
  gap_ = false;
}

void LiveIds::apply(std::string_view key, bool tombstone) {
  ObjectId id{};
  if (key.size() != id.size()) return;
  std::memcpy(id.data(), key.data(), id.size());
  if (tombstone)
    live_.erase({.id = id});
  else
    live_.insert({.id = id});
}

void LiveIds::note(const Delivered& delivered) {
  if (!complete() || delivered.offset != next_) {
    gap_ = true;
    return;
  }
  apply(as_text(delivered.key), delivered.tombstone);
  ++next_;
}

Status LiveIds::catch_up(Client& client, const CallContext& call, const char* operation,
                         const std::string& topic) {
  const auto marks = client.watermarks(call, operation, topic);
  if (!marks) return marks.error();
  LAB_TRY(client.consume(call, operation, topic, {.low = std::max(next_, marks->low), .high = marks->high},
                         [&](const rd_kafka_message_t& message) {
                           apply(key_of(message), message.payload == nullptr);
                           next_ = message.offset + 1;
                           return ok();
                         }));
  next_ = marks->high;
  known_ = true;
  gap_ = false;
  return ok();
}

}  // namespace lab::kafka
