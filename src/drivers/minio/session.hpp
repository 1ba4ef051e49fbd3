// What the connections of one session share, and the session's two kinds of connection.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "driver/gate.hpp"
#include "driver/lab_lock.hpp"
#include "drivers/minio/client.hpp"
#include "drivers/minio/layout.hpp"

namespace lab::minio {

struct Shared {
  Setup setup{};
  Traffic traffic{};
  Gate gate{};                      // Dropping buckets is alone; heartbeats and observers are many.
  std::optional<Layout> layout{};   // Where `directory` is given.
  Result<double> copies{1.0};       // MinIO's erasure code where its files are here, else one.
  std::unique_ptr<LabLock> lock{};  // Last: it uses the others.
};

/// Proves the connection first.
Result<std::unique_ptr<Driver>> open_driver(Shared& shared, const CallContext& call);
std::unique_ptr<Observer> make_observer(Shared& shared);

}  // namespace lab::minio
