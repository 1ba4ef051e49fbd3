// SPDX-License-Identifier: Apache-2.0
#include "cli/scan_output.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/say.hpp"
#include "core/plain_text.hpp"
#include "core/text.hpp"
#include "model/scan_json.hpp"

namespace lab::cli {
namespace {

using nlohmann::ordered_json;
using scan::ChunkerReport;

constexpr std::size_t kNotesForTheEye = 20;  // Of each list; --json gives all.

void say_list(const char* what, const std::vector<PathNote>& notes) {
  if (notes.empty()) return;
  say("{} {}:\n", notes.size(), what);
  for (std::size_t i = 0; i < std::min(notes.size(), kNotesForTheEye); ++i)
    say("  {}: {}\n", without_controls(to_valid_utf8(notes[i].path)), notes[i].reason);
  if (notes.size() > kNotesForTheEye)
    say("  and {} more (--json names all)\n", notes.size() - kNotesForTheEye);
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
  for (const HistogramRow& row : figures.histogram)
    if (row.copies_to == 1) bytes = row.bytes;
  return percent(bytes, figures.bytes);
}

std::string comparison_text(const scan::ScanReport& report) {
  if (!report.chunkers.front().verified) return "";
  scan::Comparison sum;
  for (const ChunkerReport& chunker : report.chunkers) {
    sum.chunks += chunker.verified->chunks;
    sum.collisions += chunker.verified->collisions;
  }
  return fmt::format(
      "\nverified: {} chunks were compared byte by byte with one of the same fingerprint; {}\n", sum.chunks,
      sum.collisions == 0
          ? "all were equal"
          : fmt::format("{} distinct ones differed and are counted as their own", sum.collisions));
}

}  // namespace

ordered_json scan_json(const scan::ScanRequest& request, const scan::ScanReport& report) {
  ordered_json all = ordered_json::array();
  const bool classes = request.classes.size() > 1;
  const auto add = [&](const ChunkerReport& chunker, const ChunkFigures& figures) {
    ordered_json object{{"chunker", chunker_name(chunker.spec)}};
    if (classes) object["part"] = figures.name;
    add_chunk_figures(object, figures);
    object["seconds"] = report.seconds;
    object["align"] = chunker.spec.align;
    object["fingerprint"] = scan::to_string(request.fingerprint);
    object["spilled_bytes"] = chunker.spilled_bytes;
    if (chunker.verified) {
      object["verified"] = true;
      object["compared"] = chunker.verified->chunks;
      object["collisions"] = chunker.verified->collisions;
    }
    object["left_out"] = notes_json(report.left_out);
    object["incomplete"] = notes_json(report.incomplete);
    all.push_back(std::move(object));
  };
  for (const ChunkerReport& chunker : report.chunkers) {
    add(chunker, chunker.all);
    if (!classes) continue;
    for (const ChunkFigures& figures : chunker.classes) add(chunker, figures);
  }
  if (report.census) {
    const CensusFigures figures = report.census->figures(request.classes);
    ordered_json census = census_json(figures);
    census["seconds"] = report.seconds;
    for (const CensusPart& part : figures.parts) census["parts"].push_back(census_part_json(part));
    all.push_back(std::move(census));
  }
  return all;
}

void say_notes(const scan::ScanReport& report) {
  say_list("left out, not counted", report.left_out);
  say_list("changed or not read whole, counted as read", report.incomplete);
}

std::string scan_table(const scan::ScanReport& report) {
  const ChunkFigures& first = report.chunkers.front().all;
  std::string text = fmt::format("{} files, {}, {} of it holes, in {:.2f} s\n\n", first.files,
                                 eye_bytes(first.bytes), eye_bytes(first.hole_bytes), report.seconds);
  bool aligned = false;
  for (const ChunkerReport& chunker : report.chunkers) aligned = aligned || chunker.spec.align > 0;
  const bool classes = report.chunkers.front().classes.size() > 1;
  const auto line = [&](const auto& name, const auto& part, const auto& align, const auto& chunks,
                        const auto& unique, const auto& bytes, const auto& zeros, const auto& alone,
                        const auto& residual) {
    text += fmt::format("{:<14}", name);
    if (classes) text += fmt::format(" {:<12}", part);
    if (aligned) text += fmt::format(" {:>7}", align);
    text +=
        fmt::format(" {:>12} {:>12} {:>12} {:>9} {:>9}  {}\n", chunks, unique, bytes, zeros, alone, residual);
  };
  line("chunker", "files", "align", "chunks", "unique", "unique bytes", "zeros", "once", "redundant");
  for (const ChunkerReport& chunker : report.chunkers) {
    const auto add = [&](const ChunkFigures& figures) {
      if (figures.bytes == 0) return;  // No share of it can be told.
      line(chunker_name(chunker.spec), figures.name, chunker.spec.align, figures.chunks,
           figures.unique_chunks, eye_bytes(figures.unique_bytes), percent(figures.zero_bytes, figures.bytes),
           once(figures), redundant(figures));
    };
    add(chunker.all);
    if (!classes) continue;
    for (const ChunkFigures& figures : chunker.classes) add(figures);
  }
  return text + comparison_text(report);
}

}  // namespace lab::cli
