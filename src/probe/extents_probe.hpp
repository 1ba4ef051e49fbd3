// Where the files' bytes lie on the device: what two files share counts once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "probe/probe.hpp"

namespace lab {

/// Physical bytes of the regular files below the roots.
struct ExtentSize {
  Bytes physical{};  // Each physical byte once, however many files refer to it.
  std::uint64_t files = 0;
};

/// By FIEMAP (Documentation/filesystems/fiemap.rst), each file written out first. Bytes inside metadata
/// (inline) and bytes without a place yet count by their length and as not shared. Errors: kUnsupported (the
/// file system has no FIEMAP, or compresses or encrypts: then it tells lengths from before that), kRefused
/// (a file may not be opened), errno's.
Result<ExtentSize> measure_extents(std::span<const std::filesystem::path> roots, const CallContext& call);

/// What the last reading of `extents` has found, for a probe that is read behind it; nothing once it is
/// taken.
using LastExtents = std::optional<Result<ExtentSize>>;

/// `extents`.
class ExtentsProbe final : public Probe {
 public:
  ExtentsProbe(RootsOf roots, Bytes block, std::shared_ptr<LastExtents> last = nullptr);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;

 private:
  RootsOf roots_;
  std::shared_ptr<LastExtents> last_;
  ProbeInfo info_;
};

}  // namespace lab
