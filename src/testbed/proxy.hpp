// A TCP proxy before a server of the local machine that can disturb what passes: hold it up, swallow it,
// delay it, or cut the connections. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/files.hpp"
#include "core/units.hpp"

namespace lab::testbed {

/// Thread-safe. Its destructor ends the connections that go through it.
class Proxy {
 public:
  /// Passes connections to 127.0.0.1:`port` to 127.0.0.1:`server_port`; 0 is a port of the kernel's choice.
  /// Errors: kInUse where the port is taken.
  static Result<std::unique_ptr<Proxy>> open(std::uint16_t server_port, std::uint16_t port = 0);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// From now on it accepts connections and passes nothing on; what came meanwhile is passed on by go_on().
  void stall() { mode_ = Mode::kStalls; }
  /// From now on it takes everything from both sides, passes nothing on and closes nothing: a half-open
  /// connection. What passed by it in that time is lost, so go_on() ends those connections.
  void swallow() { mode_ = Mode::kSwallows; }
  /// Each piece that passes is held back for this long.
  void delay(Millis by) { delay_ = by; }
  void go_on();
  /// Ends the connections that there are; new ones work.
  void cut();

 private:
  enum class Mode : std::uint8_t { kPasses, kStalls, kSwallows };

  Proxy(std::uint16_t server_port, std::uint16_t port, FileHandle listening);
  void accept_all(const std::stop_token& stop);
  void pass(const std::stop_token& stop, int client, int server) const;
  bool pass_once(int from, int to) const;

  std::uint16_t server_port_;
  std::uint16_t port_;
  FileHandle listening_;
  std::atomic<Mode> mode_{Mode::kPasses};
  std::atomic<Millis> delay_{Millis{0}};
  std::mutex mutex_{};
  std::vector<FileHandle> sockets_{};
  std::vector<std::jthread>
      threads_{};             // One for each direction that something flows in; they use the others.
  std::jthread accepting_{};  // Alone adds to them. Last: it uses all of these.
};

}  // namespace lab::testbed
