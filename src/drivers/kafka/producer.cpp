// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/producer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/kafka/topics.hpp"

namespace lab::kafka {
namespace {

constexpr int kSliceMs = 50;
constexpr Millis kDrainLimit{500};  // What is under way may end; a broker that hangs may not hold a stop up.
// An idempotent producer has five requests on their way, of batch.size each. What waits behind them makes
// librdkafka's thread spin, which takes a processor away from everybody.
constexpr std::size_t kUnderWayMax = 6'000'000;
constexpr std::string_view kNothing{""};  // NOLINT(readability-redundant-string-init): empty, and not null

void* as_opaque(std::uint64_t number) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(number));  // NOLINT: a number, never followed.
}

std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}

Handle<rd_kafka_headers_t> headers_of(const Record& record) {
  if (record.headers.empty()) return nullptr;
  Handle<rd_kafka_headers_t> headers(rd_kafka_headers_new(record.headers.size()));
  for (const auto& [name, value] : record.headers)
    rd_kafka_header_add(headers.get(), name, -1, value.data(), static_cast<ssize_t>(value.size()));
  return headers;
}

rd_kafka_vu_t argument(rd_kafka_vtype_t type) {
  rd_kafka_vu_t one{};
  one.vtype = type;
  return one;
}

}  // namespace

ClientSettings producer_settings(const std::string& codec) {
  return {{"enable.idempotence", "true"},
          {"acks", "all"},
          {"linger.ms", "50"},
          {"batch.size", "1000000"},
          {"batch.num.messages", "10000"},
          {"compression.codec", codec},
          {"message.max.bytes", std::to_string(kMessageBytesMax)},
          {"queue.buffering.max.kbytes", "65536"},
          {"message.timeout.ms", "0"}};  // The call's deadline decides.
}

Result<std::unique_ptr<Producer>> Producer::open(const Access& access, const ClientSettings& settings,
                                                 const CallContext& call, const char* operation, Sink sink) {
  std::unique_ptr<Producer> producer(new Producer(std::move(sink)));
  auto client = Client::connect(
      access, Client::Kind::kWriter, settings, call, operation,
      [made = producer.get()](const rd_kafka_message_t& message) { made->on_report(message); });
  if (!client) return client.error();
  producer->client_ = std::move(*client);
  return producer;
}

void Producer::on_report(const rd_kafka_message_t& message) {
  if (message._private != as_opaque(generation_)) return;
  under_way_ -= std::min(under_way_, message.len);
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (failed_++ == 0) first_failure_ = message.err;
    return;
  }
  ++acknowledged_;
  if (!sink_) return;
  rd_kafka_timestamp_type_t kind{};
  sink_({.topic = rd_kafka_topic_name(message.rkt),
         .offset = message.offset,
         .timestamp_ms = rd_kafka_message_timestamp(&message, &kind),
         .key = bytes_of(message.key, message.key_len),
         .tombstone = message.payload == nullptr});
}

Status Producer::know(const CallContext& call, const char* operation, const std::string& topic) {
  if (topics_.contains(topic)) return ok();
  Handle<rd_kafka_topic_t> made(rd_kafka_topic_new(client_->handle(), topic.c_str(), nullptr));
  if (made == nullptr) return kafka_error(rd_kafka_last_error(), operation, topic);
  LAB_TRY(client_->learn(call, operation, made.get()));
  topics_[topic] = std::move(made);
  return ok();
}

