// What a VDO volume has used of its storage.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "probe/probe.hpp"

namespace lab {

/// `vdo`: physical bytes that the VDO volume below the files uses, its own overhead included, after
/// deduplication and compression. By `vdostats --verbose` of the mount's device.
class VdoProbe final : public Probe {
 public:
  explicit VdoProbe(RootsOf roots);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;

 private:
  RootsOf roots_;
  ProbeInfo info_;
};

/// Used bytes from what `vdostats --verbose` prints. Errors: kIo (a line is missing or is no number).
Result<Bytes> parse_vdostats(std::string_view text);

}  // namespace lab
