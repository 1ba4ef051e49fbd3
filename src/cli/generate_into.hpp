// `generate --into`: a dataset straight into a system, with what is said of it before and after.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "cli/system_flags.hpp"
#include "payload/manifest.hpp"

namespace lab::cli {

struct IntoTarget {
  NamedSystem named;
  std::filesystem::path manifest{};  // Empty: none.
  Millis limit{};                    // Of sending all objects.
};

/// From the flags of `generate`; nothing is connected to or written. Errors: kInvalidArgument that begins
/// with the flag.
Result<IntoTarget> into_target(const GenerateOptions& options, const DatasetSpec& spec);

/// How it ended; what is said of a failure has been said.
struct IntoOutcome {
  int exit_code = 0;
  GenerateSummary made{};                           // Below: only with exit code 0.
  std::optional<std::vector<std::string>> where{};  // A line each, in the system's words, if it told them.
};

/// Examines the server, refuses a place that holds anything, loads, and writes the manifest when all is
/// there.
IntoOutcome generate_into(const IntoTarget& target, const std::shared_ptr<const Dataset>& dataset,
                          const CallContext& call, const GenerateProgress& progress,
                          const GenerateAudit* audit);

/// Where the objects are, and how they are removed.
void print_where(const IntoTarget& target, const IntoOutcome& outcome);
nlohmann::ordered_json where_json(const IntoTarget& target, const IntoOutcome& outcome);

}  // namespace lab::cli