Status Producer::add(const CallContext& call, const char* operation, const std::string& topic,
                     const Record& record) {
  LAB_TRY(know(call, operation, topic));
  auto headers = headers_of(record);
  const auto value = record.value.value_or(std::span<const std::byte>{});
  LAB_TRY(make_room(call, operation, value.size()));
  const void* const bytes =
      value.data() != nullptr ? static_cast<const void*>(value.data()) : kNothing.data();
  rd_kafka_vu_t arguments[] = {argument(RD_KAFKA_VTYPE_RKT),      argument(RD_KAFKA_VTYPE_PARTITION),
                               argument(RD_KAFKA_VTYPE_MSGFLAGS), argument(RD_KAFKA_VTYPE_KEY),
                               argument(RD_KAFKA_VTYPE_OPAQUE),   argument(RD_KAFKA_VTYPE_VALUE),
                               argument(RD_KAFKA_VTYPE_HEADERS)};
  arguments[0].u.rkt = topics_.at(topic).get();
  arguments[1].u.i32 = 0;
  arguments[2].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[3].u.mem = {const_cast<std::byte*>(record.key.data()), record.key.size()};  // NOLINT: only read.
  arguments[4].u.ptr = as_opaque(generation_);
  arguments[5].u.mem = {record.value ? const_cast<void*>(bytes) : nullptr,
                        value.size()};  // NOLINT: as above.
  arguments[6].u.headers = headers.get();
  while (true) {
    const Status usable = client_->usable(call, operation);
    if (!usable) return abandon(usable.error());
    rd_kafka_error_t* const refused =
        rd_kafka_produceva(client_->handle(), arguments, headers == nullptr ? 6 : 7);
    if (refused == nullptr) {
      [[maybe_unused]] const auto* const theirs = headers.release();  // A record that was taken owns them.
      break;
    }
    const auto code = rd_kafka_error_code(refused);
    const std::string said = rd_kafka_error_string(refused);
    rd_kafka_error_destroy(refused);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {  // Flow control, no error.
      rd_kafka_poll(client_->handle(), kSliceMs);
      continue;
    }
    return abandon(kafka_error(code, operation, said));
  }
  ++added_;
  under_way_ += value.size();
  return ok();
}

Status Producer::make_room(const CallContext& call, const char* operation, std::size_t bytes) {
  while (under_way_ > 0 && under_way_ + bytes > kUnderWayMax) {
    if (const Status usable = client_->usable(call, operation); !usable) return abandon(usable.error());
    rd_kafka_poll(client_->handle(), kSliceMs);
  }
  return ok();
}

Status Producer::finish(const CallContext& call, const char* operation) {
  while (acknowledged_ + failed_ < added_) {
    if (const Status usable = client_->usable(call, operation); !usable) return abandon(usable.error());
    rd_kafka_flush(client_->handle(), kSliceMs);  // Sends at once, whatever linger.ms says.
  }
  if (const Status usable = client_->usable(call, operation); !usable) return abandon(usable.error());
  const std::uint64_t failed = failed_;
  const std::uint64_t added = added_;
  const auto code = first_failure_;
  begin_anew();
  if (failed == 0) return ok();
  return kafka_error(code, operation,
                     fmt::format("{} of {} records were not acknowledged; the first: {}", failed, added,
                                 rd_kafka_err2str(code)));
}

Status Producer::send(const CallContext& call, const char* operation, const std::string& topic,
                      const Record& record) {
  LAB_TRY(add(call, operation, topic, record));
  return finish(call, operation);
}

void Producer::begin_anew() {
  ++generation_;
  added_ = acknowledged_ = failed_ = 0;
  under_way_ = 0;
  first_failure_ = RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// What waits is dropped, for which librdkafka may have to cut its connection, and what is under way has a
/// moment to end.
Error Producer::abandon(Error cause) {
  if (added_ == 0) return cause;
  if (added_ > acknowledged_)
    cause.detail += fmt::format("; {} of {} records were acknowledged before", acknowledged_, added_);
  const bool under_way = acknowledged_ + failed_ < added_;
  if (under_way && cause.code != ErrorCode::kConnectionLost && !client_->lost()) {
    rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE);
    const auto limit = Clock::now() + kDrainLimit;
    while (rd_kafka_outq_len(client_->handle()) > 0 && Clock::now() < limit)
      rd_kafka_flush(client_->handle(), kSliceMs);
    topics_.clear();
    client_.reset();
  }
  begin_anew();
  return cause;
}

}  // namespace lab::kafka
