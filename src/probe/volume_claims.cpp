// SPDX-License-Identifier: Apache-2.0
#include "probe/volume_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "probe.claims";
constexpr const char* kMetric = "kube_persistentvolumeclaim_info";

bool is_pattern(const std::string& claim) { return claim.find('*') != std::string::npos; }

std::string regex_of(const std::string& claim) {
  // A StatefulSet's claims are <template>-<set>-<number>.
  if (!is_pattern(claim)) return regex_literal(claim) + "(-[0-9]+)?";
  std::vector<std::string> parts;
  for (const std::string& part : split(claim, '*')) parts.push_back(regex_literal(part));
  return join(parts, ".*");
}

std::string names_of(const std::vector<VolumeClaim>& claims) {
  std::vector<std::string> names;
  for (const VolumeClaim& claim : claims) names.push_back(claim.claim + " on " + claim.volume);
  return join(names, ", ");
}

}  // namespace

Result<ClaimPattern> parse_claim_pattern(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty())
    return Error{ErrorCode::kInvalidArgument, kOperation,
                 fmt::format("'{}' is not <namespace>/<claim>", to_valid_utf8(text))};
  if (is_pattern(parts[0]))
    return Error{ErrorCode::kInvalidArgument, kOperation, "the namespace is one name, without '*'"};
  return ClaimPattern{parts[0], parts[1]};
}

Result<std::vector<VolumeClaim>> ClaimFinder::find(Prometheus& prometheus, const CallContext& call) {
  const auto samples = prometheus.query(
      {.metric = kMetric,
       .matchers = {{"namespace", LabelMatch::kEquals, pattern_.name_space},
                    {"persistentvolumeclaim", LabelMatch::kRegex, regex_of(pattern_.claim)}}},
      call);
  if (!samples) return samples.error();
  std::map<std::string, std::string> volumes;
  for (const SeriesSample& sample : *samples) {
    const std::string claim = sample.label("persistentvolumeclaim");
    const std::string volume = sample.label("volumename");
    const auto [old, fresh] = volumes.emplace(claim, volume);
    if (!fresh && old->second != volume)
      return Error{ErrorCode::kCorruption, kOperation,
                   fmt::format("claim {} has two volumes in {}", claim, kMetric)};
  }
  if (volumes.contains(pattern_.claim) && !is_pattern(pattern_.claim))
    std::erase_if(volumes, [&](const auto& entry) { return entry.first != pattern_.claim; });
  if (volumes.empty())
    return Error{ErrorCode::kNotFound, kOperation,
                 fmt::format("no claim {} in {}", pattern_.text(), kMetric)};
  std::vector<VolumeClaim> claims;
  for (const auto& [claim, volume] : volumes) {
    if (volume.empty())
      return Error{ErrorCode::kNotFound, kOperation, fmt::format("claim {} has no volume yet", claim)};
    claims.push_back({claim, volume});
  }
  if (first_.empty()) first_ = claims;
  if (claims != first_)
    return Error{ErrorCode::kRefused, kOperation,
                 fmt::format("the claims were {} and are now {}", names_of(first_), names_of(claims))};
  return claims;
}

std::string ClaimFinder::counted() const {
  if (first_.empty()) return {};
  std::vector<std::string> names;
  for (const VolumeClaim& claim : first_) names.push_back(claim.claim);
  return "claims " + join(names, ", ");
}

}  // namespace lab
