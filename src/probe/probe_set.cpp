// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/btrfs_probe.hpp"
#include "probe/command_probe.hpp"
#include "probe/extents_probe.hpp"
#include "probe/filesystem_probe.hpp"
#include "probe/kubelet_probe.hpp"
#include "probe/longhorn_probe.hpp"
#include "probe/metrics_probe.hpp"
#include "probe/minio_probe.hpp"
#include "probe/mount.hpp"
#include "probe/vdo_probe.hpp"
#include "probe/volume_probe.hpp"
#include "probe/zfs_probe.hpp"

namespace lab {
namespace {

constexpr Bytes kUsualBlock{4096};
constexpr Millis kBackgroundFrees{200};
constexpr std::string_view kLonghorn = "longhorn:";
constexpr std::string_view kMinio = "minio:";

CopyScope scope_of(bool one_copy) { return one_copy ? CopyScope::kOneCopy : CopyScope::kAllCopies; }

class Maker {
 public:
  explicit Maker(const ProbeSetting& setting) : setting_(setting) {
    if (setting.place.empty()) return;
    if (const auto use = file_system_use(setting.place)) block_ = use->block;
    if (const auto mount = find_mount(setting.place)) type_ = mount->type;
  }

  ProbeSet make() {
    const bool local = !setting_.place.empty();
    const auto extents = std::make_shared<LastExtents>();
    if (local || required("extents")) add<ExtentsProbe>(setting_.roots, block_, extents);
    if (type_ == "btrfs" || required("btrfs")) add<BtrfsProbe>(setting_.roots, block_);
    if (local || required("filesystem"))
      add<FilesystemProbe>(setting_.roots, block_, lag(), extents, foreign_);
    if (type_ == "zfs" || required("zfs")) add<ZfsProbe>(setting_.roots);
    if (type_ == "zfs" || required("zpool")) add<ZpoolProbe>(setting_.roots);
    if (required("vdo")) add<VdoProbe>(setting_.roots);
    add_volume();
    for (const CommandProbePlan& command : setting_.system.commands)
      set_.add(make_command_probe({.name = command.name,
                                   .argv = command.argv,
                                   .limit = command.limit,
                                   .scope = scope_of(command.one_copy),
                                   .quantum = command.step,
                                   .lag = command.lag}));
    for (const MetricsProbePlan& metrics : setting_.system.metrics)
      set_.add(make_metrics_probe(
          {.name = metrics.name,
           .endpoint = {.url = metrics.url, .secret = token_of(metrics)},
           .metric = metrics.metric,
           .labels = metrics.labels,
           .sum = metrics.sum,
           .scope = scope_of(metrics.one_copy),
           .quantum = metrics.step,
           .lag = metrics.lag,
           .age_max = metrics.age,
           .limit = monitoring_limit(setting_.plan.settle, setting_.system.metrics.size())}));
    return std::move(set_);
  }

 private:
  bool required(std::string_view probe) const {
    const auto& probes = setting_.system.probes;
    return std::find(probes.begin(), probes.end(), probe) != probes.end();
  }

  std::string token_of(const MetricsProbePlan& metrics) const {
    const auto found = setting_.secrets.metrics.find(metrics.name);
    return found == setting_.secrets.metrics.end() ? "" : found->second;
  }

  /// Of what a file system frees: ext4 and tmpfs do so at once, others in the background.
  Millis lag() const { return type_.starts_with("ext") || type_ == "tmpfs" ? Millis{0} : kBackgroundFrees; }

  void add_volume() {
    const auto& named = setting_.system.volume;
    if (!named) return;
    if (named->starts_with(kLonghorn)) return add_claims(named->substr(kLonghorn.size()));
    if (named->starts_with(kMinio)) {
      set_.add(make_minio_probe(
          {.endpoint = {.url = named->substr(kMinio.size()), .secret = setting_.secrets.volume}}));
      return;
    }
    const auto volume = std::make_shared<const Volume>(*named);
    const SystemPlan& system = setting_.system;
    const bool hook = !setting_.plan.hooks.after_operations.empty() && !system.control;
    const auto trimmed = std::make_shared<bool>(false);
    add<VolumeProbe>(setting_.roots, volume, foreign_,
                     VolumeProbe::Handling{.trimmed = trimmed, .hook = hook});
    if (system.trim) add<TrimmedVolumeProbe>(setting_.roots, volume, foreign_, trimmed);
  }

