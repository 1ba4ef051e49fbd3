// A TCP proxy before a real server that can stop passing bytes on, as a server that hangs, or cut its
// connections, as one that dies.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/files.hpp"

namespace lab {

class StallingProxy {
 public:
  /// Passes connections to 127.0.0.1:`server_port`.
  explicit StallingProxy(std::uint16_t server_port);
  ~StallingProxy();
  StallingProxy(const StallingProxy&) = delete;
  StallingProxy& operator=(const StallingProxy&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// From now on it accepts connections and passes nothing on.
  void stall() { stalled_ = true; }
  void go_on() { stalled_ = false; }
  /// Ends the connections that there are; new ones work.
  void cut();

 private:
  void accept_all(const std::stop_token& stop);
  void pass(const std::stop_token& stop, int client, int server) const;

  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  FileHandle listening_{};
  std::atomic<bool> stalled_{false};
  std::mutex mutex_{};
  std::vector<FileHandle> sockets_{};
  std::vector<std::jthread> threads_{};  // Last: they use the others.
};

}  // namespace lab
