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

  /// Scrapes http://127.0.0.1:`target`/metrics each `interval`, and gives a target as long to answer. With a
  /// password its API wants user "lab".
  explicit PrometheusServer(int target, std::string password = "", Millis interval = Millis{200})
      : target_(target), password_(std::move(password)), interval_(interval) {}
  ~PrometheusServer() { stop(); }
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  /// Again after stop() too: on the same port, with what it has stored. Until it answers as the child that
  /// was started. Errors: with the end of its log.
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
  Millis interval_;
  std::uint16_t port_ = 0;  // Chosen at the first start.
  std::optional<HeldChild> child_{};
};

}  // namespace lab
