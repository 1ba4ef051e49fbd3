// Which volumes stand behind a system in Kubernetes: persistent volume claims by name, StatefulSet or
// pattern. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/prometheus.hpp"

namespace lab {

/// Claims of one namespace. `claim` is a claim's name ("data-postgres-0"), the name of a StatefulSet's claims
/// without their number ("data-postgres"), or a pattern in which '*' stands for any letters ("data-*-0").
struct ClaimPattern {
  std::string name_space{};
  std::string claim{};

  std::string text() const { return name_space + "/" + claim; }
};

/// "<namespace>/<claim>", which is what follows "longhorn:" in a plan. Errors: kInvalidArgument.
Result<ClaimPattern> parse_claim_pattern(std::string_view text);

struct VolumeClaim {
  std::string claim{};
  std::string volume{};  // Of the persistent volume: what Longhorn calls the volume.

  friend bool operator==(const VolumeClaim&, const VolumeClaim&) = default;
};

/// The claims behind a pattern, as kube-state-metrics tells them (kube_persistentvolumeclaim_info). Not
/// thread-safe.
class ClaimFinder {
 public:
  explicit ClaimFinder(ClaimPattern pattern) : pattern_(std::move(pattern)) {}

  /// By name, at least one. A claim of just that name goes before a StatefulSet's. Errors: those of
  /// Prometheus::query; kNotFound where none matches or one has no volume yet; kRefused where they are not
  /// those of the first call, since then sizes are not of the same thing.
  Result<std::vector<VolumeClaim>> find(Prometheus& prometheus, const CallContext& call);

  /// The claims that were found, by name: "claims data-0, data-1". Empty before the first success. Their
  /// volumes are left out: a claim that was made anew for the next cell is the same thing.
  std::string counted() const;

  const ClaimPattern& pattern() const noexcept { return pattern_; }

 private:
  ClaimPattern pattern_;
  std::vector<VolumeClaim> first_{};
};

}  // namespace lab
