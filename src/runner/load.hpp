// A dataset straight into a system, outside of a run: for other tools that read it there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "driver/system.hpp"
#include "payload/manifest.hpp"
#include "payload/producer.hpp"

namespace lab {

struct LoadRequest {
  const SystemEntry& entry;
  const SystemConfig& config;
  std::shared_ptr<const Dataset> dataset{};
  Millis limit{};  // Of sending all objects.
  /// Sees each object before it is sent; an error ends the load.
  std::function<Status(const ObjectFacts&, const MadeObject&)> look{};
  GenerateProgress progress{};  // Of what was acknowledged.
};

/// How far a load came, for the one who has to say what is there.
struct LoadReached {
  bool began = false;   // From here on something of ours may be in the system.
  bool loaded = false;  // All objects are acknowledged, durable and counted.
  std::uint64_t acknowledged = 0;
};

/// Makes the namespace anew and empty, sends the dataset by the bulk path of a run, makes it durable and
/// counts it. That nothing of worth is there is the caller's to look at before, by what_is_there; the
/// namespace's lock keeps other runs out meanwhile. Errors: those of the system, of the source and of `look`;
/// kInvalidArgument for objects that the system does not take and for a variant that would not keep them all,
/// after which nothing of ours is left; kCorruption where the system counts another number of objects than
/// were sent.
Result<GenerateSummary> load_dataset(const LoadRequest& request, const CallContext& call,
                                     LoadReached& reached);

/// What of ours is in the system now, a line each; of an embedded system its folder, where it holds anything.
/// Writes nothing. Errors: those of asking; kRefused for what is not ours, which of a folder tells whose it
/// is in `registry`.
Result<std::vector<std::string>> what_is_there(const SystemEntry& entry, const Registry& registry,
                                               const SystemConfig& config, const CallContext& call);

}  // namespace lab
