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

}  // namespace lab
