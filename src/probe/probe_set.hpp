// The probes that a system has besides its engine's figure and its files, and one reading of all of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/plan.hpp"
#include "probe/probe.hpp"
#include "probe/reading.hpp"

namespace lab {

/// What the probes say besides their figures.
struct ProbeNotes {
  std::map<std::string, std::string> remarks{};  // By probe: what to know of its figures.
  std::map<std::string, std::string> counted{};  // By probe: what its figures are of, if it tells.
  std::optional<double> storage_copies{};        // Absent: no probe knows the storage, or the next line.
  std::string copies_unknown{};                  // Why a probe that should know them has not counted them.
};

/// Not thread-safe. Made for one chain: some of its probes compare with what they read of the empty system.
class ProbeSet {
 public:
  void add(std::unique_ptr<Probe> probe) { probes_.push_back(std::move(probe)); }
  bool empty() const noexcept { return probes_.empty(); }

  /// Adds what answers, and the reasons of what does not, to `reading`: the probes that change nothing. The
  /// files' file system has just been synced (read_probes): syncfs is slow where others write, and once is
  /// enough.
  void read(const CallContext& call, Reading& reading) const;

  /// Reads again what read() has read, after what disturbs. What had no figure keeps its reason (it may not
  /// have been at rest), and what has none now loses the old one.
  void read_again(const CallContext& call, Reading& reading) const;

  /// The same as read() of those that disturb the others.
  void read_disturbing(const CallContext& call, Reading& reading) const;

  /// Asked once, after the last reading.
  ProbeNotes notes(const CallContext& call) const;

  /// Whether there is one of those that disturb.
  bool disturbs() const;

  /// In the order in which they are read.
  std::vector<ProbeInfo> infos() const;

  /// What was read last is the empty system.
  void set_reference() const;

 private:
  void read_those(bool disturbing, const CallContext& call, Reading& reading) const;
  std::vector<std::unique_ptr<Probe>> probes_{};
};

/// Passwords and tokens that a plan names and never holds; resolved by the caller.
struct ProbeSecrets {
  std::string prometheus{};  // Password of the plan's user, or a bearer token; empty: no login.
  std::string volume{};      // Bearer token of a volume's own page of metrics; empty: none.
  std::map<std::string, std::string> metrics{};  // Bearer tokens, by the names of their probes.
};

/// What the probes of one system are made from.
struct ProbeSetting {
  const Plan& plan;
  const SystemPlan& system;
  RootsOf roots{};                // The system's folders.
  std::filesystem::path place{};  // A folder on their file system that is there already; empty: not local.
  ProbeSecrets secrets{};
};

/// Of one reading of a probe that asks monitoring, of which there are so many of one kind. A server that
/// hangs holds up settling, which needs several looks within its limit: together they take at most a quarter
/// of it.
Millis monitoring_limit(const SettlePlan& settle, std::size_t probes);

/// `extents` and `filesystem` where the files are on the local machine; `btrfs`, `zfs` and `zpool` where they
/// lie on such a file system; `volume` and `volume:trimmed` where the plan names the volume; and every one
/// that the plan requires, so that its reason stands in the record when it does not answer.
ProbeSet make_probes(const ProbeSetting& setting);

}  // namespace lab
