// The marker of our buckets and the lock in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "driver/gate.hpp"
#include "driver/lab_lock.hpp"
#include "drivers/minio/bucket.hpp"

namespace lab::minio {

/// What the marker says: whose bucket it is, and in the first bucket who uses it.
struct Marker {
  std::string holder{};  // Run that holds the lock; empty: free.
  std::string etag{};
  std::string version_id{};  // In a versioned bucket.
  Millis age{};              // Since it was written, by the server's own clock.

  LockState lock() const { return {.run_id = holder, .age = age}; }
};

/// Text of a marker. Read back by parse_marker; nothing where the text is not one of ours.
std::string marker_text(const std::string& holder);
std::optional<std::string> parse_marker(std::string_view text);

/// Seconds since 1970 of "Wed, 25 Nov 2026 19:03:48 GMT"; nothing for another text.
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// Nothing where the bucket has no marker. Errors: kRefused for an object of that name that is not ours.
Result<std::optional<Marker>> read_marker(Client& client, const std::string& bucket, const CallContext& call,
                                          const char* operation);

/// Writes the marker, only if it is still as `expected` (nothing: not there). False: somebody was faster.
/// What it replaced does not stay as a version of the past.
Result<bool> write_marker(Client& client, const std::string& bucket, const std::optional<Marker>& expected,
                          const std::string& holder, const CallContext& call, const char* operation);

/// The lock in the marker of the first bucket. `gate` keeps heartbeats out while that bucket is dropped.
std::unique_ptr<LockStore> lock_store(const Setup& setup, Traffic& traffic, Gate& gate);

}  // namespace lab::minio
