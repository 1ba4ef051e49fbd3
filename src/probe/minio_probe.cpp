// SPDX-License-Identifier: Apache-2.0
#include "probe/minio_probe.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "probe/metrics_probe.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "probe.minio";
constexpr std::array<const char*, 1> kTotal{"minio_cluster_capacity_raw_total_bytes"};
constexpr std::array<const char*, 1> kFree{"minio_cluster_capacity_raw_free_bytes"};
// Drives were called disks until 2023.
constexpr std::array<const char*, 2> kOffline{"minio_cluster_drive_offline_total",
                                              "minio_cluster_disk_offline_total"};
constexpr Bytes kBlock{4'096};
constexpr Millis kCacheLag{60'000};  // Its figures of drives are cached for a minute.

/// The value of the first of these names that is there; all its series have to agree.
Result<double> one_value(const std::vector<MetricSample>& samples, std::span<const char* const> names) {
  for (const char* const name : names) {
    const auto found = matching(samples, name, {});
    if (found.empty()) continue;
    for (const MetricSample& sample : found)
      if (sample.value != found[0].value)
        return Error{ErrorCode::kCorruption, kOperation, fmt::format("servers do not agree on {}", name)};
    return found[0].value;
  }
  return Error{ErrorCode::kNotFound, kOperation, fmt::format("{} is not among the metrics", names[0])};
}

class MinioProbe final : public Probe {
 public:
  MinioProbe(MinioConfig config, TimeSource& time)
      : info_{.name = "minio",
              .counts =
                  "bytes in use on all drives of the cluster (raw total less raw free capacity), other users "
                  "of "
                  "their file systems included",
              .scope = CopyScope::kAllCopies,
              .quantum = kBlock,
              .lag = kCacheLag},
        client_(std::move(config.endpoint), time) {}

  const ProbeInfo& info() const noexcept override { return info_; }

  Result<ByteMap> read(const CallContext& call) override {
    const auto samples = scrape(client_, call);
    if (!samples) return samples.error();
    const auto offline = one_value(*samples, kOffline);
    if (!offline) return offline.error();
    if (*offline != 0)
      return Error{ErrorCode::kRefused, kOperation, fmt::format("{} drives are offline", *offline), true};
    const auto total = capacity(*samples, kTotal);
    if (!total) return total.error();
    const auto free = capacity(*samples, kFree);
    if (!free) return free.error();
    if (*free > *total) return Error{ErrorCode::kCorruption, kOperation, "more is free than there is"};
    return ByteMap{{info_.name, *total - *free}};
  }

 private:
  static Result<std::int64_t> capacity(const std::vector<MetricSample>& samples,
                                       std::span<const char* const> names) {
    const auto value = one_value(samples, names);
    return value ? whole_bytes(*value, names[0]) : Result<std::int64_t>(value.error());
  }

  ProbeInfo info_;
  EndpointClient client_;
};

}  // namespace

std::unique_ptr<Probe> make_minio_probe(MinioConfig config, TimeSource& time) {
  return std::make_unique<MinioProbe>(std::move(config), time);
}

}  // namespace lab
