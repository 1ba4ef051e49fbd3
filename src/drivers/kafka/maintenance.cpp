// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/maintenance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "driver/waiting.hpp"
#include "drivers/kafka/log_folder.hpp"

namespace lab::kafka {
namespace {

constexpr std::string_view kRollKey = "deduplab-roll";
constexpr const char* kOperation = "kafka.maintain";
constexpr Millis kLook{100};            // Between two looks into the folder.
constexpr Millis kSetBackLimit{1'000};  // Also after a stop.

/// The settings of the maintenance; those of the variant come back with its end, whatever that is.
class ForMaintenance {
 public:
  ForMaintenance(Store& store, Client& client) : store_(store), client_(client) {}
  ~ForMaintenance() {
    if (changed_)
      ignore(set_back({Clock::now() + kSetBackLimit, {}}), "the next reset makes the topics anew");
  }
  ForMaintenance(const ForMaintenance&) = delete;
  ForMaintenance& operator=(const ForMaintenance&) = delete;

  Status change(const CallContext& call) {
    TopicSettings settings = topic_settings(store_.setup);
    settings["segment.ms"] = "1";
    if (store_.setup.compacted) settings["min.cleanable.dirty.ratio"] = "0";
    changed_ = true;
    return alter_topics(client_, call, kOperation, store_.container_topics(), settings);
  }
  Status set_back(const CallContext& call) {
    LAB_TRY(alter_topics(client_, call, kOperation, store_.container_topics(), topic_settings(store_.setup)));
    changed_ = false;
    return ok();
  }

 private:
  Store& store_;
  Client& client_;
  bool changed_ = false;
};

/// Writes a record of ours until it is the first of a segment; gives its offset. The settings reach a broker
/// a moment after the cluster has them, so that one record may not be enough.
Result<std::int64_t> roll(Store& store, Client& client, Producer& producer, const CallContext& call,
                          const std::string& topic) {
  std::int64_t base = 0;
  const auto begun = [&]() -> Result<bool> {
    LAB_TRY(producer.send(call, kOperation, topic, {.key = as_bytes(kRollKey)}));
    const auto marks = client.watermarks(call, kOperation, topic);
    if (!marks) return marks.error();
    base = marks->high - 1;
    const auto segments = segments_of(store.folder, topic);
    if (!segments) return segments.error();
    return !segments->bases.empty() && segments->bases.back() == base;
  };
  LAB_TRY(poll_until(call, kLook, kOperation, begun));
  return base;
}

Result<MaintenanceOutcome> remove_deleted(Store& store, Client& client, Producer& producer,
                                          const CallContext& call) {
  std::int64_t bytes = 0;
  for (const std::string& topic : store.container_topics()) {
    const auto marks = client.watermarks(call, kOperation, topic);
    if (!marks) return marks.error();
    if (marks->low < marks->high)
      return MaintenanceOutcome{
          "nothing: a segment goes when all of its records are deleted, and there are "
          "live ones in " +
              topic,
          false};
    const auto segments = segments_of(store.folder, topic);
    if (!segments) return segments.error();
    bytes += segments->bytes;
  }
  if (bytes == 0) return MaintenanceOutcome{"nothing: no segment holds a record", false};
  ForMaintenance settings(store, client);
  LAB_TRY(settings.change(call));
  std::map<std::string, std::int64_t> first;
  for (const std::string& topic : store.container_topics()) {
    const auto base = roll(store, client, producer, call, topic);
    if (!base) return base.error();
    first[topic] = *base;
  }
  LAB_TRY(delete_records(client, call, kOperation, store.container_topics()));
  for (const auto& [topic, base] : first)
    LAB_TRY(poll_until(call, kLook, kOperation, [&, &name = topic, &from = base]() -> Result<bool> {
      const auto segments = segments_of(store.folder, name);
      if (!segments) return segments.error();
      return segments->removed == 0 && !segments->bases.empty() && segments->bases.front() >= from;
    }));
  LAB_TRY(settings.set_back(call));
  return MaintenanceOutcome{fmt::format("segments rolled and {} bytes of deleted ones removed", bytes), true};
}

Result<MaintenanceOutcome> clean(Store& store, Client& client, Producer& producer, const CallContext& call) {
  const auto before = cleaned_offsets(store.folder);
  if (!before) return before.error();
  ForMaintenance settings(store, client);
  LAB_TRY(settings.change(call));
  bool worked = false;
  std::int64_t segments_before = 0;
  std::map<std::string, std::int64_t> first;
  for (const std::string& topic : store.container_topics()) {
    const auto segments = segments_of(store.folder, topic);
    if (!segments) return segments.error();
    segments_before += static_cast<std::int64_t>(segments->bases.size());
    const auto base = roll(store, client, producer, call, topic);
    if (!base) return base.error();
    first[topic] = *base;
  }
  for (const auto& [topic, base] : first) {
    const std::string partition = topic + "-0";
    const auto known = before->find(partition);
    const std::int64_t old = known == before->end() ? 0 : known->second;
    const auto been_through = [&, &from = base]() -> Result<bool> {
      LAB_TRY(client.usable(call, kOperation));
      const auto now = cleaned_offsets(store.folder);
      if (!now) return now.error();
      const auto cleaned = now->find(partition);
      return from == 0 || (cleaned != now->end() && cleaned->second >= from);
    };
    LAB_TRY(poll_until(call, kLook, kOperation, been_through));
    worked = worked || base > old;
  }
  LAB_TRY(settings.set_back(call));
  return MaintenanceOutcome{
      fmt::format("log cleaner: {} segments cleaned, as its own checkpoint says", segments_before), worked};
}

}  // namespace

bool is_roll_record(std::string_view key) { return key == kRollKey; }

Result<MaintenanceOutcome> maintain_topics(Store& store, Client& client, Producer& producer,
                                           const CallContext& call) {
  return store.setup.compacted ? clean(store, client, producer, call)
                               : remove_deleted(store, client, producer, call);
}

}  // namespace lab::kafka
