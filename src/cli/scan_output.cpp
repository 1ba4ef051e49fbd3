// SPDX-License-Identifier: Apache-2.0
#include "cli/scan_output.hpp"

#include <fmt/format.h>

#include "cli/census_output.hpp"
#include "core/text.hpp"

namespace lab::cli {
namespace {

using nlohmann::ordered_json;
using scan::ChunkerReport;
using scan::ChunkFigures;

ordered_json notes_json(const std::vector<scan::PathNote>& notes) {
  ordered_json all = ordered_json::array();
  for (const scan::PathNote& note : notes)
    all.push_back({{"path", to_valid_utf8(note.path)}, {"reason", to_valid_utf8(note.reason)}});
  return all;
}

ordered_json histogram_json(const ChunkFigures& figures) {
  ordered_json rows = ordered_json::array();
  for (const scan::HistogramRow& row : figures.histogram)
    rows.push_back({{"copies_from", row.copies_from},
                    {"copies_to", row.copies_to},
                    {"distinct", row.distinct},
                    {"chunks", row.chunks},
                    {"bytes", row.bytes}});
  return rows;
}

/// The figures that stand for all files and for each class.
void add_figures(ordered_json& object, const ChunkFigures& figures) {
  object["files"] = figures.files;
  object["bytes"] = figures.bytes;
  object["chunks"] = figures.chunks;
  object["unique_chunks"] = figures.unique_chunks;
  object["unique_bytes"] = figures.unique_bytes;
  object["zero_bytes"] = figures.zero_bytes;
  if (const auto residual = figures.residual()) object["residual"] = *residual;
  object["exact"] = !figures.sampled.has_value();
  if (figures.sampled) {
    object["low"] = figures.sampled->low;
    object["high"] = figures.sampled->high;
  }
}

void add_more(ordered_json& object, const ChunkFigures& figures) {
  object["zero_chunks"] = figures.zero_chunks;
  object["hole_bytes"] = figures.hole_bytes;
  object["histogram"] = histogram_json(figures);
}

std::string percent(double part, double whole) { return fmt::format("{:.2f} %", 100.0 * part / whole); }

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return percent(static_cast<double>(part), static_cast<double>(whole));
}

std::string eye_bytes(std::uint64_t bytes) { return format_bytes(Bytes{static_cast<std::int64_t>(bytes)}); }

std::string redundant(const ChunkFigures& figures) {
  const auto residual = figures.residual();
  if (!residual) return "";
  std::string text = percent(*residual, 1);
  if (figures.sampled)
    text += fmt::format(" ({:.2f} .. {:.2f})", 100 * figures.sampled->low, 100 * figures.sampled->high);
  return text;
}

/// The share of the bytes whose chunk occurs nowhere else.
std::string once(const ChunkFigures& figures) {
  std::uint64_t bytes = 0;
  for (const scan::HistogramRow& row : figures.histogram)
    if (row.copies_to == 1) bytes = row.bytes;
  return percent(bytes, figures.bytes);
}

}  // namespace

ordered_json scan_json(const scan::ScanRequest& request, const scan::ScanReport& report) {
  ordered_json all = ordered_json::array();
  for (const ChunkerReport& chunker : report.chunkers) {
    ordered_json object{{"chunker", scan::chunker_name(chunker.spec)}};
    add_figures(object, chunker.all);
    object["seconds"] = report.seconds;
    object["align"] = chunker.spec.align;
    object["fingerprint"] = scan::to_string(request.fingerprint);
    add_more(object, chunker.all);
    object["spilled_bytes"] = chunker.spilled_bytes;
    object["left_out"] = notes_json(report.left_out);
    object["incomplete"] = notes_json(report.incomplete);
    all.push_back(std::move(object));
  }
  if (report.census) {
    ordered_json census = census_json(*report.census);
    census["seconds"] = report.seconds;
    all.push_back(std::move(census));
  }
  return all;
}

std::string scan_table(const scan::ScanReport& report) {
  const ChunkFigures& first = report.chunkers.front().all;
  std::string text = fmt::format("{} files, {}, {} of it holes, in {:.2f} s\n\n", first.files,
                                 eye_bytes(first.bytes), eye_bytes(first.hole_bytes), report.seconds);
  bool aligned = false;
  for (const ChunkerReport& chunker : report.chunkers) aligned = aligned || chunker.spec.align > 0;
  const auto line = [&](const auto& name, const auto& align, const auto& chunks, const auto& unique,
                        const auto& bytes, const auto& zeros, const auto& alone, const auto& residual) {
    text += fmt::format("{:<14}", name);
    if (aligned) text += fmt::format(" {:>7}", align);
    text +=
        fmt::format(" {:>12} {:>12} {:>12} {:>9} {:>9}  {}\n", chunks, unique, bytes, zeros, alone, residual);
  };
  line("chunker", "align", "chunks", "unique", "unique bytes", "zeros", "once", "redundant");
  for (const ChunkerReport& chunker : report.chunkers) {
    const ChunkFigures& all = chunker.all;
    line(scan::chunker_name(chunker.spec), chunker.spec.align, all.chunks, all.unique_chunks,
         eye_bytes(all.unique_bytes), percent(all.zero_bytes, all.bytes), once(all), redundant(all));
  }
  return text;
}

}  // namespace lab::cli
