// SPDX-License-Identifier: Apache-2.0
#include "probe/command_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/log.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

using Json = nlohmann::json;

constexpr const char* kOperation = "probe.command";
constexpr Bytes kOutputMax{64 << 10};
constexpr std::size_t kWordsMax = 300;  // Of its last line in an error, which becomes part of a record.

Error odd(std::string why) { return {ErrorCode::kCorruption, kOperation, "the output " + std::move(why)}; }

/// nlohmann-json keeps the last of two equal keys in silence; for a figure that is a fault.
Json parse_without_doubles(std::string_view text, bool& twice) {
  std::vector<std::set<std::string>> keys;
  return Json::parse(
      text,
      [&](int /*depth*/, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
          twice = true;
        return true;
      },
      false);
}

/// A whole number that is not negative and fits.
std::optional<std::int64_t> count_of(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  const auto number = value.get<std::int64_t>();
  return number < 0 ? std::nullopt : std::optional(number);
}

bool is_part_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

class CommandProbe final : public Probe {
 public:
  explicit CommandProbe(CommandConfig config)
      : config_(std::move(config)),
        info_{.name = "command:" + config_.name,
              .counts = "what " + to_text(Command{.argv = config_.argv}) + " prints",
              .scope = config_.scope,
              .quantum = config_.quantum,
              .lag = config_.lag} {}

  const ProbeInfo& info() const noexcept override { return info_; }

  Result<ByteMap> read(const CallContext& call) override {
    const CallContext bounded = within(call, config_.limit);
    const auto ended = run_command(bounded, {.argv = config_.argv, .secrets = true},
                                   {.output = kOutputMax, .errors_apart = true});
    if (!ended) {
      Error error = ended.error();
      error.operation = kOperation;
      error.detail = log_redacted(error.detail);
      return error;
    }
    if (ended->exit_code != 0) {
      const std::string words = last_line(ended->errors);
      return Error{ErrorCode::kRefused, kOperation,
                   fmt::format("it ended with exit code {}{}{}", ended->exit_code,
                               words.empty() ? " and no words" : ": ", words)};
    }
    if (ended->cut)
      return Error{ErrorCode::kResourceExhausted, kOperation,
                   fmt::format("its output is longer than {}", format_bytes_exact(kOutputMax))};
    return parse_command_output(ended->output, info_.name);
  }

 private:
  static std::string last_line(std::string_view text) {
    text = trim(text);
    const std::size_t end = text.rfind('\n');
    const std::string line(end == std::string_view::npos ? text : text.substr(end + 1));
    return to_valid_utf8(std::string_view(log_redacted(line)).substr(0, kWordsMax));
  }

  CommandConfig config_;
  ProbeInfo info_;
};

}  // namespace

Result<ByteMap> parse_command_output(std::string_view text, const std::string& name) {
  bool twice = false;
  const Json json = parse_without_doubles(text, twice);
  if (json.is_discarded() || !json.is_object()) return odd("is no JSON object");
  if (twice) return odd("has a key twice");
  for (const auto& [key, value] : json.items())
    if (key != "bytes" && key != "parts") return odd("has the unknown key " + key.substr(0, kWordsMax));
  if (!json.contains("bytes")) return odd("has no \"bytes\"");
  const auto whole = count_of(json["bytes"]);
  if (!whole) return odd("has \"bytes\" that are no whole number from 0 on");
  ByteMap bytes{{name, *whole}};
  if (!json.contains("parts")) return bytes;
  if (!json["parts"].is_object()) return odd("has \"parts\" that are no object");
  std::int64_t left = *whole;
  for (const auto& [part, value] : json["parts"].items()) {
    if (!is_part_name(part)) return odd("has a part whose name is not [a-z0-9_.-]+");
    const auto size = count_of(value);
    if (!size) return odd("has part " + part + " that is no whole number from 0 on");
    if (*size > left) return odd("has parts that are more than the whole");
    left -= *size;
    bytes[name + ":" + part] = *size;
  }
  return bytes;
}

std::unique_ptr<Probe> make_command_probe(CommandConfig config) {
  return std::make_unique<CommandProbe>(std::move(config));
}

}  // namespace lab
