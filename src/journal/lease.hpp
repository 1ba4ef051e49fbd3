// The lease: one writer a run directory, on one machine or on many that share it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"

namespace lab {

struct LeaseTimes {
  Millis expiry{30'000};
  Millis heartbeat{10'000};
};

/// Who this process is to other holders of a lease; a seam for tests.
struct HolderIdentity {
  std::string boot_id{};        // /proc/sys/kernel/random/boot_id
  std::string pid_namespace{};  // readlink /proc/self/ns/pid: a pid means something only inside it.
  std::string host{};
  long pid = 0;
  std::string pid_started{};  // Field 22 of /proc/<pid>/stat.
};
HolderIdentity this_process();

/// DIR/lease.json, held from acquire to destruction. A holder on the same boot and in the same pid namespace
/// that no longer runs is taken over at once; any other one when its heartbeat is older than the expiry. A
/// thread renews it. Ages are taken by the time since boot where that is one clock; of a holder on another
/// boot by our wall clock and the modification time of its file. Where these do not agree, or the heartbeat
/// lies in the future by more than the expiry, or the file is no lease, acquire watches it for the expiry
/// time: one that does not change is taken over. Among many that find a dead lease exactly one takes it.
class Lease {
 public:
  /// Errors: kInUse, naming host, pid and the age of the heartbeat; kResourceExhausted, kRefused, kIo.
  static Result<std::unique_ptr<Lease>> acquire(const std::filesystem::path& directory,
                                                const std::string& run_id, const LeaseTimes& times = {},
                                                const HolderIdentity& self = this_process());
  virtual ~Lease() = default;  // Releases: removes the file if it is still ours.

  /// True once the file was taken by somebody else, or could not be renewed for nine tenths of the expiry
  /// time, sleep and suspension included: stop writing. Thread-safe; reads a clock and no file.
  virtual bool lost() const = 0;
};

/// One line about the present holder of DIR; empty when it is free, which a holder that has ended leaves it.
Result<std::string> describe_holder(const std::filesystem::path& directory);

}  // namespace lab
