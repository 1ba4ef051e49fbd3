// The lab's buckets on a server: looked at, made, emptied, dropped; never one without our marker.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/minio/marker.hpp"

namespace lab::minio {

/// Which of the buckets NAME-0, NAME-1, ... there are. They are made upwards and dropped downwards, so ours
/// are found without the right to list all buckets: the search ends at the first gap beyond the plan's own,
/// or at a name beyond them that may not be looked at.
struct FoundBuckets {
  std::vector<std::uint32_t> ours{};    // With our marker, also beyond the plan's.
  std::vector<std::uint32_t> others{};  // Without it, and of a name that the plan needs.
  std::optional<Error> refusal{};       // Why the first of the others cannot be used; it is left as it is.
};
Result<FoundBuckets> find_buckets(Client& client, const Setup& setup, const CallContext& call,
                                  const char* operation);

/// The marker of a bucket that is there. Errors: kRefused where it has none.
Result<Marker> marker_of(Client& client, const std::string& bucket, const CallContext& call,
                         const char* operation);

/// Makes the first bucket with its marker where it is missing, or marks it where it exists, is empty and is
/// managed by others. Errors: kRefused (a bucket without our marker), kUnsupported (no versioning).
Status prepare(Client& client, const Setup& setup, const CallContext& call);

/// All of the session's buckets anew and empty. Errors: kInUse when the lock is not this run's any more.
Status reset(Client& client, const Setup& setup, Gate& gate, const CallContext& call);

/// Deletes all objects and the buckets, and makes these anew.
Status drop_and_make(Client& client, const Setup& setup, Gate& gate, const CallContext& call,
                     const char* operation);

/// Everything of ours, the marker last; buckets of others stay. Errors: kInUse; kRefused once ours are gone,
/// where a bucket of others has a name that the plan needs.
Status remove_all(Client& client, const Setup& setup, const CallContext& call);

/// A line a bucket of ours.
Result<std::vector<std::string>> leftovers(Client& client, const Setup& setup, const CallContext& call);

}  // namespace lab::minio
