// What the volume below the file system has allocated, and what is left of that after a trim.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "probe/filesystem_probe.hpp"
#include "probe/probe.hpp"

namespace lab {

/// A volume that knows how much it has allocated: an image file, a loop device (its image), a thin device of
/// device-mapper (`dmsetup status`).
class Volume {
 public:
  explicit Volume(std::filesystem::path path) : path_(std::move(path)) {}

  struct Allocation {
    Bytes bytes{};
    Bytes block{};          // Step in which it grows.
    bool all_paid = false;  // Nothing below it compresses or deduplicates, so that what is written shows.
  };
  /// Errors: kUnsupported (a disk that keeps no such count), kNotFound, errno's, those of run_tool.
  Result<Allocation> allocation(const CallContext& call) const;

  /// Errors: kRefused where the file system of one of the roots does not lie on this volume.
  Status check_below(const std::vector<std::filesystem::path>& roots) const;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// What a volume has allocated and the file systems upon it use, at one time.
struct VolumeUse {
  Bytes allocated{};
  Bytes used{};
};

/// `volume`. A volume keeps what it has allocated once, until it is trimmed: when the file system has grown
/// since the empty system and the volume has not, it has written into blocks that the volume had from
/// before, and the growth cannot be seen: the reading is refused. So it is where others write into the file
/// system. What may be hidden without being seen, since the journal of a file system grows meanwhile, and
/// what the volume has grown by more than the file system, are `uncertain` and remarked.
class VolumeProbe final : public Probe {
 public:
  struct Handling {
    /// Whether the volume was trimmed before the empty system was read, so that it holds nothing from before:
    /// set by the TrimmedVolumeProbe that did it. None: it was not.
    std::shared_ptr<const bool> trimmed{};
    /// A command of the plan may free blocks between the load and the reading. Without a trim before, what
    /// was written into old blocks and freed again leaves no trace, so that no growth can be trusted.
    bool hook = false;
  };
  VolumeProbe(RootsOf roots, std::shared_ptr<const Volume> volume,
              std::shared_ptr<const ForeignGrowth> foreign, Handling handling);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;
  void set_reference() override { empty_ = last_; }
  std::optional<Bytes> uncertain() const override;
  Result<std::string> remarks(const CallContext& call) override;

 private:
  RootsOf roots_;
  std::shared_ptr<const Volume> volume_;
  std::shared_ptr<const ForeignGrowth> foreign_;
  Bytes hidden_at_most(const VolumeUse& now) const;

  Handling handling_;
  ProbeInfo info_;
  bool all_paid_ = false;
  bool trimmed_ = false;  // Before the last reading without a reference; later trims do not count.
  std::optional<VolumeUse> last_{};
  std::optional<VolumeUse> empty_{};
};

/// `volume:trimmed`: the same after the file systems have told the volume what is free (FITRIM, as fstrim
/// does), again until two readings are equal. Refused where others write into the file system. What the
/// volume has grown by and the file system has not is the file system's own, as the first pass over a journal
/// is: `uncertain`.
class TrimmedVolumeProbe final : public Probe {
 public:
  /// `done` is set when a trim has succeeded; it may be none.
  TrimmedVolumeProbe(RootsOf roots, std::shared_ptr<const Volume> volume,
                     std::shared_ptr<const ForeignGrowth> foreign, std::shared_ptr<bool> done = {});
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;
  void set_reference() override { empty_ = last_; }
  std::optional<Bytes> uncertain() const override;

 private:
  RootsOf roots_;
  std::shared_ptr<const Volume> volume_;
  std::shared_ptr<const ForeignGrowth> foreign_;
  std::shared_ptr<bool> done_;
  ProbeInfo info_;
  std::optional<VolumeUse> last_{};
  std::optional<VolumeUse> empty_{};
};

/// Mapped bytes from what `dmsetup status` prints of a thin device. Errors: kUnsupported (another target).
Result<Bytes> parse_thin_status(std::string_view text);

}  // namespace lab
