// The probes that a system has besides its engine's figure and its files, and one reading of all of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "model/plan.hpp"
#include "probe/probe.hpp"
#include "probe/reading.hpp"

namespace lab {

/// Not thread-safe. Made for one chain: some of its probes compare with what they read of the empty system.
class ProbeSet {
 public:
  void add(std::unique_ptr<Probe> probe) { probes_.push_back(std::move(probe)); }
  bool empty() const noexcept { return probes_.empty(); }

  /// Adds what answers, and the reasons of what does not, to `reading`: the probes that change nothing. The
  /// files' file system has just been synced (read_probes): syncfs is slow where others write, and once is
  /// enough.
  void read(const CallContext& call, Reading& reading) const;

  /// The same of those that disturb the others.
  void read_disturbing(const CallContext& call, Reading& reading) const;

  /// Whether there is one of those.
  bool disturbs() const;

  /// What was read last is the empty system.
  void set_reference() const;

 private:
  void read_those(bool disturbing, const CallContext& call, Reading& reading) const;
  std::vector<std::unique_ptr<Probe>> probes_{};
};

/// What the probes of one system are made from.
struct ProbeSetting {
  const Plan& plan;
  const SystemPlan& system;
  RootsOf roots{};                // The system's folders.
  std::filesystem::path place{};  // A folder on their file system that is there already; empty: not local.
};

/// `extents` and `filesystem` where the files are on the local machine; `btrfs`, `zfs` and `zpool` where they
/// lie on such a file system; `volume` and `volume:trimmed` where the plan names the volume; and every one
/// that the plan requires, so that its reason stands in the record when it does not answer.
ProbeSet make_probes(const ProbeSetting& setting);

}  // namespace lab