  void add_claims(const std::string& text) {
    const auto claims = parse_claim_pattern(text);
    LAB_CHECK(claims.has_value() && setting_.plan.prometheus.url, "a plan with such a volume is not read");
    const PrometheusPlan& plan = setting_.plan.prometheus;
    const PrometheusConfig prometheus{
        .endpoint = {.url = *plan.url, .user = plan.user.value_or(""), .secret = setting_.secrets.prometheus},
        .age_max = plan.sample_age,
        .limit = monitoring_limit(setting_.plan.settle, 2)};  // `volume` and `kubelet`
    set_.add(
        make_longhorn_probe({.prometheus = prometheus, .claims = *claims, .kubelet_age = plan.kubelet_age}));
    set_.add(
        make_kubelet_probe({.prometheus = prometheus, .claims = *claims, .kubelet_age = plan.kubelet_age}));
  }

  template <class P, class... Arguments>
  void add(Arguments&&... arguments) {
    set_.add(std::make_unique<P>(std::forward<Arguments>(arguments)...));
  }

  const ProbeSetting& setting_;
  Bytes block_ = kUsualBlock;
  std::string type_{};
  std::shared_ptr<ForeignGrowth> foreign_ = std::make_shared<ForeignGrowth>();
  ProbeSet set_{};
};

}  // namespace

void ProbeSet::read_those(bool disturbing, const CallContext& call, Reading& reading) const {
  for (const auto& probe : probes_) {
    if (probe->info().disturbs != disturbing) continue;
    const auto figures = probe->read(call);
    const ProbeInfo& info = probe->info();
    if (!figures) {
      reading.bytes.erase(info.name);
      reading.missing[info.name] = figures.error().text();
      continue;
    }
    reading.quantum[info.name] = info.quantum.count;
    reading.lag[info.name] = info.lag;
    if (const auto uncertain = probe->uncertain()) reading.uncertain[info.name] = uncertain->count;
    for (const auto& [name, bytes] : *figures) {
      reading.bytes[name] = bytes;
      reading.scope[name] = std::string(scope_name(info.scope));
      reading.quantum[name] = info.quantum.count;
      reading.lag[name] = info.lag;
    }
  }
}

void ProbeSet::read(const CallContext& call, Reading& reading) const { read_those(false, call, reading); }

void ProbeSet::read_again(const CallContext& call, Reading& reading) const {
  const auto is_probe = [&](const std::string& name) {
    return std::any_of(probes_.begin(), probes_.end(),
                       [&](const auto& probe) { return probe->info().name == name; });
  };
  Reading now;
  read(call, now);
  for (const auto& probe : probes_) {
    const ProbeInfo& info = probe->info();
    if (info.disturbs) continue;
    std::erase_if(reading.bytes, [&](const auto& entry) {
      return entry.first == info.name || (entry.first.starts_with(info.name + ":") && !is_probe(entry.first));
    });
  }
  for (const auto& [name, bytes] : now.bytes)
    if (!reading.missing.contains(name)) reading.bytes[name] = bytes;
  reading.missing.insert(now.missing.begin(), now.missing.end());
}

void ProbeSet::read_disturbing(const CallContext& call, Reading& reading) const {
  read_those(true, call, reading);
}

ProbeNotes ProbeSet::notes(const CallContext& call) const {
  ProbeNotes notes;
  const auto unknown = [&](const std::string& why) {
    if (notes.copies_unknown.empty()) notes.copies_unknown = why;
  };
  for (const auto& probe : probes_) {
    const std::string& name = probe->info().name;
    const auto remarks = probe->remarks(call);
    if (!remarks) notes.remarks[name] = "not looked at: " + remarks.error().text();
    if (remarks && !remarks->empty()) notes.remarks[name] = *remarks;
    if (std::string counted = probe->counted(); !counted.empty()) notes.counted[name] = std::move(counted);
    const auto copies = probe->storage_copies(call);
    if (!copies) unknown(name + ": " + copies.error().text());
    if (!copies || !*copies) continue;
    if (notes.storage_copies && *notes.storage_copies != **copies)
      unknown(fmt::format("probes do not agree: {:g} and {:g}", *notes.storage_copies, **copies));
    notes.storage_copies = *copies;
  }
  if (!notes.copies_unknown.empty()) notes.storage_copies.reset();
  return notes;
}

bool ProbeSet::disturbs() const {
  return std::any_of(probes_.begin(), probes_.end(),
                     [](const auto& probe) { return probe->info().disturbs; });
}

std::vector<ProbeInfo> ProbeSet::infos() const {
  std::vector<ProbeInfo> infos;
  for (const auto& probe : probes_) infos.push_back(probe->info());
  return infos;
}

void ProbeSet::set_reference() const {
  for (const auto& probe : probes_) probe->set_reference();
}

Millis monitoring_limit(const SettlePlan& settle, std::size_t probes) {
  return std::clamp(settle.limit / static_cast<std::int64_t>(4 * probes), Millis{1},
                    PrometheusConfig{}.limit);
}

ProbeSet make_probes(const ProbeSetting& setting) { return Maker(setting).make(); }

}  // namespace lab
