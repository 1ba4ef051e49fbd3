// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/lock.hpp"

namespace lab::kafka {
namespace {

constexpr std::string_view kLockKey = "deduplab-lock";
constexpr std::string_view kClockKey =
    "deduplab-clock";  // A record by which the broker says what time it is.
constexpr const char* kOperation = "kafka.lock";

/// A record that is sent twice says the same twice.
ClientSettings lock_settings() { return {{"acks", "all"}, {"linger.ms", "0"}, {"message.timeout.ms", "0"}}; }

std::string_view key_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key_len};
}

std::string value_of(const rd_kafka_message_t& message) {
  return message.payload == nullptr ? ""
                                    : std::string(static_cast<const char*>(message.payload), message.len);
}

std::int64_t written_at(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t kind{};
  return rd_kafka_message_timestamp(&message, &kind);
}

}  // namespace

Result<std::unique_ptr<MarkerLock>> MarkerLock::open(const Access& access, const Names& names,
                                                     const CallContext& call) {
  std::unique_ptr<MarkerLock> made(new MarkerLock(access));
  made->topic_ = names.marker();
  auto reader = Client::connect(access, Client::Kind::kReader, reader_settings(), call, kOperation);
  if (!reader) return reader.error();
  made->reader_ = std::move(*reader);
  LAB_TRY(made->open_producer(call));
  return made;
}

Status MarkerLock::open_producer(const CallContext& call) {
  auto producer =
      Producer::open(access_, lock_settings(), call, kOperation, [this](const Delivered& delivered) {
        appended_ = delivered.offset;
        appended_ms_ = delivered.timestamp_ms;
      });
  if (!producer) return producer.error();
  producer_ = std::move(*producer);
  return ok();
}

Result<std::int64_t> MarkerLock::append(const CallContext& call, std::string_view key,
                                        const std::string& value) {
  if (producer_->spent()) LAB_TRY(open_producer(call));
  LAB_TRY(producer_->send(call, kOperation, topic_, {.key = as_bytes(key), .value = as_bytes(value)}));
  return appended_;
}

Status MarkerLock::catch_up(const CallContext& call, std::optional<std::int64_t> end) {
  first_after_.reset();
  const auto marks = reader_->watermarks(call, kOperation, topic_);
  if (!marks) return marks.error();
  const std::int64_t to = end ? std::min(*end, marks->high) : marks->high;
  LAB_TRY(reader_->consume(call, kOperation, topic_, {.low = std::max(next_, marks->low), .high = to},
                           [&](const rd_kafka_message_t& message) -> Status {
                             if (key_of(message) != kLockKey) return ok();
                             holder_ = value_of(message);
                             written_ms_ = written_at(message);
                             if (!first_after_) {
                               first_after_ = holder_;
                               first_after_offset_ = message.offset;
                             }
                             return ok();
                           }));
  next_ = std::max(next_, to);
  return ok();
}

Result<std::optional<LockState>> MarkerLock::read(const CallContext& call) {
  LAB_TRY(allowed(call, kOperation));
  const auto now = append(call, kClockKey, "");
  if (!now) return now.error();
  const std::int64_t now_ms = appended_ms_;
  LAB_TRY(catch_up(call, *now + 1));
  if (!holder_) return std::optional<LockState>{};
  return std::optional<LockState>(
      {.run_id = *holder_, .age = Millis{std::max<std::int64_t>(0, now_ms - written_ms_)}});
}

Result<bool> MarkerLock::write(const CallContext& call, const std::optional<std::string>& expected,
                               const std::string& run_id) {
  LAB_TRY(allowed(call, kOperation));
  LAB_TRY(catch_up(call, std::nullopt));
  if (holder_ != expected) return false;
  const auto offset = append(call, kLockKey, run_id);
  if (!offset) return offset.error();
  LAB_TRY(catch_up(call, *offset + 1));
  if (!first_after_ || first_after_offset_ == *offset || *first_after_ == run_id) return true;
  const std::string faster = *first_after_;
  const auto restored = append(call, kLockKey, faster);
  if (!restored) return restored.error();
  return false;
}

Result<std::optional<LockState>> newest_lock(Client& reader, const CallContext& call, const char* operation,
                                             const Names& names) {
  const auto marks = reader.watermarks(call, operation, names.marker());
  if (!marks) return marks.error();
  std::optional<LockState> newest;
  const Millis now{wall_time_ms()};
  LAB_TRY(reader.consume(call, operation, names.marker(), *marks, [&](const rd_kafka_message_t& message) {
    if (key_of(message) != kLockKey) return ok();
    const Millis age = now - Millis{written_at(message)};
    newest = LockState{.run_id = value_of(message), .age = std::max(age, Millis{0})};
    return ok();
  }));
  return newest;
}

}  // namespace lab::kafka
