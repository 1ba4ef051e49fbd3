// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/driver.hpp"

#include <fmt/format.h>

#include "driver/native_record.hpp"
#include "drivers/kafka/lock.hpp"
#include "drivers/kafka/maintenance.hpp"
#include "drivers/kafka/producer.hpp"
#include "drivers/kafka/records.hpp"

namespace lab::kafka {
namespace {

class KafkaDriver final : public Driver {
 public:
  explicit KafkaDriver(Store& store) : store_(store), info_(info_of(store)), ids_(store.containers) {}
  const DriverInfo& info() const noexcept override { return info_; }

  Status connect(const CallContext& call) {
    auto reader =
        Client::connect(store_.access, Client::Kind::kReader, reader_settings(), call, "kafka.open");
    if (!reader) return reader.error();
    reader_ = std::move(*reader);
    return open_producer(call, "kafka.open");
  }

  Status prove(const CallContext& call) override {
    LAB_TRY(ready(call, "kafka.prove"));
    for (Client* client : {reader_.get(), &producer_->client()}) {
      const auto marker = client->topic(call, "kafka.prove", store_.names.marker());
      if (!marker) return marker.error();
    }
    return ok();
  }

  Status reset(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.reset"));
    const auto state = look_at_namespace(store_, *reader_, call, "kafka.reset");
    if (!state) return state.error();
    if (!state->marker_topic)
      return Error{ErrorCode::kRefused, "kafka.reset",
                   "the marker topic " + store_.names.marker() + " is gone"};
    LAB_TRY(check_ours(store_, *state, "kafka.reset"));
    const auto lock = newest_lock(*reader_, call, "kafka.reset", store_.names);
    if (!lock) return lock.error();
    const std::string holder = *lock ? (*lock)->run_id : "";
    if (holder != store_.run_id)
      return Error{
          ErrorCode::kInUse, "kafka.reset",
          "the lock is " + (holder.empty() ? "free" : "held by run " + holder) + " and no longer this run's"};
    return topics_anew(call, "kafka.reset");
  }

  Status put(const CallContext& call, const Object& object) override {
    LAB_TRY(ready(call, "kafka.put"));
    LAB_TRY(add(call, object, "kafka.put"));
    return producer_->finish(call, "kafka.put");
  }

  Status put_batch(const CallContext& call, std::span<const Object> objects) override {
    LAB_TRY(ready(call, "kafka.put_batch"));
    for (const Object& object : objects) {
      LAB_TRY(check_container(object.container, store_.containers, "kafka.put_batch"));
      LAB_TRY(check_size(object, "kafka.put_batch"));
    }
    LAB_TRY(check_records(store_.setup.schema, objects, "kafka.put_batch"));
    for (const Object& object : objects) LAB_TRY(add(call, object, "kafka.put_batch"));
    return producer_->finish(call, "kafka.put_batch");
  }

  Status put_stream(const CallContext& call, const ObjectSource& source) override {
    LAB_TRY(ready(call, "kafka.put_stream"));
    while (true) {
      const auto object = source();
      if (!object) return producer_->abandon(object.error());
      if (*object == nullptr) return producer_->finish(call, "kafka.put_stream");
      LAB_TRY(check_size(**object, "kafka.put_stream"));
      LAB_TRY(add(call, **object, "kafka.put_stream"));
    }
  }

  Status read_all(const CallContext& call, const ObjectSink& sink) override {
    LAB_TRY(allowed(call, "kafka.read_all"));
    for (std::uint32_t container = 0; container < store_.containers; ++container)
      LAB_TRY(read_topic(*reader_, call, "kafka.read_all", store_.setup, store_.names.container(container),
                         [&](const FoundObject& found) { return sink(found.id, container, found.payload); }));
    return ok();
  }

  Result<std::uint64_t> count(const CallContext& call) override {
    LAB_TRY(allowed(call, "kafka.count"));
    std::uint64_t objects = 0;
    for (const std::string& topic : store_.container_topics()) {
      const auto one = count_topic(*reader_, call, "kafka.count", store_.setup, topic);
      if (!one) return one.error();
      objects += *one;
    }
    return objects;
  }

  /// Every put has awaited its acknowledgement, and Kafka has no request that writes its page cache to disk.
  Status flush(const CallContext& call) override {
    LAB_TRY(ready(call, "kafka.flush"));
    LAB_TRY(producer_->finish(call, "kafka.flush"));
    return reader_->usable(call, "kafka.flush");
  }

  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override {
    if (!info_.has(Capability::kEraseEach)) return unsupported(info_, "erase");
    LAB_TRY(ready(call, "kafka.erase"));
    for (const ObjectKey& key : keys) LAB_TRY(check_live(call, key));
    for (const ObjectKey& key : keys)
      LAB_TRY(producer_->add(call, "kafka.erase", store_.names.container(key.container), {.key = key.id}));
    return producer_->finish(call, "kafka.erase");
  }

  Status erase_all(const CallContext& call, DeleteAll how) override {
    const bool drop = how == DeleteAll::kDrop;
    LAB_TRY(allowed(call, drop ? "kafka.delete_drop" : "kafka.delete_truncate"));
    if (drop && info_.has(Capability::kDeleteDrop)) return topics_anew(call, "kafka.delete_drop");
    if (how != DeleteAll::kTruncate || !info_.has(Capability::kDeleteTruncate))
      return unsupported(info_, to_string(how));
    return delete_records(*reader_, call, "kafka.delete_truncate", store_.container_topics());
  }

