// How the cells of a drill ended: kept one by one, so that a drill can go on, and shown as a table.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace lab::drill {

enum class Answer : std::uint8_t {
  kValid,        // All cells are valid at the end of the disturbed run.
  kResumed,      // They are after `resume`.
  kInvalid,      // Some stay invalid, with their reason.
  kUnsupported,  // The variant has no such stage.
  kSkipped,      // What the fault needs is not there.
  kNotAllowed,   // What must never be.
};
std::string_view to_string(Answer answer) noexcept;

struct Outcome {
  std::string system{};
  std::string stage{};
  std::string fault{};
  Answer answer = Answer::kNotAllowed;
  std::string detail{};                // Why; what was found.
  std::optional<int> exit_code{};      // Of the disturbed run.
  std::optional<double> injected_s{};  // From the stage's begin to the fault.
  std::optional<double> ended_s{};     // From the fault to the end of the disturbed run.
  std::optional<double> healed_s{};    // From the fault to the end of the last resume.
};

std::string to_json(const Outcome& outcome);
/// Errors: kCorruption.
Result<Outcome> outcome_from_json(std::string_view text);

/// DIR/drill.json and DIR/drill.csv.
Status write_outcomes(const std::filesystem::path& directory, const std::vector<Outcome>& outcomes,
                      std::uint64_t seed);

/// One line for a terminal.
std::string to_line(const Outcome& outcome);

}  // namespace lab::drill
