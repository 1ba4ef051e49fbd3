// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/examine.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "drivers/kafka/lock.hpp"
#include "drivers/kafka/rights.hpp"

namespace lab::kafka {
namespace {

constexpr const char* kOperation = "kafka.examine";
constexpr std::int64_t kSlowMs = 10'000;  // Of the broker's background work: a run then takes much longer.

class Examination {
 public:
  Examination(const Store& store, Client& client, const CallContext& call)
      : store_(store), client_(client), call_(call) {}

  std::vector<Finding> run() {
    const Address& address = store_.access.address;
    add({.what = "connection",
         .passed = true,
         .detail =
             fmt::format("cluster {}, {}{}, librdkafka {}", client_.cluster_id(), address.security,
                         address.mechanism.empty() ? "" : " " + address.mechanism, rd_kafka_version_str()),
         .warning = !address.encrypted()});
    if (!address.encrypted())
      found_.back().detail += address.mechanism == "PLAIN" ? "; the password travels in clear text"
                                                           : "; the data travels in clear text";
    add({.what = "version", .passed = true, .detail = client_.version()});
    look_at_topics();
    look_at_settings();
    look_at_folder();
    return std::move(found_);
  }

 private:
  void add(Finding finding) { found_.push_back(std::move(finding)); }
  void fail(const char* what, const Error& error) {
    add({.what = what, .passed = false, .detail = error.text()});
  }

  void look_at_topics() {
    const auto state = look_at_namespace(store_, client_, call_, kOperation);
    if (!state) return fail("namespace", state.error());
    if (const Status ours = check_ours(store_, *state, kOperation); !ours)
      return fail("namespace", ours.error());
    for (Finding& finding : examine_rights(store_, *state, client_, call_, kOperation))
      add(std::move(finding));
    if (state->marker_topic) {
      const auto lock = newest_lock(client_, call_, kOperation, store_.names);
      if (!lock) return fail("namespace", lock.error());
      if (const Status free = LabLock::check_free(*lock, store_.run_id); !free)
        return fail("namespace", free.error());
    }
    if (!state->others.empty())
      add({.what = "namespace",
           .passed = true,
           .detail = fmt::format("topics {} begin with {}- and are not ours: they are never touched",
                                 join(state->others, ", "), store_.names.prefix),
           .warning = true});
    if (store_.create)
      return add({.what = "namespace",
                  .passed = true,
                  .detail = fmt::format("topics {}-N and {}, made and dropped by us", store_.names.prefix,
                                        store_.names.marker())});
    for (const std::string& topic : store_.container_topics()) {
      const auto settings = describe_topic(client_, call_, kOperation, topic);
      if (!settings) return fail("namespace", settings.error());
    }
    add({.what = "namespace", .passed = true, .detail = "the operator's topics are there; we empty them"});
  }

  void look_at_settings() {
    const auto cluster = client_.topics(call_, kOperation);
    if (!cluster) return fail("settings", cluster.error());
    for (const std::int32_t broker : cluster->brokers) {
      const auto settings = describe_broker(client_, call_, kOperation, broker);
      if (!settings) {
        add({.what = "settings",
             .passed = true,
             .detail = fmt::format(
                 "broker {} does not tell its settings, so that they are not in the record{}: {}", broker,
                 settings.error().code == ErrorCode::kRefused
                     ? "; the right DescribeConfigs on the cluster is missing"
                     : "",
                 settings.error().detail),
             .warning = true});
        continue;
      }
      look_at_broker(broker, *settings);
    }
  }

  void look_at_broker(std::int32_t broker, const Settings& settings) {
    const auto value = [&](const char* key) {
      const auto found = settings.find(key);
      return found == settings.end() ? std::string() : found->second.value;
    };
    add({.what = "objects",
         .passed = true,
         .detail =
             fmt::format("up to {} bytes; broker {} takes messages of {} bytes where a topic says "
                         "nothing else",
                         store_.message_bytes_max - kRecordOverhead, broker, value("message.max.bytes"))});
    if (store_.setup.compacted && value("log.cleaner.enable") == "false")
      add({.what = "settings",
           .passed = false,
           .detail = fmt::format("broker {} has log.cleaner.enable=false: set it to true", broker)});
    warn_of_delay(broker, "log.retention.check.interval.ms", value("log.retention.check.interval.ms"),
                  "a maintenance takes that long");
    warn_of_delay(broker, "log.segment.delete.delay.ms", value("log.segment.delete.delay.ms"),
                  "each chain waits that long for the topics of the one before to be gone");
    if (store_.setup.compacted)
      warn_of_delay(broker, "log.cleaner.backoff.ms", value("log.cleaner.backoff.ms"),
                    "a maintenance may take that long to begin");
  }

  void warn_of_delay(std::int32_t broker, const char* key, const std::string& value, const char* effect) {
    if (std::strtoll(value.c_str(), nullptr, 10) < kSlowMs) return;
    add({.what = "settings",
         .passed = true,
         .detail = fmt::format("broker {} has {}={}: {}", broker, key, value, effect),
         .warning = true});
  }

  void look_at_folder() {
    if (store_.folder.empty())
      return add({.what = "files",
                  .passed = true,
                  .detail = "no directory: this client has no size of Kafka's own, so that only probes of "
                            "volumes give figures, and there is no maintenance",
                  .warning = true});
    const auto broker = broker_of_folder(store_, client_, call_, kOperation);
    if (!broker) return fail("files", broker.error());
    const Status alone = check_only_folder(store_, client_, call_, kOperation, *broker);
    // The folder is the right one; what is missing is a right.
    if (!alone) return fail(alone.error().code == ErrorCode::kRefused ? "rights" : "files", alone.error());
    add({.what = "files", .passed = true, .detail = store_.folder.string() + " is this broker's"});
  }

  const Store& store_;
  Client& client_;
  const CallContext& call_;
  std::vector<Finding> found_{};
};

}  // namespace

std::vector<Finding> examine_cluster(const Store& store, const CallContext& call) {
  auto client = Client::connect(store.access, Client::Kind::kReader, reader_settings(), call, kOperation);
  if (!client) return {not_connected(client.error())};
  return Examination(store, **client, call).run();
}

Result<std::vector<std::string>> leftovers_in(const Store& store, const CallContext& call) {
  auto client =
      Client::connect(store.access, Client::Kind::kReader, reader_settings(), call, "kafka.leftovers");
  if (!client) return client.error();
  const auto state = look_at_namespace(store, **client, call, "kafka.leftovers");
  if (!state) return state.error();
  std::vector<std::string> left;
  if (!state->ours) return left;
  for (const std::string& topic : state->numbered) {
    const auto marks = (*client)->watermarks(call, "kafka.leftovers", topic);
    if (!marks) return marks.error();
    if (store.create || marks->high > marks->low)
      left.push_back(fmt::format("topic {}, {} offsets", topic, marks->high - marks->low));
  }
  if (store.create) left.push_back("topic " + store.names.marker());
  return left;
}

}  // namespace lab::kafka
