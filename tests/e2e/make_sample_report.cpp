// Writes a report of made-up but realistic records, for the browser check: make_sample_report KIND OUT.html.
// Kinds: sample (every state of a record), empty, tiny (one cell), hostile (markup in every foreign text),
// large. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/random.hpp"
#include "report/analysis.hpp"
#include "report/report_html_parts.hpp"

namespace lab {
namespace {

constexpr std::string_view kHostile =
    "</script><script>window.planted=1</script><img src=x onerror=window.planted=2>--><!--<script>\u2028";

/// How a made-up system behaves.
struct Behaviour {
  std::string system{}, variant = "default", server{}, version{};
  double held = 1.02;     // Bytes on disk for a logical byte at U0.
  double eta = 0;         // Share of the duplicate bytes that is removed.
  double noise = 0.0003;  // Relative.
  double freed_by_delete = 0;
  double freed_by_maintenance = 0.97;
  double reuse = 0.98;
  double rate = 180e6;        // Bytes a second of bulk_insert.
  double latency_us = 900;    // Median of one operation.
  std::string maintenance{};  // Empty: not supported.
  double log_share = 0.05;
  bool semantic = false;
  bool control = false;
};

struct Shape {
  std::vector<Behaviour> systems{};
  std::vector<std::string> payloads{};
  std::vector<int> grades{0, 50, 90};
  int repetitions = 5;
  bool whole_story = true;  // The long chain beside bulk_insert.
  bool faults = false;      // Invalid, superseded and missing ones.
};

std::vector<Behaviour> embedded_systems() {
  return {
      {.system = "sqlite", .server = "SQLite", .version = "3.40.1", .held = 1.013, .maintenance = "VACUUM"},
      {.system = "sqlite",
       .variant = "page_64k",
       .server = "SQLite",
       .version = "3.40.1",
       .held = 1.004,
       .rate = 240e6,
       .maintenance = "VACUUM"},
      {.system = "rocksdb",
       .server = "RocksDB",
       .version = "7.8.3",
       .held = 1.001,
       .freed_by_delete = -0.01,
       .rate = 310e6,
       .latency_us = 2100,
       .maintenance = "CompactRange(bottommost=force)",
       .log_share = 0.01},
      {.system = "rocksdb",
       .variant = "zstd+blob",
       .server = "RocksDB",
       .version = "7.8.3",
       .held = 1.0,
       .eta = 0.41,
       .noise = 0.004,
       .rate = 150e6,
       .latency_us = 2400,
       .maintenance = "CompactRange(bottommost=force)",
       .log_share = 0.01},
      {.system = "lmdb",
       .server = "LMDB",
       .version = "0.9.24",
       .held = 1.03,
       .freed_by_maintenance = 0.98,
       .reuse = 0.999,
       .rate = 420e6,
       .latency_us = 1300,
       .maintenance = "mdb_env_copy2(MDB_CP_COMPACT)",
       .log_share = 0},
  };
}

std::vector<Behaviour> servers_and_controls() {
  return {
      {.system = "postgresql",
       .variant = "toast_external",
       .server = "PostgreSQL",
       .version = "15.20",
       .held = 1.32,
       .noise = 0.02,
       .rate = 95e6,
       .latency_us = 1700,
       .maintenance = "VACUUM FULL",
       .log_share = 0.26},
      {.system = "clickhouse",
       .variant = "replacing",
       .server = "ClickHouse",
       .version = "25.3",
       .held = 1.0,
       .maintenance = "OPTIMIZE TABLE ... FINAL",
       .semantic = true},
      {.system = "files",
       .server = "files on ext4",
       .version = "6.1",
       .held = 1.0,
       .noise = 0,
       .freed_by_delete = 1,
       .log_share = 0,
       .control = true},
      {.system = "cas",
       .server = "content-addressed files",
       .version = "1",
       .held = 1.003,
       .eta = 0.9995,
       .noise = 0,
       .freed_by_delete = 0.01,
       .log_share = 0,
       .control = true},
  };
}

std::vector<Behaviour> realistic_systems() {
  std::vector<Behaviour> all = embedded_systems();
  for (Behaviour& behaviour : servers_and_controls()) all.push_back(std::move(behaviour));
  return all;
}

/// The records of one shape, in the order in which a runner would write them.
class Story {
 public:
  explicit Story(Shape shape) : shape_(std::move(shape)), random_(7) {}

