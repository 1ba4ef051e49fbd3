// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/text.hpp"
#include "drivers/kafka/log_folder.hpp"

namespace lab::kafka {
namespace {

constexpr int kReplicasMax = 32;

Status read_replicas(const SystemConfig& config, Store& store) {
  const auto found = config.options.find("replication_factor");
  if (found == config.options.end()) return ok();
  const std::string& text = found->second;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), store.replicas);
  if (failure != std::errc() || end != text.data() + text.size() || store.replicas < 1 ||
      store.replicas > kReplicasMax)
    return bad_option("replication_factor", text, fmt::format(": write 1 to {}", kReplicasMax));
  return ok();
}

/// A name says nothing: `named` are ours where they have the mark that we make topics with. One of before the
/// mark is ours where the plan has its number and all of its settings are those that we gave.
Status sort_by_owner(const Store& store, Client& client, const CallContext& call, const char* operation,
                     const std::vector<std::string>& named, NamespaceState& state) {
  const auto all = describe_topics(client, call, operation, named);
  if (!all) return all.error();
  for (const auto& [name, settings] : *all) {
    const TopicSettings own = own_settings(settings);
    const bool of_plan = store.names.number_of(name).value_or(store.containers) < store.containers;
    const bool ours = is_container(own) || (of_plan && is_unmarked_container(own));
    (ours ? state.numbered : state.unknown).push_back(name);
  }
  return ok();
}

}  // namespace

std::vector<std::string> Store::container_topics() const {
  std::vector<std::string> all;
  for (std::uint32_t number = 0; number < containers; ++number) all.push_back(names.container(number));
  return all;
}

Status read_config(const SystemConfig& config, Store& store) {
  auto address = parse_address(config.url);
  if (!address) return address.error();
  const auto space = server_namespace(config, "dedup-lab");
  if (!space) return space.error();
  LAB_TRY(read_replicas(config, store));
  store.access = {.address = std::move(*address), .password = config.password};
  store.names = {.prefix = space->name};
  store.create = space->create;
  store.containers = config.containers;
  store.run_id = config.run_id;
  store.folder = config.directory;
  return ok();
}

Result<NamespaceState> look_at_namespace(const Store& store, Client& client, const CallContext& call,
                                         const char* operation) {
  const auto cluster = client.topics(call, operation);
  if (!cluster) return cluster.error();
  NamespaceState state;
  std::vector<std::string> named;
  for (const TopicState& topic : cluster->topics) {
    if (topic.name == store.names.marker())
      state.marker_topic = true;
    else if (const auto number = store.names.number_of(topic.name);
             number && (store.create || *number < store.containers))
      (store.create ? named : state.numbered).push_back(topic.name);
    else if (topic.name.starts_with(store.names.prefix + "-"))
      state.others.push_back(topic.name);
  }
  LAB_TRY(sort_by_owner(store, client, call, operation, named, state));
  std::sort(state.numbered.begin(), state.numbered.end());
  std::sort(state.unknown.begin(), state.unknown.end());
  std::sort(state.others.begin(), state.others.end());
  if (!state.marker_topic) return state;
  const auto settings = describe_topic(client, call, operation, store.names.marker());
  if (!settings) return settings.error();
  state.ours = is_marker(own_settings(*settings));
  return state;
}

Status check_ours(const Store& store, const NamespaceState& state, const char* operation) {
  const auto refused = [&](std::string why) { return Error{ErrorCode::kRefused, operation, std::move(why)}; };
  if (state.marker_topic && !state.ours)
    return refused(fmt::format("topic {} is there but is no marker of deduplab; choose another namespace",
                               store.names.marker()));
  if (!state.unknown.empty())
    return refused(
        fmt::format("topics that deduplab did not make have names of its containers: {}; they are "
                    "left as they are: delete them yourself, or choose another namespace",
                    join(state.unknown, ", ")));
  if (!state.marker_topic && !state.numbered.empty() && store.create)
    return refused(fmt::format("topics {} are there without our marker topic {}; choose another namespace",
                               join(state.numbered, ", "), store.names.marker()));
  if (!state.marker_topic && !store.create)
    return refused(fmt::format("namespace_mode is existing and its operator has not made the marker topic {}",
                               store.names.marker()));
  return ok();
}

Status make_anew(Store& store, Client& client, const CallContext& call, const char* operation) {
  if (!store.create) return delete_records(client, call, operation, store.container_topics());
  const auto state = look_at_namespace(store, client, call, operation);
  if (!state) return state.error();
  LAB_TRY(check_ours(store, *state, operation));
  ++store.made;  // Before the first is gone: a producer that knows the old ones is not used again.
  LAB_TRY(delete_topics(client, call, operation, state->numbered));
  return create_topics(client, call, operation, store.container_topics(), topic_settings(store.setup),
                       store.replicas);
}

Result<std::int32_t> broker_of_folder(const Store& store, Client& client, const CallContext& call,
                                      const char* operation) {
  const auto owner = owner_of(store.folder);
  if (!owner) return owner.error();
  if (owner->cluster != client.cluster_id())
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("{} belongs to cluster {}, this one is {}", store.folder.string(),
                             owner->cluster, client.cluster_id())};
  const auto cluster = client.topics(call, operation);
  if (!cluster) return cluster.error();
  if (!std::binary_search(cluster->brokers.begin(), cluster->brokers.end(), owner->broker))
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("{} belongs to broker {}, which is not in this cluster now",
                             store.folder.string(), owner->broker)};
  for (const TopicState& topic : cluster->topics) {
    if (store.names.number_of(topic.name).value_or(store.containers) >= store.containers) continue;
    for (const PartitionState& partition : topic.partitions)
      if (partition.replicas != std::vector<std::int32_t>{owner->broker})
        return Error{ErrorCode::kUnsupported, operation,
                     fmt::format("{} holds what broker {} has; topic {} lies on other brokers too",
                                 store.folder.string(), owner->broker, topic.name)};
  }
  return owner->broker;
}

Status check_only_folder(const Store& store, Client& client, const CallContext& call, const char* operation,
                         std::int32_t broker) {
  const auto settings = describe_broker(client, call, operation, broker);
  if (!settings && settings.error().code == ErrorCode::kRefused)
    return Error{
        ErrorCode::kRefused, operation,
        fmt::format("the right DescribeConfigs on the cluster is missing, which deduplab setup gives: "
                    "without it broker {} does not tell its log.dirs, and so not whether {} is all that "
                    "it has ({})",
                    broker, store.folder.string(), settings.error().detail)};
  if (!settings) return settings.error();
  const auto several = settings->find("log.dirs");
  if (several != settings->end() && several->second.value.find(',') != std::string::npos)
    return Error{ErrorCode::kUnsupported, operation,
                 fmt::format("broker {} spreads topics over several folders (log.dirs)", broker)};
  return ok();
}

Status check_folder(const Store& store, Client& client, const CallContext& call, const char* operation) {
  const auto broker = broker_of_folder(store, client, call, operation);
  if (!broker) return broker.error();
  return check_only_folder(store, client, call, operation, *broker);
}

}  // namespace lab::kafka
