// SPDX-License-Identifier: Apache-2.0
#include "model/scan_json.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/hash.hpp"
#include "model/json_fields.hpp"

namespace lab {
namespace {

using json_fields::FieldReader;
using json_fields::FieldWriter;
using json_fields::Need;
using nlohmann::ordered_json;

constexpr const char* kCensus = "census";
constexpr const char* kAll = "all";

/// The bytes that to_hex spelled so; nullopt for anything else.
std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    unsigned byte = 0;
    const char* const end = digits.data() + at + 2;
    const auto read = std::from_chars(digits.data() + at, end, byte, 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

Error damaged(std::string detail) { return {ErrorCode::kCorruption, "record.read", std::move(detail)}; }

template <class Archive, class Figures>
void figure_fields(Archive&& field, Figures& figures) {
  field("files", figures.files, Need::kRequired);
  field("bytes", figures.bytes, Need::kRequired);
  field("chunks", figures.chunks, Need::kRequired);
  field("unique_chunks", figures.unique_chunks, Need::kRequired);
  field("unique_bytes", figures.unique_bytes, Need::kRequired);
  field("zero_bytes", figures.zero_bytes, Need::kRequired);
  field("zero_chunks", figures.zero_chunks, Need::kRequired);
  field("hole_bytes", figures.hole_bytes, Need::kRequired);
}

template <class Archive, class Row>
void histogram_fields(Archive&& field, Row& row) {
  field("copies_from", row.copies_from, Need::kRequired);
  field("copies_to", row.copies_to, Need::kRequired);
  field("distinct", row.distinct, Need::kRequired);
  field("chunks", row.chunks, Need::kRequired);
  field("bytes", row.bytes, Need::kRequired);
}

template <class Archive, class Note>
void note_fields(Archive&& field, Note& note) {
  field("path", note.path, Need::kRequired);
  field("reason", note.reason, Need::kRequired);
}

template <class Archive, class Interval>
void interval_fields(Archive&& field, Interval& interval) {
  field("low", interval.low, Need::kRequired);
  field("high", interval.high, Need::kRequired);
}

template <class Archive, class Census>
void census_fields(Archive&& field, Census& census) {
  field("originals", census.originals, Need::kRequired);
  field("uncountable", census.uncountable, Need::kRequired);
  field("not_found", census.not_found, Need::kRequired);
  field("copies_expected", census.copies_expected, Need::kRequired);
  field("copies_countable", census.copies_countable, Need::kRequired);
  field("copies_whole", census.copies_whole, Need::kRequired);
  field("copies_by_bytes", census.copies_by_bytes, Need::kRequired);
  field("expected_bytes", census.expected_bytes, Need::kRequired);
  field("located_bytes", census.located_bytes, Need::kRequired);
  field("scanned_bytes", census.scanned_bytes, Need::kRequired);
  field("slices", census.slices, Need::kRequired);
  field("ambiguous_slices", census.ambiguous_slices, Need::kRequired);
  field("false_hits", census.false_hits, Need::kRequired);
  field("slice_distance", census.slice_distance, Need::kRequired);
  field("memory", census.memory, Need::kRequired);
}

template <class Archive, class Gone>
void gone_fields(Archive&& field, Gone& gone) {
  field("gone_originals", gone.originals, Need::kRequired);
  field("gone_copies_whole", gone.copies_whole, Need::kRequired);
  field("gone_located_bytes", gone.located_bytes, Need::kRequired);
}

template <class Archive, class Part>
void part_fields(Archive&& field, Part& part) {
  field("part", part.name, Need::kRequired);
  field("scanned_bytes", part.scanned_bytes, Need::kRequired);
  field("located_bytes", part.located_bytes, Need::kRequired);
}

/// Each object of the array under `key`, read by `read` (object, problem); an absent key is no object.
template <class Read>
Status read_objects(const ordered_json& in, const char* key, const Read& read) {
  const auto found = in.find(key);
  if (found == in.end()) return ok();
  if (!found->is_array()) return damaged(std::string("key '") + key + "' must be an array");
  for (const ordered_json& item : *found) {
    if (!item.is_object()) return damaged(std::string("key '") + key + "' must hold objects");
    std::string problem;
    LAB_TRY(read(item, problem));
    if (!problem.empty()) return damaged(problem);
  }
  return ok();
}

void read_census_entry(const ordered_json& item, const std::string& part, std::string& problem,
                       StageScan& scan) {
  const FieldReader field(item, "scan.", problem);
  if (!scan.census) scan.census.emplace();
  if (part != kAll) return part_fields(FieldReader(field), scan.census->parts.emplace_back());
  census_fields(FieldReader(field), *scan.census);
  if (item.contains("gone_originals")) gone_fields(FieldReader(field), scan.census->gone.emplace());
}

Status read_entry(const ordered_json& item, std::string& problem, StageScan& scan) {
  FieldReader field(item, "scan.", problem);
  std::string chunker;
  std::string part;
  field("chunker", chunker, Need::kRequired);
  field("part", part, Need::kRequired);
  if (!problem.empty()) return ok();
  if (chunker == kCensus) return read_census_entry(item, part, problem, scan), ok();
  const auto spec = parse_chunker(chunker);
  if (!spec) return damaged("key 'scan.chunker': " + spec.error().detail);
  ChunkRow& row = scan.rows.emplace_back(ChunkRow{*spec, {.name = part}});
  field("align", row.chunker.align);
  figure_fields(field, row.figures);
  if (item.contains("low")) interval_fields(field, row.figures.sampled.emplace());
  return read_objects(item, "histogram", [&](const ordered_json& inner, std::string& inner_problem) {
    histogram_fields(FieldReader(inner, "scan.histogram.", inner_problem),
                     row.figures.histogram.emplace_back());
    return ok();
  });
}

}  // namespace

std::optional<double> ChunkFigures::residual() const {
  if (bytes == 0) return std::nullopt;
  return 1.0 - static_cast<double>(unique_bytes) / static_cast<double>(bytes);
}

std::optional<double> CensusFigures::share_located() const {
  if (expected_bytes == 0) return std::nullopt;
  return static_cast<double>(located_bytes) / static_cast<double>(expected_bytes);
}

void add_chunk_figures(ordered_json& object, const ChunkFigures& figures) {
  figure_fields(FieldWriter(object), figures);
  if (const auto residual = figures.residual()) object["residual"] = *residual;
  object["exact"] = !figures.sampled.has_value();
  if (figures.sampled) interval_fields(FieldWriter(object), *figures.sampled);
  ordered_json rows = ordered_json::array();
  for (const HistogramRow& row : figures.histogram)
    histogram_fields(FieldWriter(rows.emplace_back(ordered_json::object())), row);
  object["histogram"] = std::move(rows);
}

ordered_json census_json(const CensusFigures& census) {
  ordered_json object{{"chunker", kCensus}};
  census_fields(FieldWriter(object), census);
  if (const auto share = census.share_located()) object["share_located"] = *share;
  if (census.gone) gone_fields(FieldWriter(object), *census.gone);
  return object;
}

ordered_json census_part_json(const CensusPart& part) {
  ordered_json object = ordered_json::object();
  part_fields(FieldWriter(object), part);
  return object;
}

ordered_json notes_json(const std::vector<PathNote>& notes) {
  ordered_json all = ordered_json::array();
  for (const PathNote& note : notes) {
    FieldWriter field(all.emplace_back(ordered_json::object()));
    note_fields(field, note);
    // JSON holds text alone, and a file's name may be any bytes.
    if (to_valid_utf8(note.path) != note.path) field("path_hex", to_hex(std::as_bytes(std::span(note.path))));
  }
  return all;
}

Status read_notes(const ordered_json& in, const char* key, std::vector<PathNote>& notes) {
  return read_objects(in, key, [&](const ordered_json& item, std::string& problem) -> Status {
    PathNote& note = notes.emplace_back();
    FieldReader field(item, std::string(key) + ".", problem);
    note_fields(field, note);
    std::optional<std::string> bytes;
    field("path_hex", bytes);
    if (!bytes) return ok();
    const auto path = from_hex(*bytes);
    if (!path) return damaged(fmt::format("key '{}.path_hex' must be pairs of hexadecimal digits", key));
    note.path = *path;
    return ok();
  });
}

void write_scan(ordered_json& out, const StageScan& scan) {
  if (!scan.missing.empty()) {
    FieldWriter{out}("scan_missing", scan.missing);
    return;
  }
  ordered_json entries = ordered_json::array();
  for (const ChunkRow& row : scan.rows) {
    ordered_json entry{{"chunker", chunker_name(row.chunker)}};
    FieldWriter{entry}("part", row.figures.name);
    entry["align"] = row.chunker.align;
    add_chunk_figures(entry, row.figures);
    entries.push_back(std::move(entry));
  }
  if (scan.census) {
    ordered_json entry = census_json(*scan.census);
    entry["part"] = kAll;
    entries.push_back(std::move(entry));
    for (const CensusPart& part : scan.census->parts) {
      ordered_json inner{{"chunker", kCensus}};
      part_fields(FieldWriter(inner), part);
      entries.push_back(std::move(inner));
    }
  }
  out["scan"] = std::move(entries);
  out["scan_seconds"] = scan.seconds;
  out["scan_spilled_bytes"] = scan.spilled_bytes;
  out["scan_left_out"] = notes_json(scan.left_out);
  out["scan_incomplete"] = notes_json(scan.incomplete);
}

Status read_scan(const ordered_json& in, std::optional<StageScan>& scan) {
  if (!in.contains("scan") && !in.contains("scan_missing")) return ok();
  StageScan read;
  std::string problem;
  FieldReader field(in, "", problem);
  field("scan_missing", read.missing);
  field("scan_seconds", read.seconds);
  field("scan_spilled_bytes", read.spilled_bytes);
  if (!problem.empty()) return damaged(problem);
  LAB_TRY(read_notes(in, "scan_left_out", read.left_out));
  LAB_TRY(read_notes(in, "scan_incomplete", read.incomplete));
  LAB_TRY(read_objects(in, "scan", [&](const ordered_json& item, std::string& wrong) {
    return read_entry(item, wrong, read);
  }));
  scan = std::move(read);
  return ok();
}

}  // namespace lab
