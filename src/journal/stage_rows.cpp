// SPDX-License-Identifier: Apache-2.0
#include "journal/stage_rows.hpp"

#include "journal/format.hpp"
#include "model/record_json.hpp"

namespace lab::journal_store {
namespace {

constexpr const char* kSelect =
    "SELECT stages.id, number, block_id, state, superseded, stages.reason, record, cell_id, chain, stage,"
    " valid, unsupported FROM stages LEFT JOIN attempts ON attempts.id = attempt_id ORDER BY stages.id";

/// What a row says beside its record; nullptr where both say the same.
const char* contradiction(const Statement& row, const StageRecord& record) {
  if (row.bytes(7) != record.cell_id) return "it is of another cell than its attempt";
  if (row.bytes(8) != record.chain || row.bytes(9) != record.stage) return "its row names another stage";
  if ((row.integer(10) != 0) != record.valid || (row.integer(11) != 0) != record.unsupported)
    return "its row has it valid where it is not, or the other way about";
  // An attempt and its records are superseded together.
  if ((row.integer(4) != 0) != (record.superseded || row.bytes(3) == kSuperseded))
    return "its row has it superseded where its attempt is not, or the other way about";
  return nullptr;
}

Result<StoredStage> stage_of(const Statement& row, bool sealed) {
  StoredStage stored{.id = row.integer(0), .attempt = row.integer(1), .block_id = row.text(2)};
  const auto corrupt = [&](const std::string& why) {
    return Error{ErrorCode::kCorruption, "journal.read", "record " + std::to_string(stored.id) + ": " + why};
  };
  const auto text = unsealed(row.bytes(6), sealed);
  if (!text) return corrupt(text.error().detail);
  auto record = record_from_json(*text);
  if (!record) return corrupt(record.error().detail);
  if (const char* const why = contradiction(row, *record)) return corrupt(why);
  stored.record = std::move(*record);
  stored.record.superseded = row.integer(4) != 0;
  stored.record.reason = row.text(5);
  if (row.bytes(3) == kRunning) {
    stored.record.superseded = true;
    stored.record.reason =
        stored.record.reason.empty() ? "not finished" : "not finished; " + stored.record.reason;
  }
  return stored;
}

}  // namespace

Status each_stage(Database& database, const std::function<Status(const StoredStage&)>& sink) {
  const auto sealed = seals_records(database);
  if (!sealed) return sealed.error();
  return each_row(database, kSelect, [&](const Statement& row) -> Status {
    const auto stored = stage_of(row, *sealed);
    if (!stored) return stored.error();
    return sink(*stored);
  });
}

}  // namespace lab::journal_store
