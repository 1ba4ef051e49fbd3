// The plan: what a run does, as plain data. Lists multiply.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/retry.hpp"
#include "core/units.hpp"
#include "model/chunker_spec.hpp"
#include "model/dataset.hpp"
#include "model/stage_kind.hpp"

namespace lab {

enum class OrderOfWork : std::uint8_t { kShuffled, kPlan };
enum class RetryScope : std::uint8_t { kBlock, kSystem };
enum class CleanupRule : std::uint8_t { kAlways, kSuccess, kNever };
enum class UpdateContent : std::uint8_t { kSame, kNew };

struct DatasetPlan {
  std::vector<std::string> payloads{};
  std::vector<int> grades{0, 50, 90};
  std::optional<std::uint64_t> objects{};  // Exactly one of objects and totals.
  std::vector<Bytes> totals{};
  std::vector<SizeLaw> object_sizes{SizeLaw{}};
  Popularity popularity{};
  std::optional<int> compressible{};  // In thousandths; none: as the kinds are.
  DuplicateUnit unit{};               // What the grades are shares of.
  std::vector<Order> orders{Order::kShuffled};
  std::vector<Placement> placements{Placement::kWithin};
  std::uint32_t containers = 4;  // Used where the placement is across.
  std::vector<std::string> caches{"warm"};
  std::vector<std::string> modes{"blob"};