  Result<MaintenanceOutcome> maintain(const CallContext& call) override {
    if (!info_.has(Capability::kMaintenance)) return unsupported(info_, "maintain");
    LAB_TRY(ready(call, "kafka.maintain"));
    return maintain_topics(store_, *reader_, *producer_, call);
  }

 private:
  Status open_producer(const CallContext& call, const char* operation) {
    const std::uint64_t made = store_.made;
    auto producer = Producer::open(store_.access, producer_settings(store_.setup.codec), call, operation,
                                   [this](const Delivered& delivered) { note(delivered); });
    if (!producer) return producer.error();
    producer_ = std::move(*producer);
    made_ = made;
    for (const std::string& topic : store_.container_topics()) {
      const auto state = reader_->topic(call, operation, topic);
      if (!state) return state.error();
      if (state->find(topic) != nullptr) LAB_TRY(producer_->know(call, operation, topic));
    }
    return ok();
  }

  Status usable(const CallContext& call, const char* operation) {
    if (!producer_->spent()) LAB_TRY(producer_->client().usable(call, operation));
    return reader_->usable(call, operation);
  }

  /// A producer that has known a topic which was dropped since would go on counting in the new one.
  Status ready(const CallContext& call, const char* operation) {
    LAB_TRY(usable(call, operation));
    if (made_ == store_.made && !producer_->spent()) return ok();
    ids_.assign(store_.containers, LiveIds());
    return open_producer(call, operation);
  }

  Status topics_anew(const CallContext& call, const char* operation) {
    LAB_TRY(usable(call, operation));
    LAB_TRY(make_anew(store_, *reader_, call, operation));
    LAB_TRY(ready(call, operation));
    if (store_.create)
      for (LiveIds& ids : ids_) ids.begin_empty();
    return ok();
  }

  Status check_size(const Object& object, const char* operation) const {
    if (static_cast<std::int64_t>(object.payload.size()) <= info_.object_size_max) return ok();
    return Error{ErrorCode::kInvalidArgument, operation,
                 fmt::format("an object of {} bytes is larger than {} (max.message.bytes)",
                             object.payload.size(), info_.object_size_max)};
  }

  Status add(const CallContext& call, const Object& object, const char* operation) {
    LAB_TRY(check_container(object.container, store_.containers, operation));
    LAB_TRY(check_size(object, operation));
    LAB_TRY(check_records(store_.setup.schema, {&object, 1}, operation));
    const ObjectRecord made(object, store_.setup);
    return producer_->add(call, operation, store_.names.container(object.container), made.record);
  }

  void note(const Delivered& delivered) {
    if (!info_.has(Capability::kEraseEach)) return;
    const auto number = store_.names.number_of(delivered.topic);
    if (number && *number < ids_.size()) ids_[*number].note(delivered);
  }

  Status check_live(const CallContext& call, const ObjectKey& key) {
    LAB_TRY(check_container(key.container, store_.containers, "kafka.erase"));
    LiveIds& ids = ids_[key.container];
    if (ids.complete() && ids.contains(key.id)) return ok();
    LAB_TRY(ids.catch_up(*reader_, call, "kafka.erase", store_.names.container(key.container)));
    if (ids.contains(key.id)) return ok();
    return Error{ErrorCode::kNotFound, "kafka.erase", format_uuid(key.id)};
  }

  Store& store_;
  DriverInfo info_;
  std::vector<LiveIds> ids_;  // Of each container; filled where the variant erases by id.
  std::uint64_t made_ = 0;    // Which topics the producer knows.
  std::unique_ptr<Client> reader_{};
  std::unique_ptr<Producer> producer_{};
};

}  // namespace

DriverInfo info_of(const Store& store) {
  DriverInfo info{.system = "kafka",
                  .variant = store.setup.variant,
                  .bulk_path = "batched produce of one idempotent producer, every delivery report awaited",
                  .durability =
                      "in the logs of all replicas in sync (acks=all), in their page caches: Kafka "
                      "does not fsync",
                  .capabilities = {Capability::kBatch, Capability::kStream},
                  .second_put = SecondPut::kAppend,
                  .background_work = true,
                  .object_size_max = store.message_bytes_max - kRecordOverhead};
  if (store.create) info.capabilities.insert(Capability::kDeleteDrop);
  if (!store.setup.compacted) info.capabilities.insert(Capability::kDeleteTruncate);
  if (store.create && !store.folder.empty()) info.capabilities.insert(Capability::kMaintenance);
  if (store.setup.compacted && !store.setup.by_hash) {
    info.capabilities.insert({Capability::kEraseEach, Capability::kReplace});
    info.second_put = SecondPut::kReplace;
  }
  if (store.setup.by_hash) info.keeps = Keeps::kOnePerKeyAfterMaintenance;
  return info;
}

Result<std::unique_ptr<Driver>> open_kafka_driver(Store& store, const CallContext& call) {
  LAB_TRY(allowed(call, "kafka.open_driver"));
  auto driver = std::make_unique<KafkaDriver>(store);
  LAB_TRY(driver->connect(call));
  return std::unique_ptr<Driver>(std::move(driver));
}

}  // namespace lab::kafka
