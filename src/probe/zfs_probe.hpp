// What ZFS tells of the files' dataset and of its pool.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "probe/probe.hpp"

namespace lab {

/// `zfs`: bytes that the dataset uses, after compression and before deduplication and block cloning, which
/// only the pool sees; `zfs:logical` the same before compression. By `zfs get`.
class ZfsProbe final : public Probe {
 public:
  explicit ZfsProbe(RootsOf roots);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;

 private:
  RootsOf roots_;
  ProbeInfo info_;
};

/// `zpool`: bytes allocated in the pool, after deduplication and block cloning, parity included;
/// `zpool:cloning_saved` what block cloning saves. By `zpool get`.
class ZpoolProbe final : public Probe {
 public:
  explicit ZpoolProbe(RootsOf roots);
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext& call) override;

 private:
  RootsOf roots_;
  ProbeInfo info_;
};

/// Properties as `zfs get -Hp -o property,value` and `zpool get -Hp -o property,value` print them. A value
/// that is "-" is absent. Errors: kIo (a value that is no number).
Result<std::map<std::string, Bytes>> parse_zfs_properties(std::string_view tool, std::string_view text);

}  // namespace lab
