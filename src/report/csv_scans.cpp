// scans.csv: what the scans after the stages found, one figure a row.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/csv.hpp"
#include "report/csv_files.hpp"

namespace lab::report {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names{
      "run_id",    "system", "variant", "payload",    "object_size", "total_bytes", "grade", "order",
      "placement", "mode",   "cache",   "repetition", "control",     "chain",       "stage", "cell_id",
      "chunker",   "align",  "part",    "metric",     "value",       "unit",        "reason"};
  return names;
}

/// The rows of one record.
class ScanRows {
 public:
  ScanRows(const StageRecord& record, const std::string& run_id) : record_(record), run_id_(run_id) {}

  void of(std::string chunker, std::optional<std::uint64_t> align, std::string part) {
    chunker_ = std::move(chunker);
    align_ = align;
    part_ = std::move(part);
  }

  template <class T>
  void add(std::string_view metric, T value, std::string_view unit) {
    CsvRow row = begin(metric);
    row.number(std::optional(value)).text(unit).blank();
    text_ += row.take();
  }

  void add_share(std::string_view metric, const std::optional<double>& share, std::string_view why_not) {
    if (share) return add(metric, *share, "share");
    missing(metric, why_not);
  }

  void missing(std::string_view metric, std::string_view reason) {
    CsvRow row = begin(metric);
    row.blank().blank().text(reason);
    text_ += row.take();
  }

  const std::string& text() const { return text_; }

 private:
  CsvRow begin(std::string_view metric) const {
    const Cell& cell = record_.cell;
    const DatasetSpec& dataset = cell.dataset;
    CsvRow row;
    row.text(run_id_).text(cell.system).text(cell.variant).text(dataset.payload);
    row.text(object_size_name(dataset));
    row.number(cell.total_bytes ? std::optional(cell.total_bytes->count) : std::nullopt);
    row.text(grade_name(dataset.grade)).text(to_string(dataset.order)).text(to_string(dataset.placement));
    row.text(cell.mode).text(cell.cache).number(std::optional(std::int64_t{cell.repetition}));
    row.flag(cell.control).text(record_.chain).text(record_.stage).text(record_.cell_id);
    row.text(chunker_).number(align_).text(part_).text(metric);
    return row;
  }

  const StageRecord& record_;
  const std::string& run_id_;
  std::string chunker_{};
  std::optional<std::uint64_t> align_{};
  std::string part_{};
  std::string text_{};
};

void add_figures(const ChunkRow& found, ScanRows& rows) {
  const ChunkFigures& figures = found.figures;
  rows.of(chunker_name(found.chunker), found.chunker.align, figures.name);
  rows.add("files", figures.files, "files");
  rows.add("bytes", figures.bytes, "bytes");
  rows.add("hole_bytes", figures.hole_bytes, "bytes");
  rows.add("chunks", figures.chunks, "chunks");
  rows.add("unique_chunks", figures.unique_chunks, "chunks");
  rows.add("unique_bytes", figures.unique_bytes, "bytes");
  rows.add("zero_chunks", figures.zero_chunks, "chunks");
  rows.add("zero_bytes", figures.zero_bytes, "bytes");
  rows.add_share("residual", figures.residual(), "no bytes");
}

void add_census(const CensusFigures& census, ScanRows& rows) {
  rows.of("census", std::nullopt, "all");
  rows.add("originals", census.originals, "objects");
  rows.add("uncountable", census.uncountable, "objects");
  rows.add("not_found", census.not_found, "objects");
  rows.add("copies_expected", census.copies_expected, "copies");
  rows.add("copies_countable", census.copies_countable, "copies");
  rows.add("copies_whole", census.copies_whole, "copies");
  rows.add("copies_by_bytes", census.copies_by_bytes, "copies");
  rows.add("expected_bytes", census.expected_bytes, "bytes");
  rows.add("located_bytes", census.located_bytes, "bytes");
  rows.add_share("share_located", census.share_located(), "no copy with a count is expected");
  rows.add("scanned_bytes", census.scanned_bytes, "bytes");
  if (census.gone) {
    rows.add("gone_originals", census.gone->originals, "objects");
    rows.add("gone_copies_whole", census.gone->copies_whole, "copies");
    rows.add("gone_located_bytes", census.gone->located_bytes, "bytes");
  }
  for (const CensusPart& part : census.parts) {
    rows.of("census", std::nullopt, part.name);
    rows.add("scanned_bytes", part.scanned_bytes, "bytes");
    rows.add("located_bytes", part.located_bytes, "bytes");
  }
}

std::string rows_of(const StageRecord& record, const std::string& run_id) {
  const StageScan& scan = *record.scan;
  ScanRows rows(record, run_id);
  if (!scan.missing.empty()) {
    rows.missing("scan", scan.missing);
    return rows.text();
  }
  rows.add("seconds", scan.seconds, "s");
  rows.add("spilled_bytes", scan.spilled_bytes, "bytes");
  rows.add("left_out", std::uint64_t{scan.left_out.size()}, "files");
  rows.add("incomplete", std::uint64_t{scan.incomplete.size()}, "files");
  for (const ChunkRow& found : scan.rows) add_figures(found, rows);
  if (scan.census) add_census(*scan.census, rows);
  return rows.text();
}

}  // namespace

Status write_scans_csv(const RunData& run, const std::filesystem::path& path) {
  auto file = StreamedFile::create(path);
  if (!file) return std::move(file).error();
  LAB_TRY(file->write(csv_header(columns())));
  for (const StageRow& stage : run.stages) {
    if (stage.record.superseded || !stage.record.valid || !stage.record.scan) continue;
    LAB_TRY(file->write(rows_of(stage.record, run_id_of(run, stage.source))));
  }
  return file->commit();
}

}  // namespace lab::report
