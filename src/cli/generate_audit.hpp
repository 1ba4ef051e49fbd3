// `generate --audit`: what was asked for against what was made, by the counters of the scan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <vector>

#include "payload/manifest.hpp"
#include "scan/audit.hpp"

namespace lab::cli {

class DatasetAudit {
 public:
  struct Expectation {
    bool strict = false;        // Blocks and chunks have to be as asked too.
    bool whole_objects = true;  // What repeats; with other units nobody asks for a number of blocks.
  };
  /// Errors: those of the temporary folder.
  static Result<std::unique_ptr<DatasetAudit>> make(Expectation expectation, const std::stop_token& stop);

  /// Borrows this. Its end is kCorruption where more or fewer are distinct than were asked for.
  GenerateAudit hooks();

  /// After the last line was asked for.
  nlohmann::ordered_json as_json() const;
  void print() const;  // A line a unit, for the eye.

 private:
  DatasetAudit(std::unique_ptr<scan::Audit> audit, Expectation expectation)
      : audit_(std::move(audit)), expectation_(expectation) {}
  Result<std::string> last_line();
  bool was_asked(const scan::AuditRow& row) const;

  std::unique_ptr<scan::Audit> audit_;
  Expectation expectation_;
  std::vector<scan::AuditRow> rows_{};
};

}  // namespace lab::cli
