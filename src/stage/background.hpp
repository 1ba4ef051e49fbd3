// Whether a system could do the work that it does behind its answers: merges, compactions, rewrites.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "driver/observer.hpp"

namespace lab {

/// What has failed in the background since the system started, as it tells it itself: its counters of the
/// unit "failures". Empty where it has none.
Result<std::map<std::string, double>> background_failures(Observer& observer, const CallContext& call);

/// A system that finds no room for background work leaves it undone, without an error and at rest: its size
/// is real, and that of a full disk. Whatever the system is, its work writes anew at most what it holds
/// before it frees the old, so there has to be room for `live`, the logical bytes before or after the stage,
/// whichever is more. To be asked after settling. Where its files are not on the local machine the room is
/// not known, and only what the system says counts. Errors: kResourceExhausted: less room than that, or more
/// failures than `before`.
Status check_background(Observer& observer, const std::map<std::string, double>& before, Bytes live,
                        const CallContext& call);

}  // namespace lab
