// The journal's schema and its packed samples.
// SPDX-License-Identifier: Apache-2.0
#include "journal/format.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "core/hash.hpp"

namespace lab::journal_store {
namespace {

constexpr std::size_t kSampleBytes = 16;

// AUTOINCREMENT: an id is never used twice, so the order of ids is the order of writing.
constexpr const char* kSchema = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  block_id TEXT NOT NULL,
  cell_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'complete', 'superseded')),
  started_ms INTEGER NOT NULL,
  finished_ms INTEGER,
  reason TEXT NOT NULL DEFAULT '',
  UNIQUE (cell_id, number)
) STRICT;
CREATE INDEX attempts_by_block ON attempts (block_id);
CREATE TABLE stages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  attempt_id INTEGER NOT NULL REFERENCES attempts (id),
  chain TEXT NOT NULL,
  stage TEXT NOT NULL,
  valid INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  unsupported INTEGER NOT NULL,
  reason TEXT NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (attempt_id, chain, stage)
) STRICT;
CREATE TABLE samples (
  stage_id INTEGER NOT NULL REFERENCES stages (id),
  metric TEXT NOT NULL,
  unit TEXT NOT NULL,
  packed BLOB NOT NULL,
  UNIQUE (stage_id, metric, unit)
) STRICT;
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp_ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  system TEXT NOT NULL,
  payload TEXT NOT NULL,
  grade TEXT NOT NULL,
  stage TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TABLE run_values (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

std::uint64_t little_endian(std::uint64_t word) {
  if constexpr (std::endian::native == std::endian::big) return __builtin_bswap64(word);
  return word;
}

void append_word(std::string& bytes, std::uint64_t word) {
  word = little_endian(word);
  bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
}

std::uint64_t word_at(std::string_view bytes, std::size_t offset) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return little_endian(word);
}

constexpr std::string_view kSealKey = "\"seal\":\"";
constexpr std::size_t kSealDigits = 16;
constexpr std::size_t kSealBytes = kSealKey.size() + kSealDigits + 1;

std::string seal_of(std::string_view text) {
  return std::string(kSealKey) + to_hex(sha256(text)).substr(0, kSealDigits) + '"';
}

template <class Number>
Status parse_number(const std::string& text, const char* key, Number& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem == std::errc{} && end == text.data() + text.size()) return ok();
  return Error{ErrorCode::kCorruption, "journal.open", fmt::format("{} is '{}', not a number", key, text)};
}

}  // namespace

Status write_schema(Database& database, const RunInfo& info) {
  return database.transaction([&]() -> Status {
    LAB_TRY(database.execute(fmt::format("PRAGMA application_id={};", kApplicationId).c_str()));
    LAB_TRY(database.execute(fmt::format("PRAGMA user_version={};", kJournalFormat).c_str()));
    LAB_TRY(database.execute(kSchema));
    auto insert = database.prepare("INSERT INTO meta (key, value) VALUES (?, ?)");
    if (!insert) return std::move(insert).error();
    const std::pair<std::string, std::string> rows[] = {
        {"run_id", info.run_id},
        {"seed", std::to_string(info.seed)},
        {"started_ms", std::to_string(info.started_ms)},
        {"plan_toml", info.plan_toml},
        {"plan_hash", info.plan_hash},
        {"tool", info.tool},
        {"sealed", "1"},
    };
    for (const auto& [key, value] : rows) LAB_TRY(insert->run(key, value));
    return ok();
  });
}

Status check_kind(mode_t mode, const std::filesystem::path& file) {
  if (S_ISREG(mode)) return ok();
  return Error{ErrorCode::kRefused, "journal.open", file.string() + ": is not a regular file"};
}

