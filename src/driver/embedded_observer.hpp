// What all embedded systems answer alike: they live in this process, in one folder, in one copy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "driver/observer.hpp"

namespace lab {

/// A driver overrides settings, activity and what differs: by default nothing is ever busy, the engine has no
/// figure of its own, and files grow by 4 KiB (the block of the usual file systems).
class EmbeddedObserver : public Observer {
 public:
  EmbeddedObserver(std::string name, std::string version, std::filesystem::path data)
      : name_(std::move(name)), version_(std::move(version)), data_(std::move(data)) {}

  /// The identity is the canonical data folder; started_at names this process and this boot.
  Result<ServerIdentity> identity(const CallContext& call) override;
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<Footprint> footprint(const CallContext& call) override;
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override;
  Bytes quantum() const override { return 4_KiB; }
  Result<double> copies(const CallContext& call) override;
  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override;

 protected:
  const std::filesystem::path& data() const noexcept { return data_; }

 private:
  std::string name_;
  std::string version_;
  std::filesystem::path data_;  // Empty: it has no files.
};

/// "boot id/pid/start tick", from proc(5): changes when the process does.
std::string process_started_at();

/// Allocated and free bytes of the file system that holds `path`, as activity counters.
Result<std::vector<Counter>> file_system_counters(const std::filesystem::path& path);

}  // namespace lab
