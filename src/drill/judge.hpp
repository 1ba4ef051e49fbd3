// Whether what a disturbed run has left is what an undisturbed one gives, or says that it is not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/record.hpp"

namespace lab::drill {

/// What is known of one stage of one cell from runs without a fault.
struct Undisturbed {
  StageRecord record{};                                      // Of the first repetition.
  std::map<std::string, std::vector<std::int64_t>> sizes{};  // By probe: stored bytes of each repetition.
  std::map<std::string, double> uncertainty{};               // By probe: the largest of its repetitions.
  std::map<std::string, double> spread{};  // By probe: the largest among the cells of its system, this stage.
};

/// By cell and stage; repetitions are one cell.
using Reference = std::map<std::string, Undisturbed>;

/// The key of a record in a Reference, whatever its repetition.
std::string key_of(const StageRecord& record);

/// From the run in `directory`. Errors: kRefused where a stage is invalid: there is nothing to compare with.
Result<Reference> load_reference(const std::filesystem::path& directory);

/// Something that was done to a stage while it ran.
struct Moment {
  std::int64_t wall_ms = 0;
  std::string system{};
};

struct Judgement {
  std::vector<std::string> findings{};  // What must never be, a line each; empty: all is allowed.
  std::size_t valid = 0;
  std::map<std::string, std::string> invalid{};  // By key: the reason.
};

/// Each record that counts is valid with the counts of the reference and its sizes within three times both
/// uncertainties and the reference's spread and the margin of a verdict, or has a reason; none counts twice.
/// `ended`: no stage during which the server ended is valid. `whole`: no cell of the plan is missing. Errors:
/// the journal's.
Result<Judgement> judge(const std::filesystem::path& directory, const Reference& reference,
                        const std::optional<Moment>& ended, bool whole);

}  // namespace lab::drill
