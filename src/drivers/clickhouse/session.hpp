// What the connections of one cell share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "driver/driver.hpp"
#include "driver/observer.hpp"
#include "drivers/clickhouse/home.hpp"

namespace lab::clickhouse {

struct Shared {
  Target target{};
  std::shared_ptr<Lifetime> lifetime{};
  Home home;
  std::string run_id{};
  std::filesystem::path directory{};  // This server's, checked; empty: not known here.

  Connection connect() const { return {target, lifetime}; }
};

std::unique_ptr<Driver> make_driver(const Shared& shared);
std::unique_ptr<Observer> make_observer(const Shared& shared);

/// Whether `directory` is where this very server keeps its files: by the file `uuid` where the server has
/// one, else by its start in the file `status`. Errors: kRefused saying why not.
Status check_directory(Connection& connection, const CallContext& call, const Server& server,
                       const std::filesystem::path& directory);

}  // namespace lab::clickhouse
