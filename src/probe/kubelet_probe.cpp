// SPDX-License-Identifier: Apache-2.0
#include "probe/kubelet_probe.hpp"

#include <fmt/format.h>

#include "probe/exposition.hpp"

namespace lab {
namespace {

constexpr const char* kMetric = "kubelet_volume_stats_used_bytes";
constexpr Bytes kBlock{4'096};  // Of the usual file systems.

class KubeletProbe final : public Probe {
 public:
  KubeletProbe(KubeletConfig config, TimeSource& time)
      : info_{.name = "kubelet",
              .counts =
                  "bytes in use of the file system on each claim's volume (kubelet_volume_stats_used_bytes), "
                  "as "
                  "last computed by the kubelet",
              .scope = CopyScope::kAllCopies,
              .quantum = kBlock,
              .lag = config.prometheus.age_max + config.kubelet_age},
        prometheus_(std::move(config.prometheus), time),
        claims_(std::move(config.claims)) {}

  const ProbeInfo& info() const noexcept override { return info_; }

  Result<ByteMap> read(const CallContext& whole_call) override {
    const CallContext call = within(whole_call, prometheus_.config().limit);
    const auto claims = claims_.find(prometheus_, call);
    if (!claims) return claims.error();
    std::vector<std::string> names;
    for (const VolumeClaim& claim : *claims) names.push_back(claim.claim);
    const auto samples =
        prometheus_.query({.metric = kMetric,
                           .matchers = {{"namespace", LabelMatch::kEquals, claims_.pattern().name_space},
                                        {"persistentvolumeclaim", LabelMatch::kRegex, regex_any_of(names)}}},
                          call);
    if (!samples) return samples.error();
    const auto used = values_by_label(*samples, "persistentvolumeclaim", kMetric);
    if (!used) return used.error();
    ByteMap bytes{{info_.name, 0}};
    for (const std::string& name : names) {
      const auto found = used->find(name);
      if (found == used->end())
        return Error{ErrorCode::kNotFound, "probe.kubelet",
                     fmt::format("no {} of {}: not mounted, or its series has ended", kMetric, name)};
      const auto value = whole_bytes(found->second, kMetric);
      if (!value) return value.error();
      bytes[info_.name + ":" + name] = *value;
      bytes[info_.name] += *value;
    }
    return bytes;
  }

  std::string counted() const override { return claims_.counted(); }

 private:
  ProbeInfo info_;
  Prometheus prometheus_;
  ClaimFinder claims_;
};

}  // namespace

std::unique_ptr<Probe> make_kubelet_probe(KubeletConfig config, TimeSource& time) {
  return std::make_unique<KubeletProbe>(std::move(config), time);
}

}  // namespace lab
