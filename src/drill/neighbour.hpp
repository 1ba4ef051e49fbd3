// Somebody else's data beside ours on a server, which must be the same before and after whatever happens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/system.hpp"

namespace lab::drill {

/// A namespace of another name and another run: what is under drill knows nothing of it.
class Neighbour {
 public:
  /// `config` is that of the runs; nothing is written yet.
  Neighbour(const SystemEntry& entry, SystemConfig config);

  /// Makes its objects anew. Errors: the driver's.
  Status move_in(const CallContext& call);
  /// digest() when it had moved in.
  const std::string& at_first() const noexcept { return at_first_; }
  /// Number of its objects, and one hash over the ids and contents of all.
  Result<std::string> digest(const CallContext& call) const;
  Status move_out(const CallContext& call) const;

 private:
  Status make_objects(const CallContext& call) const;
  const SystemEntry& entry_;
  SystemConfig config_;
  std::string at_first_{};
};

}  // namespace lab::drill
