// Who may use the lab's namespace on a server: one run at a time, told from its heartbeat.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/time.hpp"

namespace lab {

/// The lock as it lies in the server, beside the namespace's marker.
struct LockState {
  std::string run_id{};  // Empty: free.
  Millis age{};          // Since the last heartbeat, by the server's own clock.
};

/// Where a driver keeps the lock: a row, a key, an object. On a connection of its own; calls come from one
/// thread at a time.
class LockStore {
 public:
  virtual ~LockStore() = default;
  /// Nothing where the lock was never written.
  virtual Result<std::optional<LockState>> read(const CallContext&) = 0;
  /// Writes `run_id` with the server's present time, only if the lock still holds `expected` (nothing: it was
  /// never written). False: somebody else was faster. A system without conditional writes writes and then
  /// reads back.
  virtual Result<bool> write(const CallContext&, const std::optional<std::string>& expected,
                             const std::string& run_id) = 0;
};

/// Held while it lives: a thread writes a heartbeat every 10 s. The same run takes its own lock back at once.
class LabLock {
 public:
  static constexpr Millis kHeartbeat{10'000};
  static constexpr Millis kExpiry{30'000};

  /// Errors: kInUse naming the run that holds it, when its heartbeat is younger than 30 s.
  static Result<std::unique_ptr<LabLock>> take(std::unique_ptr<LockStore> store, std::string run_id,
                                               const CallContext& call, Millis heartbeat = kHeartbeat,
                                               Millis expiry = kExpiry);

  /// That `take` would find it free, without taking it. Errors: as of `take`.
  static Status check_free(LockStore& store, const std::string& run_id, const CallContext& call);

  /// Whether a run other than `run_id` holds it; where it does, kInUse naming that one.
  static Status check_free(const std::optional<LockState>& found, const std::string& run_id,
                           Millis expiry = kExpiry);

  /// Gives it up: the next run need not wait.
  ~LabLock();
  LabLock(const LabLock&) = delete;
  LabLock& operator=(const LabLock&) = delete;

 private:
  LabLock(std::unique_ptr<LockStore> store, std::string run_id, Millis heartbeat);
  void beat(const std::stop_token& stop);

  std::unique_ptr<LockStore> store_;
  std::string run_id_;
  Millis heartbeat_;
  std::jthread thread_;  // Last: it uses the others.
};

}  // namespace lab