  report::RunData tell() {
    run_.info = {
        .run_id = "20260131T120000Z-4f21", .seed = 42, .started_ms = clock_ms_, .tool = "deduplab 0.1.0"};
    run_.info.plan_toml =
        "# Question: which embedded engine removes byte-identical duplicates, and at which "
        "rung?\n[run]\nseed = 42\n"
        "repetitions = 5\n\n[dataset]\npayloads = [\"random_binary\", \"structured_json\"]\n"
        "grades = [\"U0\", \"U50\", \"U90\"]\nobjects = 512\nobject_size = \"128 KiB\"\n";
    run_.info.plan_hash = std::string(64, '7');
    run_.directories = {"runs/embedded-20260131T120000Z"};
    run_.environment_json =
        R"({"kernel":"Linux 6.1.0-28-amd64","cpu":{"model":"AMD EPYC 7763","cores":8},"memory_bytes":33554432000,)"
        R"("file_system":{"type":"ext4","mount":"/data","options":["rw","noatime"]},"hostname":"lab-1","clock":"tsc",)"
        R"("mechanisms":{"sqlite":[{"level":"storage","support":"missing","source":"sqlite.org/fileformat2.html"}]}})";
    for (const Behaviour& system : shape_.systems)
      for (const std::string& payload : shape_.payloads)
        for (int repetition = 1; repetition <= shape_.repetitions; ++repetition)
          for (const int grade : shape_.grades) add_cell(system, payload, grade, repetition);
    return run_;
  }

 private:
  double wobble(double share) { return 1 + share * (2 * random_.unit() - 1); }

