// Reads back what the system holds and holds it against what it should hold.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "stage/stage.hpp"

namespace lab {

struct Verification {
  std::uint64_t live = 0;                  // Objects in the system.
  std::string how{};                       // "full", "sample of 1000", "empty"
  std::optional<std::uint64_t> removed{};  // Only where the variant keeps one per key.
};

/// After an insert or update: count, and the multiset of key and SHA-256 of all objects (above
/// verify_full_up_to, of a seeded sample). Where the variant keeps one per key after maintenance, anything
/// between the survivors and the dataset is right before it. After a deletion: the count is 0 and reading
/// finds nothing. Errors: kCorruption saying what differs; the driver's.
Result<Verification> verify(const StageInput& input, const CallContext& call);

}  // namespace lab
