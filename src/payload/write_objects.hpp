// The loop that every way of writing a whole dataset shares: make, write, audit, sum up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "payload/manifest.hpp"
#include "payload/producer.hpp"

namespace lab {

using WriteObject = std::function<Status(const ObjectFacts&, const MadeObject&)>;

/// Makes every object in order, hands it to `write` and to the audit, and reports progress. Errors: those of
/// the source, of `write` and of the audit; kTimeout, kCancelled.
Result<GenerateSummary> write_objects(const Dataset& dataset, const CallContext& call,
                                      const GenerateProgress& progress, const GenerateAudit* audit,
                                      const WriteObject& write);

/// What a manifest ends with where there is an audit. `Manifest` has add(line).
template <class Manifest>
Status add_last_line(const GenerateAudit* audit, Manifest& manifest) {
  if (audit == nullptr) return ok();
  const auto line = audit->last_line();
  if (!line) return line.error();
  return manifest.add(*line);
}

}  // namespace lab
