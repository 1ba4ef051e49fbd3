// File systems of persistent volume claims as the kubelet sees them, by its metrics in Prometheus.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "probe/probe.hpp"
#include "probe/prometheus.hpp"
#include "probe/volume_claims.hpp"

namespace lab {

struct KubeletConfig {
  PrometheusConfig prometheus{};
  ClaimPattern claims{};
  /// How old a figure may be when the kubelet gives it: volumeStatsAggPeriod is 1 min by default, and up to
  /// as much again is added at random.
  Millis kubelet_age{120'000};
};

/// `kubelet` and `kubelet:<claim>`: kubelet_volume_stats_used_bytes, the statfs of each claim's mount as it
/// was up to `kubelet_age` ago. A claim without a figure is an error; so the sum is always of all claims.
std::unique_ptr<Probe> make_kubelet_probe(KubeletConfig config, TimeSource& time = real_time());

}  // namespace lab
