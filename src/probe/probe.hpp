// A source of physical bytes below the system's own files: a file system, a volume, a pool, a command.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "core/units.hpp"
#include "model/record.hpp"

namespace lab {

/// The folders of the system's files as they are now: a server may make new ones.
using RootsOf = std::function<Result<std::vector<std::filesystem::path>>(const CallContext&)>;

/// What a probe's figures mean.
struct ProbeInfo {
  std::string name{};    // "filesystem", "extents", "volume", "command:NAME", "metrics:NAME"
  std::string counts{};  // In words: "bytes of the file system in use (statfs), behind syncfs".
  CopyScope scope = CopyScope::kAllCopies;
  Bytes quantum{};        // Step in which the figure moves.
  Millis lag{0};          // How old a figure may be when it is read: quiet counts only when it lasts longer.
  bool disturbs = false;  // Reading it changes what others read (fstrim): it is read once, after they rest.
};

/// Reads one rung. Not thread-safe. A figure that cannot be read is an error with its reason, never a number.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual const ProbeInfo& info() const noexcept = 0;

  /// Figures by probe name: info().name for the whole, info().name + ":" + part for its parts.
  virtual Result<ByteMap> read(const CallContext&) = 0;

  /// The last figure is that of the empty system: from now on the probe may compare with it.
  virtual void set_reference() {}

  /// Bytes of the last figure that may not be ours; they widen its interval as a residue does.
  virtual std::optional<Bytes> uncertain() const { return std::nullopt; }

  /// What the last figure is of, where that is not the same for ever ("claims data-0, data-1"): figures that
  /// are of different things are not compared. Empty: nothing to tell apart.
  virtual std::string counted() const { return {}; }

  /// What a reader of the figures has to know besides them, in sentences; empty: nothing. Asked once a stage,
  /// after its last reading. Errors: why it could not be found out.
  virtual Result<std::string> remarks(const CallContext&) { return std::string(); }

  /// Copies that the storage keeps of each byte that a figure counts once, measured; absent where the probe
  /// does not know its storage. Errors: why those that it should know were not counted.
  virtual Result<std::optional<double>> storage_copies(const CallContext&) { return std::optional<double>{}; }
};

}  // namespace lab
