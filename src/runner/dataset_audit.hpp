// Each dataset of a run is looked at before it is used: are the bytes what the manifest says of them?
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "payload/dataset.hpp"
#include "scan/audit.hpp"

namespace lab {

/// Datasets that were looked at, by audit_key.
using AuditedDatasets = std::set<std::string>;

/// Equal for the cells that use the same bytes in the same order.
std::string audit_key(const DatasetSpec& spec);

/// Objects spread over the whole dataset, and of each copy among them its original, at most 64 and at most 16
/// MiB of them (at least two): ascending numbers.
std::vector<std::uint64_t> audit_sample(const Dataset& dataset);

/// Makes the sample and counts what is distinct in it, by the counters of `generate --audit`. Errors:
/// kCorruption where it is not as asked: objects, the duplicate unit, and for made kinds of whole objects
/// blocks and chunks too; those of making
/// the objects and of the temporary folder; kCancelled, kTimeout.
Result<std::vector<scan::AuditRow>> audit_dataset(const Dataset& dataset, const CallContext& call);

}  // namespace lab
