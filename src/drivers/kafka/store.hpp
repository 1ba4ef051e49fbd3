// What the connections of one session share: cluster, names, variant, and whose the namespace is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "driver/server_namespace.hpp"
#include "drivers/kafka/admin_calls.hpp"
#include "drivers/kafka/client.hpp"
#include "drivers/kafka/topics.hpp"

namespace lab::kafka {

struct Store {
  Access access{};
  Names names{};
  bool create = true;  // False: topics are made and dropped by their operator.
  Setup setup{};
  std::uint32_t containers = 1;
  int replicas = -1;  // -1: as the broker makes topics.
  std::string run_id{};
  std::filesystem::path folder{};                     // Empty: not on the local machine.
  std::int64_t message_bytes_max = kMessageBytesMax;  // Of the topics, for the largest object.
  std::atomic<std::uint64_t> made{0};                 // Counts how often the topics were made anew.

  std::vector<std::string> container_topics() const;
};

/// From a configuration; connects to nothing. Errors: kInvalidArgument.
Status read_config(const SystemConfig& config, Store& store);

/// What lies in the cluster under our names.
struct NamespaceState {
  bool marker_topic = false;
  bool ours = false;                    // The marker topic has the marker's settings.
  std::vector<std::string> numbered{};  // Our topics of containers, of this or an earlier run.
  std::vector<std::string> unknown{};   // Named like a container, and not made by us.
  std::vector<std::string> others{};  // Topics with the prefix that are none of ours, and are never touched.
};
Result<NamespaceState> look_at_namespace(const Store& store, Client& client, const CallContext& call,
                                         const char* operation);

/// kRefused where topics of our names are there without the marker, or one that is named like a container
/// and is not known as ours.
Status check_ours(const Store& store, const NamespaceState& state, const char* operation);

/// Makes the containers' topics anew and empty, or empties those of an operator. The marker has been checked.
/// Errors: kRefused where a topic of a container's name is not known as ours; then nothing was dropped.
Status make_anew(Store& store, Client& client, const CallContext& call, const char* operation);

/// The broker of this cluster that the folder belongs to, and that alone holds all of our topics. Errors:
/// kRefused, kUnsupported where other brokers hold some of them.
Result<std::int32_t> broker_of_folder(const Store& store, Client& client, const CallContext& call,
                                      const char* operation);

/// That the folder is all that this broker has. Errors: kUnsupported where it has several; kRefused without
/// the right to ask it.
Status check_only_folder(const Store& store, Client& client, const CallContext& call, const char* operation,
                         std::int32_t broker);

/// Both of these.
Status check_folder(const Store& store, Client& client, const CallContext& call, const char* operation);

}  // namespace lab::kafka
