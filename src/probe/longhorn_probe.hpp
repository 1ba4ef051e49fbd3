// Volumes of Longhorn, by its metrics in Prometheus. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/probe.hpp"
#include "probe/prometheus.hpp"
#include "probe/volume_claims.hpp"

namespace lab {

struct LonghornConfig {
  PrometheusConfig prometheus{};
  ClaimPattern claims{};
  Millis kubelet_age{120'000};  // How old a figure may be when the kubelet gives it.
};

/// What is to be known of one volume before its size is believed.
struct VolumeState {
  std::string claim{};
  std::string volume{};
  Bytes held{};                 // By each replica: head and snapshots.
  std::uint64_t snapshots = 0;  // That its metrics tell of, also those that Longhorn made by itself.
  Bytes in_snapshots{};         // Part of `held`.
  std::optional<Bytes> file_system_used{};  // By the kubelet; absent where it does not say.
  std::optional<Bytes> kept{};  // Grown by, beyond what its file system has, since the empty system was read.

  /// Held, but in no use by the file system: deleted and not trimmed, or kept by a snapshot. Below 0 where
  /// the kubelet's figure is the newer one. Absent where it says nothing.
  std::optional<Bytes> unused() const;
  /// True if unused() is above 256 MiB and above a tenth of what the file system uses: more than a journal
  /// and tables of inodes explain; or if `kept` is above 1 MiB and above a tenth of what it holds, which is
  /// more than a journal writes meanwhile (kept_much).
  bool untrimmed() const;
  bool kept_much() const;
  /// Whether a reader has to know of it: not trimmed, snapshots, or not told what its file system uses.
  bool remarkable() const;
  /// One sentence for a record: "data-postgres-0: holds ..., its file system uses ...: not trimmed".
  std::string text() const;
};

/// `volume` and `volume:<claim>`: longhorn_volume_actual_size_bytes, which is what one replica holds. All
/// claims are in it, so all copies of the application; of the storage's copies it is one.
///
/// Every volume has to be healthy: a degraded, faulted or unknown one (longhorn_volume_robustness) is an
/// error, since its replicas are not alike. Once the empty system is the reference, a volume that has grown
/// less than its file system is an error too (hidden_growth), and so is one whose file system the kubelet
/// does not tell of, since then nobody knows.
class LonghornProbe : public Probe {
 public:
  /// In the order of the claims. Errors: as read(), but for growth that is hidden or not known.
  virtual Result<std::vector<VolumeState>> examine(const CallContext&) = 0;

  /// The sentences of those volumes that are remarkable().
  Result<std::string> remarks(const CallContext&) override = 0;

  /// Replicas of each volume that are complete (mode RW in longhorn_engine_replica_mode), counted, not
  /// configured. A cluster's bytes are `volume` times this. Errors: as examine(); kNotFound where Longhorn
  /// exports no modes (older versions do not); kRefused where volumes differ, since then no one number is
  /// true.
  Result<std::optional<double>> storage_copies(const CallContext&) override = 0;
};

std::unique_ptr<LonghornProbe> make_longhorn_probe(LonghornConfig config, TimeSource& time = real_time());

}  // namespace lab
