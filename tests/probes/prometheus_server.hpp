// A real Prometheus as a child of the test: a private folder, a free port, one target that the test serves.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/process.hpp"
#include "core/testing/temporary_folder.hpp"
#include "probe/prometheus.hpp"

namespace lab {

class PrometheusServer {
 public:
  /// The installed program. Errors: kNotFound.
  static Result<std::filesystem::path> program();

  /// Scrapes http://127.0.0.1:`target`/metrics each 200 ms. With a password its API wants user "lab".
  explicit PrometheusServer(int target, std::string password = "")
      : target_(target), password_(std::move(password)) {}
  ~PrometheusServer() { stop(); }
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  /// Until it answers as the child that was started. Errors: with the end of its log.
  Status start();
  /// SIGKILL, and the end of it: as a node that went away.
  void stop();

  std::string url() const;
  std::string log() const;

 private:
  Status write_config();

  TemporaryFolder folder_{};
  int target_;
  std::string password_;
  std::string port_{};
  std::optional<HeldChild> child_{};
};

}  // namespace lab
