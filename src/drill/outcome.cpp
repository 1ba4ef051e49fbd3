// SPDX-License-Identifier: Apache-2.0
#include "drill/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/text.hpp"
#include "report/csv.hpp"

namespace lab::drill {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> kAnswers{"valid",   "valid after resume", "invalid", "unsupported",
                                                   "skipped", "NOT ALLOWED"};

Json json_of(const Outcome& outcome) {
  Json json{{"system", outcome.system},
            {"stage", outcome.stage},
            {"fault", outcome.fault},
            {"outcome", to_string(outcome.answer)},
            {"allowed", outcome.answer != Answer::kNotAllowed}};
  if (!outcome.detail.empty()) json["detail"] = to_valid_utf8(outcome.detail);
  if (outcome.exit_code) json["exit_code"] = *outcome.exit_code;
  if (outcome.injected_s) json["injected_after_seconds"] = *outcome.injected_s;
  if (outcome.ended_s) json["ended_after_seconds"] = *outcome.ended_s;
  if (outcome.healed_s) json["healed_after_seconds"] = *outcome.healed_s;
  return json;
}

template <class T>
std::optional<T> optional_of(const Json& json, const char* key) {
  return json.contains(key) ? std::optional(json.at(key).get<T>()) : std::nullopt;
}

std::string seconds(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f} s", *value) : "";
}

}  // namespace

std::string_view to_string(Answer answer) noexcept { return kAnswers.at(static_cast<std::size_t>(answer)); }

std::string to_json(const Outcome& outcome) { return json_of(outcome).dump(2) + "\n"; }

Result<Outcome> outcome_from_json(std::string_view text) try {
  const Json json = Json::parse(text);
  const auto word = json.at("outcome").get<std::string>();
  const auto answer = std::find(kAnswers.begin(), kAnswers.end(), word);
  if (answer == kAnswers.end())
    return Error{ErrorCode::kCorruption, "drill.outcome", "unknown outcome '" + word + "'"};
  Outcome outcome{.system = json.at("system").get<std::string>(),
                  .stage = json.at("stage").get<std::string>(),
                  .fault = json.at("fault").get<std::string>(),
                  .answer = static_cast<Answer>(answer - kAnswers.begin())};
  outcome.detail = optional_of<std::string>(json, "detail").value_or("");
  outcome.exit_code = optional_of<int>(json, "exit_code");
  outcome.injected_s = optional_of<double>(json, "injected_after_seconds");
  outcome.ended_s = optional_of<double>(json, "ended_after_seconds");
  outcome.healed_s = optional_of<double>(json, "healed_after_seconds");
  return outcome;
} catch (const nlohmann::json::exception& bad) {
  return Error{ErrorCode::kCorruption, "drill.outcome", bad.what()};
}

Status write_outcomes(const std::filesystem::path& directory, const std::vector<Outcome>& outcomes,
                      std::uint64_t seed) {
  Json all{{"seed", seed}, {"cells", Json::array()}};
  static const std::vector<std::string> kColumns{"system",
                                                 "stage",
                                                 "fault",
                                                 "outcome",
                                                 "allowed",
                                                 "exit_code",
                                                 "injected_after_seconds",
                                                 "ended_after_seconds",
                                                 "healed_after_seconds",
                                                 "detail"};
  std::string csv = report::csv_header(kColumns);
  for (const Outcome& outcome : outcomes) {
    all["cells"].push_back(json_of(outcome));
    report::CsvRow row;
    row.text(outcome.system).text(outcome.stage).text(outcome.fault).text(to_string(outcome.answer));
    row.flag(outcome.answer != Answer::kNotAllowed);
    row.number(outcome.exit_code ? std::optional<std::int64_t>(*outcome.exit_code) : std::nullopt);
    row.number(outcome.injected_s).number(outcome.ended_s).number(outcome.healed_s).text(outcome.detail);
    csv += row.take();
  }
  LAB_TRY(write_file_atomic(directory / "drill.json", all.dump(2) + "\n"));
  return write_file_atomic(directory / "drill.csv", csv);
}

std::string to_line(const Outcome& outcome) {
  return fmt::format("{:<12} {:<16} {:<14} {:<18} {:>8} {:>8}  {}", outcome.system, outcome.stage,
                     outcome.fault, to_string(outcome.answer), seconds(outcome.ended_s),
                     seconds(outcome.healed_s), outcome.detail);
}

}  // namespace lab::drill