  Cell cell_of(const Behaviour& system, const std::string& payload, int grade, int repetition) const {
    Cell cell{.system = system.system, .variant = system.variant, .mode = "blob", .cache = "warm"};
    cell.dataset.payload = payload;
    cell.dataset.grade = grade;
    cell.dataset.objects = 512;
    cell.dataset.dataset_seed = dataset_seed_of(42, payload, repetition);
    cell.total_bytes = Bytes{512 * 131'072};
    cell.repetition = repetition;
    cell.control = system.control;
    return cell;
  }

  void add_cell(const Behaviour& system, const std::string& payload, int grade, int repetition) {
    const Cell cell = cell_of(system, payload, grade, repetition);
    if (!cell.control) run_.cells_planned += 1, run_.cells_finished += 1;
    const bool lost = shape_.faults && system.system == "postgresql" && repetition == 2 && grade == 50;
    if (lost) add_lost(system, cell);
    add_chain(system, cell, {"bulk_insert"}, lost ? 2 : 1);
    if (shape_.whole_story && !cell.control) add_chains_of_life(system, cell, lost ? 2 : 1);
  }

  void add_chains_of_life(const Behaviour& system, const Cell& cell, int attempt) {
    add_chain(system, cell, {"perfile_insert", "perfile_delete", "maintenance"}, attempt);
    add_chain(system, cell, {"bulk_insert", "delete_logical", "refill"}, attempt);
  }

  StageRecord blank(const Behaviour& system, const Cell& cell, const std::vector<std::string>& chain,
                    const std::string& stage) {
    StageRecord record{
        .cell = cell, .cell_id = cell_id(cell), .chain = fmt::format("{}", fmt::join(chain, ">"))};
    record.stage = stage;
    record.server = {system.server, system.version, "/data/" + system.system, "2026-01-31T12:00:00Z"};
    record.settings = {
        {"durability", "fsync of file and folder"}, {"journal_mode", "WAL"}, {"page_size", "65536"}};
    record.started_ms = clock_ms_;
    return record;
  }

  void push(StageRecord record, int attempt) {
    run_.stages.push_back({.record = std::move(record), .stage_id = next_id_++, .attempt = attempt});
  }

  void add_lost(const Behaviour& system, const Cell& cell) {
    StageRecord record = blank(system, cell, {"bulk_insert"}, "bulk_insert");
    record.superseded = true;
    record.error_code = "CONNECTION_LOST";
    record.reason = "server closed the connection unexpectedly after 317 of 512 objects";
    record.ended_ms = clock_ms_ + 900;
    push(std::move(record), 1);
  }

  /// Bytes on disk for `live` of the dataset's logical bytes.
  double held_bytes(const Behaviour& system, double logical, double unique) {
    const double effective = logical - system.eta * (logical - unique);
    return effective * system.held * wobble(system.noise);
  }

  void add_chain(const Behaviour& system, const Cell& cell, const std::vector<std::string>& chain,
                 int attempt) {
    const double logical = 512.0 * 131'072;
    const double unique = logical * static_cast<double>(distinct_objects(512, cell.dataset.grade)) / 512;
    const double full = held_bytes(system, system.semantic ? unique : logical, unique);
    double held = 0;
    bool broken = false;
    for (const std::string& stage : chain) {
      StageRecord record = blank(system, cell, chain, stage);
      const bool fails = shape_.faults && system.system == "lmdb" && cell.repetition == 4 &&
                         cell.dataset.grade == 90 && stage == "perfile_delete";
      broken = broken || fails;
      if ((stage == "maintenance" && system.maintenance.empty()) || (stage == "refill" && system.semantic)) {
        record.unsupported = true;
        record.reason = fmt::format("unsupported: {} does not declare {}", system.system, stage);
      } else if (broken) {
        record.reason =
            fails ? "read-back differs from the manifest: 511 of 512 objects gone" : "the chain ended before";
        record.error_code = fails ? "CORRUPTION" : "";
      } else {
        held = fill(record, system, full, held, logical, unique);
      }
      record.ended_ms = record.started_ms + static_cast<std::int64_t>(record.duration_seconds * 1000) + 1;
      clock_ms_ = record.ended_ms + 1500;
      push(std::move(record), attempt);
    }
  }

  /// Fills a valid record in; returns what is on disk after it.
  double fill(StageRecord& record, const Behaviour& system, double full, double held, double logical,
              double unique) {
    double after = full;
    const bool deletes = record.stage.find("delete") != std::string::npos;
    const bool removal = deletes || record.stage == "maintenance";
    if (deletes) after = full * (1 - system.freed_by_delete) * wobble(0.004);
    if (record.stage == "maintenance") after = full * (1 - system.freed_by_maintenance) * wobble(0.1);
    if (record.stage == "refill") after = held + full * (1 - system.reuse) * wobble(0.1);
    record.valid = true;
    record.objects = record.stage == "maintenance" ? 0 : 512;
    record.objects_live = removal ? 0 : 512;
    record.bytes_acked = removal ? 0 : static_cast<std::int64_t>(logical);
    record.logical_bytes = removal ? 0 : static_cast<std::int64_t>(logical);
    record.unique_bytes = removal ? 0 : static_cast<std::int64_t>(unique);
    set_bytes(record, system, held, after);
    const double slow = record.stage == "bulk_insert" ? 1 : 4;
    record.duration_seconds = slow * logical / system.rate * wobble(0.06);
    record.client_cpu_seconds = record.duration_seconds * 0.2 * wobble(0.1);
    if (system.system == "postgresql")
      record.server_seconds = {
          {record.stage == "bulk_insert" ? "COPY" : "statements", record.duration_seconds * 0.8},
          {"CHECKPOINT", 0.04 * wobble(0.3)}};
    record.client_bottleneck = system.system == "lmdb" && record.cell.repetition < 3;
    if (record.stage == "bulk_insert") record.scan = scan_of(system, logical, unique);
    record.settled = true;
    record.maintenance = record.stage == "maintenance" ? system.maintenance : "";
    if (record.stage.starts_with("perfile")) set_latency(record, system);
    if (system.semantic && !removal) {
      record.keeps = "one per key";
      record.removed = 512 - distinct_objects(512, record.cell.dataset.grade);
    }
    return after;
  }

  /// What the files still hold twice falls with the block size; PostgreSQL's cannot be read.
  StageScan scan_of(const Behaviour& system, double logical, double unique) {
    if (system.system == "postgresql") return {.missing = "nothing to scan: permission denied"};
    StageScan scan{.seconds = 0.4 * wobble(0.1)};
    const auto bytes = static_cast<std::uint64_t>(logical * system.held);
    const double most = (1 - unique / logical) * (1 - system.eta);
    for (const bool fixed : {true, false})
      for (std::uint32_t size = 512; size <= (fixed ? 1'048'576U : 65'536U); size *= fixed ? 8 : 2) {
        const double share = most / (1 + size / (system.system == "lmdb" ? 1e6 : 2e4)) * wobble(0.01);
        const ChunkerSpec spec{fixed ? ChunkerSpec::Kind::kFixed : ChunkerSpec::Kind::kCdc, size};
        for (const char* part : {"all", "payload", "log"}) {
          ChunkFigures figures{.name = part, .files = 3, .bytes = bytes, .zero_bytes = bytes / 50};
          figures.unique_bytes = bytes - static_cast<std::uint64_t>(static_cast<double>(bytes) * share);
          scan.rows.push_back({spec, figures});
        }
      }
    const double found = 1 - system.eta;
    scan.census = CensusFigures{.originals = 51, .copies_expected = 512, .copies_countable = 512};
    scan.census->copies_whole = static_cast<std::uint64_t>(512 * found);
    scan.census->copies_by_bytes = 512 * found;
    scan.census->expected_bytes = static_cast<std::int64_t>(logical);
    scan.census->located_bytes = static_cast<std::int64_t>(logical * found);
    scan.census->parts = {{"payload", scan.census->expected_bytes, scan.census->located_bytes}};
    return scan;
  }

  static void set_bytes(StageRecord& record, const Behaviour& system, double before, double after) {
    const auto empty = 40'960.0;
    const auto set = [&](const std::string& probe, double share) {
      record.empty_bytes[probe] = static_cast<std::int64_t>(empty * share);
      record.before_bytes[probe] = static_cast<std::int64_t>((empty + before) * share);
      record.after_bytes[probe] = static_cast<std::int64_t>((empty + after) * share);
      record.noise_bytes[probe] = 0;
      record.quantum_bytes[probe] = 4096;
      record.scope[probe] = "all copies";
    };
    const double index = 0.02;
    set("files", 1);
    set("apparent", 0.998);
    set("files:log", system.log_share);
    set("files:index", index);
    set("files:meta", 0.01);
    set("files:payload", 0.97 - index + 0.02 - system.log_share);
    if (system.system == "files" || system.system == "cas")
      record.missing["engine"] = "the system has no figure of its own";
    else
      set("engine", 1 - system.log_share);
    record.missing["volume"] = "no volume is configured";
    record.peak_bytes["files"] =
        static_cast<std::int64_t>(before * 1.02 + (record.stage == "maintenance" ? before : after));
  }

  void set_latency(StageRecord& record, const Behaviour& system) {
    record.latency.count = 512;
    const double median = system.latency_us * wobble(0.08);
    record.latency.values_us = {{"min", median * 0.6}, {"p50", median},
                                {"p90", median * 1.6}, {"p95", median * 2.1},
                                {"p99", median * 5.5}, {"max", median * 19 * wobble(0.4)},
                                {"mean", median * 1.2}};
  }

  Shape shape_;
  Random random_;
  report::RunData run_{};
  std::int64_t clock_ms_ = 1'769'860'800'000;
  std::int64_t next_id_ = 1;
};

/// Samples of a stage: a bent way from the size before to the size after, with a peak in a maintenance.
Result<std::vector<Sample>> samples_of(const report::StageRow& row) {
  std::vector<Sample> samples;
  const StageRecord& record = row.record;
  constexpr int kSteps = 60;
  for (const std::string metric : {"files", "apparent", "engine"}) {
    const auto before = record.before_bytes.find(metric);
    if (before == record.before_bytes.end()) continue;
    const auto from = static_cast<double>(before->second);
    const auto to = static_cast<double>(record.after_bytes.at(metric));
    for (int step = 1; step < kSteps; ++step) {
      const double share = static_cast<double>(step) / kSteps;
      double value = from + (to - from) * std::min(1.0, share * 1.03);
      if (record.stage == "maintenance") value = share < 0.8 ? from * (1 + 0.9 * share) : to;
      const auto elapsed = static_cast<double>(record.ended_ms - record.started_ms) * share;
      const std::int64_t at = record.started_ms + static_cast<std::int64_t>(elapsed);
      samples.push_back({at, metric, std::floor(value / 65'536) * 65'536, "bytes"});
      if (metric == "files" && record.bytes_acked > 0)
        samples.push_back({at, "acked_bytes", static_cast<double>(record.bytes_acked) * share, "bytes"});
    }
  }
  return samples;
}

void make_hostile(report::RunData& run) {
  run.info.plan_toml = fmt::format("# Question: {}?\n", kHostile);
  run.info.run_id = kHostile;
  run.notes = {std::string(kHostile)};
  run.environment_json = fmt::format(R"({{"{0}": "{0}"}})", kHostile);
  for (report::StageRow& row : run.stages) {
    row.record.server = {std::string(kHostile), std::string(kHostile), std::string(kHostile), ""};
    row.record.cell.variant = kHostile;
    row.record.cell.dataset.payload = "directory:/" + std::string(kHostile);
    row.record.cell_id = cell_id(row.record.cell);
    row.record.settings = {{std::string(kHostile), std::string(kHostile)}};
    row.record.maintenance = kHostile;
    for (auto& [probe, reason] : row.record.missing) reason = kHostile;
    for (auto& [probe, scope] : row.record.scope) scope = kHostile;
    if (row.record.valid) row.record.server_seconds = {{std::string(kHostile), 1}};
    if (!row.record.reason.empty()) row.record.reason = kHostile;
  }
}

std::vector<Behaviour> many_systems() {
  std::vector<Behaviour> all;
  for (int copy = 0; copy < 4; ++copy)
    for (Behaviour system : realistic_systems()) {
      if (copy > 0) system.variant += fmt::format("_{}", copy);
      if (system.control && copy > 0) continue;
      all.push_back(system);
    }
  return all;
}

report::RunData make_run(std::string_view kind) {
  if (kind == "empty") return Story({}).tell();
  if (kind == "tiny")
    return Story({.systems = {realistic_systems().front()},
                  .payloads = {"random_binary"},
                  .grades = {0},
                  .repetitions = 1,
                  .whole_story = false})
        .tell();
  if (kind == "large")
    return Story({.systems = many_systems(),
                  .payloads = {"random_binary", "structured_json", "text_document", "uuid_keys"},
                  .grades = {0, 50, 90, 95},
                  .repetitions = 5})
        .tell();
  report::RunData run =
      Story(
          {.systems = realistic_systems(), .payloads = {"random_binary", "structured_json"}, .faults = true})
          .tell();
  run.cells_planned += kind == "sample" ? 4 : 0;
  if (kind == "hostile") make_hostile(run);
  return run;
}

int write_report(std::string_view kind, const std::string& path) {
  const report::RunData run = make_run(kind);
  const auto html = report::report_html(run, report::analyse(run), samples_of);
  if (!html) return std::fprintf(stderr, "%s\n", html.error().text().c_str()), 1;
  const auto written = write_file_atomic(path, *html);
  if (!written) return std::fprintf(stderr, "%s\n", written.error().text().c_str()), 1;
  return 0;
}

}  // namespace
}  // namespace lab

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: make_sample_report KIND OUT.html\n"), 2;
  return lab::write_report(argv[1], argv[2]);
}
