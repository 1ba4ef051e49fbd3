// A record's JSON: read back to the last bit, under the names that results.json promises.
// SPDX-License-Identifier: Apache-2.0
#include "model/record_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace lab {
namespace {

using nlohmann::ordered_json;

StageScan full_scan() {
  StageScan scan;
  const ChunkFigures figures{.name = "all",
                             .files = 2,
                             .bytes = 1'000,
                             .hole_bytes = 1,
                             .chunks = 3,
                             .unique_chunks = 2,
                             .unique_bytes = 600,
                             .zero_chunks = 4,
                             .zero_bytes = 5,
                             .histogram = {{1, 1, 6, 7, 8}, {3, 4, 9, 10, 18'446'744'073'709'551'615ULL}},
                             .sampled = SampleInterval{0.25, 1.0 / 3}};
  scan.rows = {{{ChunkerSpec::Kind::kFixed, 4096, 512}, figures}, {{ChunkerSpec::Kind::kCdc, 8192}, figures}};
  scan.rows[1].figures.name = "log";
  scan.rows[1].figures.sampled.reset();
  scan.census = CensusFigures{10, 1, 2, 100, 90, 80, 1.0 / 7, 1'000, 900, 2'000, 50, 3, 4, 128, 1 << 20};
  scan.census->gone = GoneContent{5, 6, 7};
  scan.census->parts = {{"payload", 1'500, 800}, {"log", 500, 100}};
  scan.left_out = {{"/data/\"socket\"", "a socket"}};
  scan.incomplete = {{"/data/log", "it was written to"}, {"/data/\xFF\n", "no text, and whole again"}};
  scan.spilled_bytes = 12;
  scan.seconds = 0.125;
  return scan;
}

void fill_effort(StageRecord& r) {
  r.settled = true;
  r.settle_seconds = 0.1;
  r.duration_seconds = 1e-300;
  r.verify_seconds = 2.5;
  r.verified = "full";
  r.client_wait_seconds = 0.3;
  r.client_bottleneck = true;
  r.client_cpu_seconds = 0.7;
  r.client_read_bytes = 11;
  r.client_write_bytes = 12;
  r.errors = 1;
  r.retries = 2;
  r.latency = {100, {{"min", 1.5}, {"p50", 2.0}, {"p99.9", 3.25}}, "HISTF..."};
  r.server_seconds = {{"INSERT", 0.5}};
  r.maintenance = "VACUUM";
  r.seconds_to_95 = 0.25;
  r.sampler_interval_ms = 100.5;
  r.sampler_cpu_seconds = 0.01;
  r.samples = 13;
  r.observed = {{"pages", "1600"}};
  r.settings = {{"page_size", "4096"}};
  r.scan = full_scan();
  r.cache_action = "reopened";
  r.started_ms = 1'769'860'800'123;
  r.ended_ms = 1'769'860'801'123;
}

/// Every field holds something else than its default.
StageRecord full_record() {
  StageRecord r;
  r.cell = {.system = "sqlite",
            .variant = "page_4096",
            .total_bytes = Bytes{6'553'600},
            .mode = "blob",
            .cache = "cold",
            .repetition = 3,
            .control = true};
  r.cell.chains = {Chain{StageKind::kBulkInsert},
                   Chain{StageKind::kPerfileInsert, StageKind::kPerfileDelete, StageKind::kMaintenance}};
  r.cell.dataset = {.payload = "random_binary",
                    .dataset_seed = 17'723'070'129'223'244'553ULL,
                    .grade = 90,
                    .objects = 100,
                    .object_size = {.low = 64_KiB},
                    .popularity = {1.2},
                    .order = Order::kDistant,
                    .placement = Placement::kAcross,
                    .containers = 4,
                    .compressible = 250};
  r.cell_id = cell_id(r.cell);
  r.chain = "bulk_insert";
  r.stage = "bulk_insert";
  r.server = {"SQLite", "3.40.1", "/data \"x\"", "2026-01-31T12:00:00Z"};
  r.valid = r.superseded = r.unsupported = r.retryable = true;
  r.reason = "a reason\nof two lines, \xC3\xA9";
  r.error_code = "TIMEOUT";
  r.objects = 18'446'744'073'709'551'615ULL;
  r.objects_live = 99;
  r.bytes_acked = -1;
  r.logical_bytes = std::numeric_limits<std::int64_t>::max();
  r.unique_bytes = std::numeric_limits<std::int64_t>::min();
  r.unique_objects = 10;
  r.copies = 1.0 / 3;
  r.storage_copies = 3;
  r.copies_unknown = "not told";
  r.removed = 7;
  r.keeps = "one per key";
  r.remarks = {{"volume", "not trimmed"}};
  r.counted = {{"volume", "claims data-0, data-1"}};
  r.before_bytes = {{"files", 1}, {"engine:payload", -2}};
  r.after_bytes = {{"files", 3}};
  r.empty_bytes = {{"files", 4}};
  r.noise_bytes = {{"files", 5}};
  r.quantum_bytes = {{"files", 4096}};
  r.residue_bytes = {{"files", 6}};
  r.peak_bytes = {{"files", 7}};
  r.scope = {{"files", "all copies"}};
  r.missing = {{"engine", "unsettled"}};
  fill_effort(r);
  return r;
}

TEST(RecordJson, ARecordIsReadBackToTheLastBit) {
  for (const StageRecord& record : {full_record(),
                                    [] {
                                      StageRecord empty;
                                      empty.cell.dataset.payload = "directory:/data";
                                      empty.cell.dataset.object_size = {
                                          SizeLaw::Kind::kLognormal, 64_KiB, {}, 1.5};
                                      return empty;
                                    }(),
                                    [] {
                                      StageRecord unscanned = full_record();
                                      unscanned.scan = StageScan{.missing = "no files"};
                                      return unscanned;
                                    }()}) {
    const std::string text = to_json_text(record);
    EXPECT_EQ(text.find('\n'), std::string::npos) << "one line";
    const auto back = record_from_json(text);
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(*back, record);
    EXPECT_EQ(to_json_text(*back), text);
  }
}

TEST(RecordJson, HasTheNamesOfResultsJsonInTheirOrder) {
  const ordered_json json = record_to_json(full_record());
  std::vector<std::string> names;
  for (const auto& [key, value] : json.items()) names.push_back(key);
  const std::vector<std::string> promised{
      "system",      "server", "control", "variant",   "payload",   "dataset_seed", "object_size",
      "total_bytes", "grade",  "order",   "placement", "mode",      "cache",        "repetition",
      "chain",       "stage",  "cell_id", "valid",     "superseded"};
  ASSERT_GT(names.size(), promised.size());
  EXPECT_EQ(
      std::vector<std::string>(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(promised.size())),
      promised);
  for (const char* key : {"reason", "objects", "logical_bytes", "unique_bytes", "copies", "before_bytes",
                          "after_bytes", "empty_bytes", "noise_bytes", "missing", "settled", "settle_seconds",
                          "duration_seconds", "latency_us"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["server"]["version"], "3.40.1");
  EXPECT_EQ(json["object_size"], 65'536);
  EXPECT_EQ(json["dataset_seed"].get<std::uint64_t>(), 17'723'070'129'223'244'553ULL);
  EXPECT_EQ(json["grade"], "U90");
  EXPECT_EQ(json["latency_us"].dump(), R"({"count":100,"min":1.5,"p50":2.0,"p99.9":3.25})");
}

TEST(RecordJson, WhatIsUnknownIsAnAbsentKey) {
  StageRecord record = full_record();
  record.cell.total_bytes.reset();
  record.removed.reset();
  record.seconds_to_95.reset();
  record.copies = std::numeric_limits<double>::quiet_NaN();
  record.server_seconds["bad"] = std::numeric_limits<double>::infinity();
  const ordered_json json = record_to_json(record);
  for (const char* key : {"total_bytes", "removed", "seconds_to_95", "copies"})
    EXPECT_FALSE(json.contains(key)) << key;
  EXPECT_FALSE(json["server_seconds"].contains("bad"));
  EXPECT_EQ(to_json_text(record).find("null"), std::string::npos);
}

TEST(RecordJson, TheSizeIsATextWhereSizesVary) {
  StageRecord record;
  record.cell.dataset.payload = "directory:/data";
  EXPECT_EQ(record_to_json(record)["object_size"], "as found");
  record.cell.dataset.payload = "random_binary";
  record.cell.dataset.object_size = {.kind = SizeLaw::Kind::kUniform, .low = 4_KiB, .high = 1_MiB};
  EXPECT_EQ(record_to_json(record)["object_size"], "uniform:4 KiB:1 MiB");
}

TEST(RecordJson, WordsOfAServerThatAreNoUtf8AreRepaired) {
  StageRecord record = full_record();
  record.reason = "bad \xFF byte";
  record.observed["k\xFF"] = "v\xFF";
  const auto back = record_from_json(to_json_text(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->reason, "bad \xEF\xBF\xBD byte");
  EXPECT_EQ(back->observed.at("k\xEF\xBF\xBD"), "v\xEF\xBF\xBD");
}

TEST(RecordJson, KeysThatItDoesNotKnowAreLeftOut) {
  ordered_json json = record_to_json(full_record());
  json["edr"] = {{"files", 1.0}};
  json["new_in_a_later_version"] = nullptr;
  const auto back = record_from_json(json.dump());
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(*back, full_record());
}

TEST(RecordJson, AWrongTypeIsAnErrorThatNamesItsKey) {
  struct Case {
    const char* pointer;
    ordered_json value;
    const char* error;
  };
  const Case cases[] = {
      {"/system", 5, "key 'system' must be a string, is number"},
      {"/valid", "yes", "key 'valid' must be true or false, is string"},
      {"/objects", -1, "key 'objects' is out of range"},
      {"/objects", 1.5, "key 'objects' must be an integer, is number"},
      {"/logical_bytes", 18'446'744'073'709'551'615ULL, "key 'logical_bytes' is out of range"},
      {"/repetition", 1LL << 40, "key 'repetition' is out of range"},
      {"/copies", "1", "key 'copies' must be a number, is string"},
      {"/copies", nullptr, "key 'copies' must be a number, is null"},
      {"/before_bytes", ordered_json::array(), "key 'before_bytes' must be an object, is array"},
      {"/before_bytes/files", "1", "key 'before_bytes.files' must be an integer, is string"},
      {"/server", "SQLite", "key 'server' must be an object"},
      {"/server/name", 1, "key 'server.name' must be a string, is number"},
      {"/latency_us", 1, "key 'latency_us' must be an object, is number"},
      {"/latency_us/count", "1", "key 'latency_us.count' must be an integer, is string"},
      {"/latency_us/p50", "1", "key 'latency_us.p50' must be a number, is string"},
      {"/total_bytes", "1", "key 'total_bytes' must be an integer, is string"},
      {"/grade", "U101", "key 'grade': 'U101' is not a grade"},
      {"/order", "sorted", "key 'order': 'sorted' is not an order"},
      {"/placement", "x", "key 'placement': 'x' is not a placement"},
      {"/planned_object_size", "x", "key 'planned_object_size': 'x' is not an object size"},
      {"/cell_chains", "x", "key 'cell_chains' must be an array"},
      {"/cell_chains/0", 1, "key 'cell_chains' must hold strings"},
      {"/cell_chains/0", "insert_bulk", "key 'cell_chains': 'insert_bulk' is not a stage"},
      {"/scan_left_out/0/path_hex", "2Fxy",
       "key 'scan_left_out.path_hex' must be pairs of hexadecimal digits"},
      {"/scan_left_out/0/path_hex", "2F0",
       "key 'scan_left_out.path_hex' must be pairs of hexadecimal digits"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.error);
    ordered_json json = record_to_json(full_record());
    json[ordered_json::json_pointer(one.pointer)] = one.value;
    const auto back = record_from_json(json.dump());
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, ErrorCode::kCorruption);
    EXPECT_NE(back.error().detail.find(one.error), std::string::npos) << back.error().detail;
  }
}

TEST(RecordJson, AMissingNameOfTheRecordIsAnError) {
  for (const char* key :
       {"system", "payload", "grade", "chain", "stage", "cell_id", "valid", "objects", "dataset_seed"}) {
    SCOPED_TRACE(key);
    ordered_json json = record_to_json(full_record());
    json.erase(key);
    const auto back = record_from_json(json.dump());
    ASSERT_FALSE(back);
    EXPECT_NE(back.error().detail.find(key), std::string::npos);
  }
}

TEST(RecordJson, TextThatIsNoRecordIsCorruption) {
  const std::string whole = to_json_text(full_record());
  for (const std::string& text : {std::string(), std::string("[]"), std::string("null"), std::string("{"),
                                  whole + "x", whole.substr(0, whole.size() / 2), std::string(10'000, '[')}) {
    const auto back = record_from_json(text);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace lab
