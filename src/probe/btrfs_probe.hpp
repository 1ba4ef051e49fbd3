// What btrfs has allocated for the files, after compression: as compsize counts it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/probe.hpp"

namespace lab {

/// `btrfs`: bytes on disk of all extents that the files refer to, each whole extent once, after compression
/// and before the profile (RAID1 and DUP double it); `btrfs:exclusive` those of one file, inline data
/// included, and `btrfs:shared` those of several. By BTRFS_IOC_TREE_SEARCH_V2. Errors: kUnsupported (not
/// btrfs), kRefused (CAP_SYS_ADMIN is needed), errno's.
class BtrfsProbe final : public Probe {
 public:
  BtrfsProbe(RootsOf roots, Bytes block);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;

 private:
  RootsOf roots_;
  ProbeInfo info_;
};

}  // namespace lab