Status check_format(Database& database, const std::filesystem::path& file) {
  const auto application = database.integer("PRAGMA application_id");
  if (!application) return application.error();
  if (*application != kApplicationId) {
    const auto pages = database.integer("PRAGMA page_count");
    if (!pages) return pages.error();
    if (*pages == 0)
      return Error{ErrorCode::kCorruption, "journal.open", file.string() + ": the file is empty"};
    return Error{ErrorCode::kRefused, "journal.open",
                 file.string() + ": a SQLite file, but not a journal of deduplab"};
  }
  const auto version = database.integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version == kJournalFormat) return ok();
  return Error{ErrorCode::kRefused, "journal.open",
               fmt::format("{}: format {}; this program reads and writes format {}", file.string(), *version,
                           kJournalFormat)};
}

Result<RunInfo> load_run_info(Database& database) {
  auto select = database.prepare("SELECT key, value FROM meta");
  if (!select) return std::move(select).error();
  std::map<std::string, std::string> meta;
  while (true) {
    const auto row = select->next();
    if (!row) return row.error();
    if (!*row) break;
    meta[select->text(0)] = select->text(1);
  }
  for (const char* key : {"run_id", "seed", "started_ms", "plan_toml", "plan_hash", "tool"})
    if (!meta.contains(key))
      return Error{ErrorCode::kCorruption, "journal.open", fmt::format("the run's {} is missing", key)};
  RunInfo info{.run_id = meta["run_id"],
               .plan_toml = meta["plan_toml"],
               .plan_hash = meta["plan_hash"],
               .tool = meta["tool"]};
  LAB_TRY(parse_number(meta["seed"], "seed", info.seed));
  LAB_TRY(parse_number(meta["started_ms"], "started_ms", info.started_ms));
  return info;
}

std::string sealed(std::string text) {
  const std::string seal = seal_of(std::string_view(text).substr(0, text.size() - 1));
  text.back() = ',';
  return text + seal + "}";
}

Result<std::string> unsealed(std::string_view text, bool must) {
  const auto corrupt = [](const char* why) { return Error{ErrorCode::kCorruption, "journal.read", why}; };
  const std::size_t tail = kSealBytes + 2;  // The comma and the brace.
  if (text.size() <= tail || text[text.size() - tail] != ',' ||
      text.substr(text.size() - tail + 1, kSealKey.size()) != kSealKey) {
    if (must) return corrupt("its seal is missing");
    return std::string(text);
  }
  const std::string_view before = text.substr(0, text.size() - tail);
  if (text.substr(before.size() + 1) != seal_of(before) + "}") return corrupt("it is not what was written");
  return std::string(before) + "}";
}

Result<bool> seals_records(Database& database) {
  const auto rows = database.integer("SELECT count(*) FROM meta WHERE key = 'sealed'");
  if (!rows) return rows.error();
  return *rows > 0;
}

Status check_pages(Database& database) {
  const auto answer = database.text("PRAGMA integrity_check(1)");
  if (!answer) return answer.error();
  if (*answer == "ok") return ok();
  return Error{ErrorCode::kCorruption, "journal.open", *answer};
}

PackedSamples pack(std::span<const Sample> samples) {
  PackedSamples packed;
  for (const Sample& sample : samples) {
    std::string& bytes = packed[{sample.metric, sample.unit}];
    append_word(bytes, static_cast<std::uint64_t>(sample.timestamp_ms));
    append_word(bytes, std::bit_cast<std::uint64_t>(sample.value));
  }
  return packed;
}

Status unpack(const std::string& metric, const std::string& unit, std::string_view packed,
              std::vector<Sample>& samples) {
  if (packed.size() % kSampleBytes != 0)
    return Error{ErrorCode::kCorruption, "journal.samples",
                 fmt::format("{} bytes for '{}' are no whole number of samples", packed.size(), metric)};
  samples.reserve(samples.size() + packed.size() / kSampleBytes);
  for (std::size_t offset = 0; offset < packed.size(); offset += kSampleBytes)
    samples.push_back({.timestamp_ms = static_cast<std::int64_t>(word_at(packed, offset)),
                       .metric = metric,
                       .value = std::bit_cast<double>(word_at(packed, offset + 8)),
                       .unit = unit});
  return ok();
}

}  // namespace lab::journal_store
