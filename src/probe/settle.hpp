// Waiting for quiet by looking, never by a fixed sleep; and the drift of an idle system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/plan.hpp"
#include "probe/probe_set.hpp"
#include "probe/reading.hpp"

namespace lab {

/// Into `residue` what a reading says may not be ours, where that is more: of probes that disturb too, which
/// are read when all others rest.
void note_uncertain(const Reading& reading, ByteMap& residue);

/// What settling looks at; a seam, so that the rule is tested without a system.
struct SettleSource {
  std::function<Reading()> read{};
  std::function<Result<std::map<std::string, double>>()> busy{};
  bool background_work = false;
};
/// Each look is over after `look_limit` at the latest.
SettleSource settle_source(Observer& observer, const ProbeSet& probes, bool background_work,
                           const CallContext& call, Millis look_limit);

struct Settled {
  Reading reading{};     // The last one. A probe that never came to rest is missing, reason "unsettled: ...".
  bool settled = false;  // Every required probe came to rest.
  double seconds = 0;
  std::optional<Error> lost{};  // The connection to the system was, and that ended it.
  ByteMap residue{};  // |last - last but one| of each probe, or what may not be ours where that is more.
};

/// Polls until the busy counters are 0 and every required probe has stayed within the tolerance for the
/// window; without background work, until two readings in a row are equal. Gives up at the limit, at the
/// call's deadline, on a stop and once the connection to the system is lost. A probe whose figures lag must
/// be quiet for longer than that. Probes that are not required do not hold it up, but those that lag do: else
/// they could never answer.
Settled settle(const SettleSource& source, const SettlePlan& plan, std::span<const std::string> required,
               const CallContext& call, TimeSource& time);

/// Largest |reading - first| of each probe over `plan.idle` of doing nothing, or over the longest lag where
/// that is more and `plan.limit` allows it. A probe that did not answer each time, was read once only, or was
/// watched for less than its lag is not in it: its noise floor is not known. Errors: kConnectionLost.
Result<ByteMap> idle_drift(const SettleSource& source, const SettlePlan& plan, const CallContext& call,
                           TimeSource& time);

}  // namespace lab
