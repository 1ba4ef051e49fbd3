// SPDX-License-Identifier: Apache-2.0
#include "runner/password.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "core/files.hpp"
#include "core/log.hpp"

namespace lab {
namespace {

constexpr Bytes kFileMax{64 << 10};

Error bad(const SystemPlan& system, ErrorCode code, std::string why) {
  return {code, "password", fmt::format("system '{}': {}", system.name, why)};
}

Result<std::string> from_file(const SystemPlan& system, const std::string& path) {
  struct stat info{};
  const auto file = open_file(path, O_RDONLY);
  if (!file) return file.error();
  if (::fstat(file->get(), &info) != 0) return errno_error("password", path, errno);
  if (!S_ISREG(info.st_mode)) return bad(system, ErrorCode::kRefused, path + " is no regular file");
  if ((info.st_mode & 077U) != 0)
    return bad(system, ErrorCode::kRefused,
               fmt::format("{} may be read by others (mode {:04o}); do: chmod 600 {}", path,
                           info.st_mode & 07777U, path));
  auto text = read_file(path, kFileMax);
  if (!text) return text;
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  return text;
}

Result<std::string> look_up(const SystemPlan& system, const SystemEntry& entry) {
  if (system.password_file) return from_file(system, *system.password_file);
  const std::string name = system.password_env.value_or(entry.password_env);
  if (name.empty()) return std::string();
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr) return std::string(value);
  if (system.password_env)
    return bad(system, ErrorCode::kInvalidArgument,
               fmt::format("the variable {} that password_env names is not set", name));
  return std::string();
}

}  // namespace

Result<std::string> resolve_password(const SystemPlan& system, const SystemEntry& entry) {
  auto password = look_up(system, entry);
  if (password) log_redact(*password);
  return password;
}

}  // namespace lab
