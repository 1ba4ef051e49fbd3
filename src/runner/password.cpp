// SPDX-License-Identifier: Apache-2.0
#include "runner/password.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "core/files.hpp"
#include "core/log.hpp"

namespace lab {
namespace {

constexpr Bytes kFileMax{64 << 10};

/// Where a secret is, and for whom.
struct Source {
  std::string owner{};  // For errors: "system 'redis'".
  std::optional<std::string> variable{};
  std::optional<std::string> file{};
  std::string usual{};           // The variable where the plan names none; empty: none either.
  std::string key = "password";  // In the plan, before _env and _file.
};

Error bad(const Source& source, ErrorCode code, std::string why) {
  return {code, "password", fmt::format("{}: {}", source.owner, why)};
}

Result<std::string> from_file(const Source& source, const std::string& path) {
  struct stat info{};
  const auto file = open_file(path, O_RDONLY | O_NONBLOCK);  // A pipe would be waited for.
  if (!file) return file.error();
  if (::fstat(file->get(), &info) != 0) return errno_error("password", path, errno);
  if (!S_ISREG(info.st_mode)) return bad(source, ErrorCode::kRefused, path + " is no regular file");
  if ((info.st_mode & 077U) != 0)
    return bad(source, ErrorCode::kRefused,
               fmt::format("{} may be read by others (mode {:04o}); do: chmod 600 {}", path,
                           info.st_mode & 07777U, path));
  auto text = read_file(path, kFileMax);
  if (!text) return text;
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  return text;
}

Result<std::string> look_up(const Source& source) {
  if (source.file) return from_file(source, *source.file);
  const std::string name = source.variable.value_or(source.usual);
  if (name.empty()) return std::string();
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr) return std::string(value);
  if (source.variable)
    return bad(source, ErrorCode::kInvalidArgument,
               fmt::format("the variable {} that {}_env names is not set", name, source.key));
  return std::string();
}

Result<std::string> resolve(const Source& source) {
  auto password = look_up(source);
  if (password) log_redact(*password);
  return password;
}

/// One that a request's header carries; empty where the plan names none.
Result<std::string> resolve_token(const Source& source) {
  auto secret = resolve(source);
  if (!secret || (!source.variable && !source.file)) return secret;
  if (secret->empty()) return bad(source, ErrorCode::kInvalidArgument, "its password or token is empty");
  // It stands in a line of the request as it is.
  const auto control = [](unsigned char letter) { return letter < ' ' || letter == 0x7F; };
  if (std::any_of(secret->begin(), secret->end(), control))
    return bad(source, ErrorCode::kInvalidArgument,
               "its password or token has a line feed or the like in it");
  return secret;
}

}  // namespace

void redact_environment() {
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view entry(*variable);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    const bool ours = name.starts_with("DEDUP_") && name.ends_with("_PASSWORD");
    // libpq takes it where the plan names no password.
    if (ours || name == "PGPASSWORD") log_redact(std::string(entry.substr(equals + 1)));
  }
}

void redact_words(StageRecord& record) {
  for (std::string* text : {&record.reason, &record.copies_unknown, &record.maintenance, &record.server.name,
                            &record.server.version, &record.server.identity})
    *text = log_redacted(*text);
  for (auto* words : {&record.missing, &record.remarks, &record.observed, &record.settings})
    for (auto& [name, text] : *words) text = log_redacted(text);
}

Result<std::string> resolve_password(const SystemPlan& system, const SystemEntry& entry) {
  return resolve({.owner = fmt::format("system '{}'", system.name),
                  .variable = system.password_env,
                  .file = system.password_file,
                  .usual = entry.password_env});
}

Result<std::string> resolve_password(const PrometheusPlan& prometheus) {
  return resolve_token(
      {.owner = "prometheus", .variable = prometheus.password_env, .file = prometheus.password_file});
}

Result<ProbeSecrets> resolve_probe_secrets(const Plan& plan, const SystemPlan& system) {
  auto prometheus = resolve_password(plan.prometheus);
  if (!prometheus) return std::move(prometheus).error();
  auto volume = resolve_token({.owner = fmt::format("the volume of system '{}'", system.name),
                               .variable = system.volume_token_env,
                               .file = system.volume_token_file,
                               .key = "volume_token"});
  if (!volume) return std::move(volume).error();
  ProbeSecrets secrets{.prometheus = std::move(*prometheus), .volume = std::move(*volume)};
  for (const MetricsProbePlan& metrics : system.metrics) {
    auto token = resolve_token({.owner = fmt::format("metrics:{} of system '{}'", metrics.name, system.name),
                                .variable = metrics.token_env,
                                .file = metrics.token_file,
                                .key = "token"});
    if (!token) return std::move(token).error();
    secrets.metrics[metrics.name] = std::move(*token);
  }
  return secrets;
}

}  // namespace lab