  friend bool operator==(const DatasetPlan&, const DatasetPlan&) = default;
};

struct StagesPlan {
  std::vector<Chain> chains{{StageKind::kBulkInsert},
                            {StageKind::kPerfileInsert, StageKind::kPerfileDelete, StageKind::kMaintenance}};
  int update_share_percent = 10;
  UpdateContent update_content = UpdateContent::kNew;
  Bytes verify_full_up_to{64LL << 30};  // Above it a seeded sample is read back.
  std::uint64_t verify_sample = 1'000;  // Objects of that sample.
  Millis limit{6LL * 3'600'000};        // Of one stage's operations, and of its reading back.
  Millis step_limit{600'000};           // Of each other step that asks a system: connect, reset, one reading.
  Millis sample_interval{100};

  friend bool operator==(const StagesPlan&, const StagesPlan&) = default;
};

struct SettlePlan {
  Millis window{1'000};   // Quiet this long. Systems without background work: two equal readings.
  Millis interval{100};   // Between two readings.
  Millis limit{120'000};  // Then the probe is missing with reason `unsettled`.
  Bytes tolerance{0};     // Two readings this near are equal.
  Millis idle{1'000};     // Length of the idle control that gives the noise floor.

  friend bool operator==(const SettlePlan&, const SettlePlan&) = default;
};

/// A rung that a program of the user reads, as the probe `command:NAME`.
struct CommandProbePlan {
  std::string name{};
  std::vector<std::string> argv{};  // Run without a shell; it prints a number of bytes.
  Millis limit{10'000};             // For one reading.
  bool one_copy = false;            // The figure is of one copy; else all copies are in it.
  Bytes step{1};                    // In which its figure moves.
  Millis lag{0};                    // How old its figure may be.

  friend bool operator==(const CommandProbePlan&, const CommandProbePlan&) = default;
};

/// A rung that stands on a page of metrics in the Prometheus text format, as the probe `metrics:NAME`.
struct MetricsProbePlan {
  std::string name{};
  std::string url{};  // Never with a password.
  std::string metric{};
  std::map<std::string, std::string> labels{};  // Those that a line must have to count.
  bool one_copy = false;
  Bytes step{1};
  Millis lag{0};
  bool sum = false;                        // Of all series that match; else exactly one has to.
  Millis age{90'000};                      // Oldest sample with a time of its own that is taken.
  std::optional<std::string> token_env{};  // Where the bearer token is.
  std::optional<std::string> token_file{};

  friend bool operator==(const MetricsProbePlan&, const MetricsProbePlan&) = default;
};

struct SystemPlan {
  std::string name{};
  std::vector<std::string> variants{"default"};
  std::optional<std::string> path{};       // Embedded: where its data lies. Default DIR/data/<system>.
  std::optional<std::string> directory{};  // Servers: where their files are.
  std::optional<std::string> url{};        // Never with a password.
  std::optional<std::string> password_env{};
  std::optional<std::string> password_file{};
  std::vector<std::string> probes{"files"};       // Required; the others are taken where they answer.
  std::optional<std::string> volume{};            // Image file, device, "longhorn:..." or "minio:..." below.
  std::optional<std::string> volume_token_env{};  // Where the bearer token of "minio:..." is.
  std::optional<std::string> volume_token_file{};
  bool trim = false;                         // fstrim, then `volume:trimmed`; only with `volume`.
  std::vector<CommandProbePlan> commands{};  // In the order of their names.
  std::vector<MetricsProbePlan> metrics{};   // In the order of their names.
  std::optional<std::string> identity{};
  std::optional<Bytes> max_bytes{};
  std::map<std::string, std::string> options{};  // The system's own settings, from [systems.NAME.options].
  bool control = false;                          // Added by the program, not named by the plan.

  friend bool operator==(const SystemPlan&, const SystemPlan&) = default;
};

struct RetryPlan {
  int max_retries = 3;
  RetryScope scope = RetryScope::kBlock;
  std::vector<Millis> block_delays{Millis{5'000}, Millis{10'000}, Millis{20'000}};  // The last one repeats.
  RetryPolicy reconnect{};

  friend bool operator==(const RetryPlan&, const RetryPlan&) = default;
};

struct ExportPlan {
  CleanupRule cleanup = CleanupRule::kAlways;

  friend bool operator==(const ExportPlan&, const ExportPlan&) = default;
};

/// What is counted in a system's files after a stage; no scan where `chunkers` is empty.
struct ScanPlan {
  std::vector<ChunkerSpec> chunkers{};
  std::vector<StageKind> stages{};  // Empty: after every stage.
  bool census = true;               // Look for the copies of the payload's objects too.
  Bytes memory{256LL << 20};
  unsigned threads = 1;
  Millis limit{1'800'000};  // Of one scan.

  friend bool operator==(const ScanPlan&, const ScanPlan&) = default;
};

/// Commands of the user.
struct HooksPlan {
  std::vector<std::string> restart{};  // Restarts a server, and returns when it takes clients; empty: none.
  Millis restart_limit{120'000};
  /// Runs after the operations of each stage, before read-back and probes: a dedupe pass; empty: none.
  std::vector<std::string> after_operations{};
  Millis after_operations_limit{1'800'000};

  friend bool operator==(const HooksPlan&, const HooksPlan&) = default;
};

/// The server that knows the volumes of a cluster.
struct PrometheusPlan {
  std::optional<std::string> url{};   // Never with a password.
  std::optional<std::string> user{};  // Basic authentication; without it the secret is a bearer token.
  std::optional<std::string> password_env{};  // Where the password or the token is.
  std::optional<std::string> password_file{};
  Millis sample_age{90'000};    // Oldest sample that is taken: a scrape interval and a late scrape.
  Millis kubelet_age{120'000};  // How old a figure may be when the kubelet gives it.

  friend bool operator==(const PrometheusPlan&, const PrometheusPlan&) = default;
};

struct Plan {
  std::string name{};  // The file's stem.
  std::uint64_t seed = 1;
  int repetitions = 5;
  OrderOfWork order_of_work = OrderOfWork::kShuffled;
  DatasetPlan dataset{};
  StagesPlan stages{};
  SettlePlan settle{};
  ScanPlan scan{};
  std::vector<SystemPlan> systems{};  // In plan order.
  RetryPlan retry{};
  ExportPlan export_{};
  HooksPlan hooks{};
  PrometheusPlan prometheus{};
  std::optional<std::string> real_world_dir{};

  friend bool operator==(const Plan&, const Plan&) = default;
};

}  // namespace lab
