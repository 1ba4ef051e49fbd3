// SPDX-License-Identifier: Apache-2.0
#include "cli/generate_audit.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/say.hpp"
#include "core/spill_file.hpp"

namespace lab::cli {

Result<std::unique_ptr<DatasetAudit>> DatasetAudit::make(Expectation expectation,
                                                         const std::stop_token& stop) {
  auto audit = scan::make_audit({.temporary = temporary_folder(), .stop = stop});
  if (!audit) return std::move(audit).error();
  return std::unique_ptr<DatasetAudit>(new DatasetAudit(std::move(*audit), expectation));
}

GenerateAudit DatasetAudit::hooks() {
  return {.object =
              [this](const ObjectFacts& facts, std::span<const std::byte> payload, const Digest& digest) {
                return audit_->add(payload, digest, !facts.copy_of.has_value());
              },
          .last_line = [this] { return last_line(); }};
}

nlohmann::ordered_json DatasetAudit::as_json() const {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const scan::AuditRow& row : rows_) {
    rows.push_back({{"unit", row.unit}, {"met", row.met}});
    if (was_asked(row)) rows.back()["asked"] = row.asked;
    rows.back()["made"] = row.made;
  }
  return rows;
}

void DatasetAudit::print() const {
  for (const scan::AuditRow& row : rows_)
    say("audit: {:<13} {} met,{} {} distinct made\n", row.unit, row.met,
        was_asked(row) ? fmt::format(" {} distinct asked,", row.asked) : "", row.made);
}

bool DatasetAudit::was_asked(const scan::AuditRow& row) const {
  return expectation_.whole_objects || row.unit == "object";
}

Result<std::string> DatasetAudit::last_line() {
  auto rows = audit_->finish();
  if (!rows) return std::move(rows).error();
  rows_ = std::move(*rows);
  for (const scan::AuditRow& row : rows_)
    if (!row.as_asked() && (expectation_.strict || row.unit == "object"))
      return Error{ErrorCode::kCorruption, "generate.audit",
                   fmt::format("{}: {} distinct asked, {} distinct made", row.unit, row.asked, row.made)};
  return nlohmann::ordered_json{{"audit", as_json()}}.dump();
}

}  // namespace lab::cli
