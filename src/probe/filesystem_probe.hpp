// What the file system has in use: the rung at which sharing, compression and metadata below the files show.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "probe/extents_probe.hpp"
#include "probe/probe.hpp"

namespace lab {

/// A name on the way from a mount's top down to the roots that is neither on that way, nor lost+found, nor
/// our own marker; nothing where the file system holds our files alone. Errors: errno's.
Result<std::optional<std::string>> find_stranger(std::span<const std::filesystem::path> roots);

/// Why the growth of a file system since the empty system is not known to be that of our files, by the last
/// reading of `filesystem`, for a probe of what lies below it; nothing where it is.
using ForeignGrowth = std::optional<Error>;

/// `filesystem`: bytes in use of the file systems that hold the files (statfs, behind syncfs), metadata
/// included. The growth since the empty system must be that of our own files (by their extents, else by their
/// blocks) but for what their metadata can need, else the reading is refused. Where others share such a file
/// system the rest of it is `uncertain`; so is more than that, and not refused, on a file system of its own
/// that may keep blocks which no file tells (btrfs, ZFS).
class FilesystemProbe final : public Probe {
 public:
  /// With `extents` it takes what the probe `extents` has found just before, and does not walk again.
  FilesystemProbe(RootsOf roots, Bytes block, Millis lag = Millis{0},
                  std::shared_ptr<LastExtents> extents = nullptr,
                  std::shared_ptr<ForeignGrowth> foreign = nullptr);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;
  void set_reference() override {
    empty_ = last_;
    most_files_ = 0;
  }
  std::optional<Bytes> uncertain() const override { return uncertain_; }

 private:
  struct State {
    Bytes used{};  // Of the file systems.
    Bytes own{};   // Of our files.
    std::uint64_t files = 0;
    bool placed = false;  // `own` is by extents.
    bool plain = true;    // What is in use is what the files tell, and their metadata.
    std::optional<std::string> stranger{};
  };
  Result<State> look(const CallContext& call) const;
  Status check(const State& now);

  Result<ExtentSize> extents_of(const std::vector<std::filesystem::path>& roots,
                                const CallContext& call) const;

  RootsOf roots_;
  std::shared_ptr<LastExtents> extents_;
  std::shared_ptr<ForeignGrowth> foreign_;
  ProbeInfo info_;
  std::optional<State> last_{};
  std::optional<State> empty_{};
  std::int64_t most_files_ = 0;  // More than when it was empty: a folder keeps its blocks when they are gone.
  std::optional<Bytes> uncertain_{};
};

}  // namespace lab
