// What the testbed has to know of a system: how its server is found, made ready, started and asked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "testbed/place.hpp"

namespace lab::testbed {

/// Where the programs of servers may be besides PATH.
struct ProgramSearch {
  std::map<std::string, std::filesystem::path> given{};  // Named by the user, by system.
  std::vector<std::filesystem::path> folders{};          // `.cache/servers` folders that scripts/setup fills.

  /// The user's program of `system`, else `name` from PATH or `also`. Errors: kNotFound.
  Result<std::filesystem::path> program(const std::string& system, std::string_view name,
                                        std::span<const std::filesystem::path> also = {}) const;
  /// The first file or folder at `below` in one of `folders`. Errors: kNotFound.
  Result<std::filesystem::path> in_folders(const std::filesystem::path& below) const;
};

/// `.cache/servers` in the folders above this program and above the working directory.
std::vector<std::filesystem::path> server_folders();

/// For a server that tells its clients where they shall connect: it names the port of a proxy to those who
/// come by that proxy. Both are indexes into the server's ports.
struct ProxyPorts {
  std::size_t listen = 0;  // Where such a proxy has to listen.
  std::size_t server = 0;  // Where it connects to.
};

struct Recipe {
  std::string name{};                 // The system, as plans call it.
  bool installable = true;            // `scripts/setup servers` brings it.
  std::string why_missing{};          // Not installable: where one gets it, for the error.
  std::size_t ports = 1;              // TCP ports of 127.0.0.1.
  std::optional<ProxyPorts> proxy{};  // Empty: a proxy on any port, to the first of them.
  bool with_password = true;          // Its password_file is part of `env`.
  bool refuses_root = false;          // Runs as another user when we are root.
  int stop_signal = SIGTERM;          // Asks it to end in good order.
  Millis prepare_limit{120'000};      // All of `prepare`.
  Millis start_limit{120'000};        // From its start to its first answer.
  Millis stop_limit{30'000};          // From the signal to SIGKILL, where its data is used again.

  /// Errors: kNotFound, saying what is missing.
  Result<Installation> (*find)(const ProgramSearch&) = nullptr;
  /// Makes an empty home ready for the first start.
  Status (*prepare)(const Place&, Preparation&, const CallContext&) = nullptr;
  /// The server itself, in the foreground.
  Command (*command)(const Place&) = nullptr;
  /// One round trip as its clients make it; false while it is not ready for them.
  Result<bool> (*answers)(const Place&, const CallContext&) = nullptr;
  /// As a plan writes it; never with the password.
  std::string (*url)(const Place&) = nullptr;
  /// Files outside of its home that it may leave behind; null where there are none.
  std::vector<std::filesystem::path> (*litter)(const Place&) = nullptr;
};

/// All systems, in the order of `testbed up`.
const std::vector<Recipe>& recipes();
const Recipe* find_recipe(std::string_view name);
std::vector<std::string> recipe_names();

}  // namespace lab::testbed
