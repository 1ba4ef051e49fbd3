// SPDX-License-Identifier: Apache-2.0
#include "probe/longhorn_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "probe/exposition.hpp"
#include "probe/hidden_growth.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "probe.longhorn";
constexpr const char* kSize = "longhorn_volume_actual_size_bytes";
constexpr const char* kRobustness = "longhorn_volume_robustness";
constexpr const char* kReplicaMode = "longhorn_engine_replica_mode";
constexpr const char* kSnapshotSize = "longhorn_snapshot_actual_size_bytes";
constexpr const char* kFileSystemUsed = "kubelet_volume_stats_used_bytes";
constexpr Bytes kBlock{4'096};        // Replicas are sparse files in blocks of it.
constexpr Millis kEngineLag{10'000};  // The manager asks its engines for sizes every 5 s.
constexpr Bytes kUnusedUsual = 256_MiB;
constexpr Bytes kKeptUsual = 1_MiB;

Error failure(ErrorCode code, std::string why) { return {code, kOperation, std::move(why)}; }

/// The state that a series of longhorn_volume_robustness asserts; empty where it asserts none. Newer versions
/// have one series a state, 1 for the present one; older ones a number.
std::string robustness_of(const SeriesSample& sample) {
  const std::string state = sample.label("state");
  if (!state.empty()) return sample.value == 1 ? state : "";
  if (sample.value == 1) return "healthy";
  if (sample.value == 2) return "degraded";
  return sample.value == 3 ? "faulted" : "unknown";
}

class MonitoredVolumes final : public LonghornProbe {
 public:
  MonitoredVolumes(LonghornConfig config, TimeSource& time)
      : info_{.name = "volume",
              .counts = fmt::format("allocated bytes of one replica of each Longhorn volume, head and "
                                    "snapshots ({}): what was written and not trimmed",
                                    kSize),
              .scope = CopyScope::kAllCopies,
              .quantum = kBlock,
              // It is compared with the kubelet's figure, which is the later of the two.
              .lag = config.prometheus.age_max + std::max(kEngineLag, config.kubelet_age)},
        prometheus_(std::move(config.prometheus), time),
        claims_(std::move(config.claims)) {}

  const ProbeInfo& info() const noexcept override { return info_; }

  Result<ByteMap> read(const CallContext& call) override {
    last_.reset();
    const auto volumes = measure(bounded(call));
    if (!volumes) return volumes.error();
    last_ = *volumes;
    if (empty_) LAB_TRY(check_growth(*volumes));
    ByteMap bytes{{info_.name, 0}};
    for (const VolumeState& volume : *volumes) {
      bytes[info_.name + ":" + volume.claim] = volume.held.count;
      bytes[info_.name] += volume.held.count;
    }
    return bytes;
  }

  void set_reference() override { empty_ = std::exchange(last_, std::nullopt); }

  std::string counted() const override { return claims_.counted(); }

  Result<std::optional<double>> storage_copies(const CallContext& whole_call) override {
    const CallContext call = bounded(whole_call);
    const auto volumes = measure(call);
    if (!volumes) return volumes.error();
    const auto counted = count_replicas(*volumes, call);
    if (!counted) return counted.error();
    std::set<std::int64_t> counts;
    for (const auto& [volume, count] : *counted) counts.insert(count);
    if (counts.size() == 1) return std::optional(static_cast<double>(*counts.begin()));
    return failure(ErrorCode::kRefused,
                   fmt::format("volumes have between {} and {} replicas", *counts.begin(), *counts.rbegin()));
  }

  Result<std::string> remarks(const CallContext& call) override {
    const auto volumes = examine(call);
    if (!volumes) return volumes.error();
    std::vector<std::string> texts;
    for (const VolumeState& volume : *volumes)
      if (volume.remarkable()) texts.push_back(volume.text());
    return join(texts, "; ");
  }

  Result<std::vector<VolumeState>> examine(const CallContext& whole_call) override {
    const CallContext call = bounded(whole_call);
    auto volumes = measure(call);
    if (!volumes) return volumes;
    const auto snapshots = of_volumes(kSnapshotSize, *volumes, call);
    if (!snapshots) return snapshots.error();
    // A snapshot is told by one node; after a move of its volume by two for a moment.
    std::map<std::string, std::map<std::string, std::int64_t>> sizes;
    for (const SeriesSample& sample : *snapshots) {
      const auto size = whole_bytes(sample.value, kSnapshotSize);
      if (!size) return size.error();
      auto& known = sizes[sample.label("volume")][sample.label("snapshot")];
      known = std::max(known, *size);
    }
    for (VolumeState& volume : *volumes) {
      for (const auto& [snapshot, size] : sizes[volume.volume]) volume.in_snapshots += Bytes{size};
      volume.snapshots = sizes[volume.volume].size();
      const VolumeState* const before = empty_of(volume.claim);
      if (before != nullptr && before->file_system_used && volume.file_system_used)
        volume.kept = (volume.held - before->held) - (*volume.file_system_used - *before->file_system_used);
    }
    return volumes;
  }

 private:
  CallContext bounded(const CallContext& call) const { return within(call, prometheus_.config().limit); }

  Result<std::vector<SeriesSample>> of_volumes(const char* metric, const std::vector<VolumeState>& volumes,
                                               const CallContext& call) {
    std::vector<std::string> names;
    for (const VolumeState& volume : volumes) names.push_back(volume.volume);
    return prometheus_.query(
        {.metric = metric, .matchers = {{"volume", LabelMatch::kRegex, regex_any_of(names)}}}, call);
  }

  /// By volume, at least one of each.
  Result<std::map<std::string, std::int64_t>> count_replicas(const std::vector<VolumeState>& volumes,
                                                             const CallContext& call) {
    const auto modes = of_volumes(kReplicaMode, volumes, call);
    if (!modes) return modes.error();
    std::map<std::string, std::set<std::string>> replicas;
    for (const SeriesSample& sample : *modes)
      if (sample.label("mode") == "RW" && sample.value == 1)
        replicas[sample.label("volume")].insert(sample.label("replica"));
    std::map<std::string, std::int64_t> counts;
    for (const VolumeState& volume : volumes) {
      counts[volume.volume] = std::ssize(replicas[volume.volume]);
      if (counts[volume.volume] == 0)
        return failure(
            ErrorCode::kNotFound,
            fmt::format("no replica of {} in {}; the copies were not counted", volume.claim, kReplicaMode));
    }
    return counts;
  }

  /// What the kubelet knows of the file systems upon them; absent where it says nothing.
  Status add_file_systems(std::vector<VolumeState>& volumes, const CallContext& call) {
    std::vector<std::string> names;
    for (const VolumeState& volume : volumes) names.push_back(volume.claim);
    const auto samples =
        prometheus_.query({.metric = kFileSystemUsed,
                           .matchers = {{"namespace", LabelMatch::kEquals, claims_.pattern().name_space},
                                        {"persistentvolumeclaim", LabelMatch::kRegex, regex_any_of(names)}}},
                          call);
    if (!samples) return samples.error();
    const auto used = values_by_label(*samples, "persistentvolumeclaim", kFileSystemUsed);
    if (!used) return used.error();
    for (VolumeState& volume : volumes) {
      const auto found = used->find(volume.claim);
      if (found == used->end()) continue;
      const auto bytes = whole_bytes(found->second, kFileSystemUsed);
      if (!bytes) return bytes.error();
      volume.file_system_used = Bytes{*bytes};
    }
    return ok();
  }

  /// The same volume when the system was empty.
  const VolumeState* empty_of(const std::string& claim) const {
    if (!empty_) return nullptr;
    const auto found = std::find_if(empty_->begin(), empty_->end(),
                                    [&](const VolumeState& volume) { return volume.claim == claim; });
    return found == empty_->end() ? nullptr : &*found;
  }

  Status check_growth(const std::vector<VolumeState>& volumes) const {
    for (const VolumeState& volume : volumes) {
      const VolumeState* const before = empty_of(volume.claim);
      if (before == nullptr || !before->file_system_used || !volume.file_system_used)
        return failure(ErrorCode::kRefused,
                       fmt::format("no {} of {}: whether its growth went into blocks that the volume had "
                                   "from before is not known",
                                   kFileSystemUsed, volume.claim));
      const Bytes grown = *volume.file_system_used - *before->file_system_used;
      if (const auto hidden = hidden_growth(grown, volume.held - before->held))
        return failure(
            ErrorCode::kRefused,
            fmt::format("the file system of {} has grown by {} bytes and its volume by {}: the rest "
                        "went into blocks that the volume had from before; trim it (fstrim)",
                        volume.claim, grown.count, (grown - *hidden).count));
    }
    return ok();
  }

  /// The claims with what each of their volumes holds, all of them healthy.
  Result<std::vector<VolumeState>> measure(const CallContext& call) {
    const auto claims = claims_.find(prometheus_, call);
    if (!claims) return claims.error();
    std::vector<VolumeState> volumes;
    for (const VolumeClaim& claim : *claims)
      volumes.push_back({.claim = claim.claim, .volume = claim.volume});
    LAB_TRY(check_health(volumes, call));
    const auto samples = of_volumes(kSize, volumes, call);
    if (!samples) return samples.error();
    const auto sizes = values_by_label(*samples, "volume", kSize);
    if (!sizes) return sizes.error();
    for (VolumeState& volume : volumes) {
      const auto found = sizes->find(volume.volume);
      if (found == sizes->end())
        return failure(ErrorCode::kNotFound,
                       fmt::format("no {} of {} ({}): not there, or its series has ended", kSize,
                                   volume.claim, volume.volume));
      const auto bytes = whole_bytes(found->second, kSize);
      if (!bytes) return bytes.error();
      volume.held = Bytes{*bytes};
    }
    LAB_TRY(add_file_systems(volumes, call));
    return volumes;
  }

  Status check_health(const std::vector<VolumeState>& volumes, const CallContext& call) {
    const auto samples = of_volumes(kRobustness, volumes, call);
    if (!samples) return samples.error();
    std::map<std::string, std::set<std::string>> states;
    for (const SeriesSample& sample : *samples)
      if (const std::string state = robustness_of(sample); !state.empty())
        states[sample.label("volume")].insert(state);
    for (const VolumeState& volume : volumes) {
      const auto& told = states[volume.volume];
      if (told.empty())
        return failure(ErrorCode::kNotFound,
                       fmt::format("no {} of {} ({})", kRobustness, volume.claim, volume.volume));
      for (const std::string& state : told)
        if (state != "healthy")
          return Error{ErrorCode::kRefused, kOperation,
                       fmt::format("the volume of {} is {}: its replicas are not alike", volume.claim, state),
                       true};
    }
    return ok();
  }

  ProbeInfo info_;
  Prometheus prometheus_;
  ClaimFinder claims_;
  std::optional<std::vector<VolumeState>> last_{};
  std::optional<std::vector<VolumeState>> empty_{};
};

}  // namespace

std::optional<Bytes> VolumeState::unused() const {
  if (!file_system_used) return std::nullopt;
  return held - *file_system_used;
}

bool VolumeState::untrimmed() const {
  const auto idle = unused();
  return (idle && *idle > kUnusedUsual && idle->count > file_system_used->count / 10) || kept_much();
}

bool VolumeState::kept_much() const { return kept && *kept > kKeptUsual && kept->count > held.count / 10; }

bool VolumeState::remarkable() const { return untrimmed() || snapshots > 0 || !file_system_used; }

std::string VolumeState::text() const {
  std::string text = fmt::format("{}: each replica holds {}", claim, format_bytes(held));
  if (snapshots > 0) text += fmt::format(", of it {} in {} snapshots", format_bytes(in_snapshots), snapshots);
  if (!file_system_used)
    return text + "; what its file system uses is not known, so neither whether it is trimmed";
  text += fmt::format("; its file system uses {}", format_bytes(*file_system_used));
  const std::string snapshots_too = snapshots > 0 ? ", or kept by snapshots" : "";
  if (kept_much())
    text += fmt::format("; since the empty system it has grown by {} more than that: not trimmed{}",
                        format_bytes(*kept), snapshots_too);
  else if (untrimmed())
    text += fmt::format("; {} are in no use: not trimmed{}", format_bytes(*unused()), snapshots_too);
  return text;
}

std::unique_ptr<LonghornProbe> make_longhorn_probe(LonghornConfig config, TimeSource& time) {
  return std::make_unique<MonitoredVolumes>(std::move(config), time);
}

}  // namespace lab
