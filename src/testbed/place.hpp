// Where one server of the testbed lives and what it was given.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/process.hpp"

namespace lab::testbed {

/// The files that a server is made of on the local machine.
struct Installation {
  std::map<std::string, std::filesystem::path> files{};  // By the recipe's own names: "postgres", "initdb".
  std::string stand_in{};  // "SeaweedFS in place of MinIO"; empty where it is the system itself.
};

/// Everything of the server lies in `home`, which is private and the server's user's.
struct Place {
  Installation installation{};
  std::filesystem::path home{};
  std::vector<std::uint16_t> ports{};  // As many as the recipe asks for; the first is the one of its url.
  std::string password{};
  std::optional<UserId> user{};  // Empty: ours.

  std::filesystem::path data() const { return home / "data"; }
  std::string file(const std::string& name) const { return installation.files.at(name).string(); }
  std::string port(std::size_t index = 0) const { return std::to_string(ports.at(index)); }
};

/// What a recipe does before the first start. Files belong to the server's user and have mode 0600, folders
/// 0700.
class Preparation {
 public:
  virtual ~Preparation() = default;
  virtual Status make_folder(const std::string& name) = 0;  // In home.
  virtual Status write(const std::string& name, std::string_view text) = 0;
  virtual Status remove(const std::string& name) = 0;
  /// Runs a program to its end as the server's user and returns its output, which also goes to the log.
  /// Errors: those of run_command, kRefused for an exit code that is not 0.
  virtual Result<std::string> run(Command command) = 0;
};

/// The environment of everything that a server consists of: nothing of ours but PATH. `token` marks it.
std::vector<std::string> server_environment(const Place& place, const std::string& token);

}  // namespace lab::testbed
