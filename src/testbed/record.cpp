// SPDX-License-Identifier: Apache-2.0
#include "testbed/record.hpp"

#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab::testbed {
namespace {

constexpr int kFormat = 1;
constexpr Bytes kFileMax{64 << 10};
const std::vector<std::string> kPhases{"preparing", "starting", "ready"};  // By Phase.

Error unreadable(const std::string& why) {
  return {ErrorCode::kCorruption, "testbed.record", "is no record of a server: " + why};
}

}  // namespace

std::string to_text(const ServerRecord& record) {
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["system"] = record.system;
  json["token"] = record.token;
  json["phase"] = kPhases.at(static_cast<std::size_t>(record.phase));
  if (record.process) {
    json["pid"] = record.process->pid;
    json["pid_started"] = record.process->started;
    json["boot_id"] = record.process->boot;
  }
  json["ports"] = record.ports;
  json["home"] = record.home.string();
  for (const auto& [name, file] : record.installation.files) json["files"][name] = file.string();
  json["stand_in"] = record.installation.stand_in;
  json["user"] = record.user;
  json["started_ms"] = record.started_ms;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<ServerRecord> parse_record(std::string_view text) try {
  const auto json = nlohmann::json::parse(text);
  if (json.at("format").get<int>() != kFormat) return unreadable("another format");
  ServerRecord record;
  record.system = json.at("system").get<std::string>();
  record.token = json.at("token").get<std::string>();
  const auto phase = std::find(kPhases.begin(), kPhases.end(), json.at("phase").get<std::string>());
  if (phase == kPhases.end()) return unreadable("an unknown phase");
  record.phase = static_cast<Phase>(phase - kPhases.begin());
  if (json.contains("pid"))
    record.process = ProcessStamp{json.at("pid").get<pid_t>(), json.at("pid_started").get<std::string>(),
                                  json.at("boot_id").get<std::string>()};
  record.ports = json.at("ports").get<std::vector<std::uint16_t>>();
  record.home = json.at("home").get<std::string>();
  for (const auto& [name, file] : json.at("files").items())
    record.installation.files[name] = file.get<std::string>();
  record.installation.stand_in = json.at("stand_in").get<std::string>();
  record.user = json.at("user").get<std::string>();
  record.started_ms = json.at("started_ms").get<std::int64_t>();
  // With these it would be dangerous to act on it.
  if (record.token.size() < 16 || !record.home.is_absolute()) return unreadable("no token or no home");
  if (record.process && record.process->pid <= 1) return unreadable("an impossible process");
  return record;
} catch (const nlohmann::json::exception& bad) {
  return unreadable(bad.what());
}

Result<std::optional<ServerRecord>> load_record(const std::filesystem::path& file) {
  const auto text = read_file(file, kFileMax);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::optional<ServerRecord>{};
  if (!text) return text.error();
  auto record = parse_record(*text);
  if (!record) {
    Error error = record.error();
    error.detail = file.string() + " " + error.detail;
    return error;
  }
  return std::optional(std::move(*record));
}

Status save_record(const std::filesystem::path& file, const ServerRecord& record) {
  return write_file_atomic(file, to_text(record), 0600);
}

}  // namespace lab::testbed
