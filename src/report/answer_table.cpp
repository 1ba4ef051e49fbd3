// The answer on one screen: a heading a system, a line a matrix point, and below it what the reader must
// know. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/text.hpp"
#include "report/figures.hpp"
#include "report/outputs.hpp"
#include "report/pairs.hpp"
#include "report/terminal_text.hpp"

namespace lab::report {
namespace {

constexpr std::size_t kNarrowestText = 8;    // A name is not shortened below this.
constexpr std::size_t kNarrowestTable = 40;  // A smaller terminal gets a table of this width.
constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;

struct Column {
  std::string title{};
  bool is_text = true;  // Left-aligned and may be shortened; numbers are neither.
  int drop_order = 0;   // When the table is too wide the highest goes first; 0 never goes.
  std::size_t width = 0;
};

struct Line {
  std::string heading{};  // Of its system.
  std::vector<std::string> fields{};
};

std::string decimals(double value, int digits) {
  std::string text = fmt::format("{:.{}f}", value, digits);
  // A tiny negative number is zero at this precision, and zero has no sign.
  if (text.find_first_of("123456789") == std::string::npos && text.starts_with('-')) text.erase(0, 1);
  return text;
}

/// Three significant digits without an exponent.
std::string ratio_text(double value) {
  if (value >= 99.95) return decimals(value, 0);
  if (value >= 9.995) return decimals(value, 1);
  return value >= 0.9995 ? decimals(value, 2) : decimals(value, 3);
}

std::string eta_text(const Verdict& verdict) { return verdict.eta ? decimals(*verdict.eta, 3) : "-"; }

std::string interval_text(const Verdict& verdict) {
  if (!verdict.low || !verdict.high) return "-";
  return fmt::format("[{}, {}]", decimals(*verdict.low, 3), decimals(*verdict.high, 3));
}

std::string verdict_text(const Verdict& verdict) {
  if (verdict.word == VerdictWord::kSemantic && verdict.removed && verdict.of)
    return fmt::format("semantic ({} of {})", *verdict.removed, *verdict.of);
  return std::string(to_string(verdict.word));
}

/// bulk_insert, or the first inserting stage of a plan that has none.
std::string headline_stage(const std::vector<Group>& groups) {
  std::string first;
  for (const Group& group : groups) {
    if (group.control) continue;
    if (group.stage == to_string(StageKind::kBulkInsert)) return group.stage;
    const auto kind = parse_stage_kind(group.stage);
    if (first.empty() && kind && is_insert(*kind)) first = group.stage;
  }
  return first;
}

/// Index of a name among those seen so far; a new one is the next.
std::size_t place_in(std::vector<std::string>& seen, const std::string& name) {
  const auto found = std::find(seen.begin(), seen.end(), name);
  const auto place = static_cast<std::size_t>(found - seen.begin());
  if (found == seen.end()) seen.push_back(name);
  return place;
}

/// Groups of that stage in their first chain; controls that the plan does not name are left out.
std::vector<const Group*> headline_groups(const std::vector<Group>& groups, const std::string& stage) {
  constexpr std::array<std::string_view, 8> kPlace{"object_size", "duplicate_unit", "total", "objects",
                                                   "order",       "placement",      "mode",  "cache"};
  std::vector<const Group*> chosen;
  std::set<std::string> seen;
  for (const Group& group : groups)
    if (!group.control && group.stage == stage && seen.insert(point_name(group, kPlace)).second)
      chosen.push_back(&group);
  // Work is shuffled; a reader looks for systems and names in the order of their appearance, for grades in
  // theirs.
  std::vector<std::string> seen_systems;
  std::vector<std::string> seen_names;
  std::vector<std::pair<std::array<std::size_t, 3>, const Group*>> keyed;
  for (const Group* group : chosen) {
    std::string name = fmt::format("{}/{}/{}", group->system, group->variant, group->payload);
    for (const auto dimension : kPlace) name += "/" + dimension_value(*group, dimension);
    const std::size_t system = place_in(seen_systems, group->system);
    const std::size_t place = place_in(seen_names, name);
    keyed.push_back({{system, place, static_cast<std::size_t>(grade_of(*group))}, group});
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::transform(keyed.begin(), keyed.end(), chosen.begin(), [](const auto& entry) { return entry.second; });
  return chosen;
}

std::string paragraph(std::string_view text, std::size_t width, std::size_t indent = kIndent) {
  return fmt::format("{}\n", fmt::join(wrap(to_valid_utf8(text), width, indent), "\n"));
}

/// Which duplicates the grades, and so eta, are about, where these are not whole objects.
std::string units_text(const std::vector<const Group*>& groups, std::size_t width) {
  std::set<std::string> units;
  for (const Group* group : groups) units.insert(group->duplicate_unit);
  units.erase("object");
  std::string text;
  for (const std::string& name : units) {
    const auto unit = parse_duplicate_unit(name);
    text += paragraph(
        fmt::format(
            "duplicate unit {}: {}", name,
            unit && unit->is_changed()
                ? "no object equals another, so that d is 0; eta is of the bytes that copies share with "
                  "their original"
                : "grades, d and eta are shares of it, not of whole objects"),
        width);
  }
  return text;
}

std::string heading_of(const Group& group) {
  return group.server.empty() ? group.system : fmt::format("{} ({})", group.system, group.server);
}

Line line_of(const Group& group, const std::vector<std::string_view>& dimensions) {
  Line line{.heading = to_valid_utf8(heading_of(group))};
  line.fields = {to_valid_utf8(group.variant), to_valid_utf8(group.payload)};
  for (const auto dimension : dimensions)
    line.fields.push_back(to_valid_utf8(dimension_value(group, dimension)));
  const std::string probe(kHeadlineProbe);
  const auto edr = group.edr.find(probe);
  const auto verdict = group.verdicts.find(probe);
  const bool judged = verdict != group.verdicts.end();
  line.fields.push_back(group.grade);
  line.fields.push_back(group.edr_max > 0 ? ratio_text(group.edr_max) : "-");
  line.fields.push_back(edr == group.edr.end() ? "-" : ratio_text(edr->second.mean));
  line.fields.push_back(judged ? eta_text(verdict->second) : "-");
  line.fields.push_back(judged ? interval_text(verdict->second) : "-");
  line.fields.push_back(judged ? fmt::format("{}", verdict->second.n) : fmt::format("{}", group.valid_rows));
  line.fields.push_back(judged ? verdict_text(verdict->second) : "-");
  return line;
}

std::vector<Column> columns_for(const std::vector<std::string_view>& dimensions) {
  std::vector<Column> columns{{.title = "variant"}, {.title = "payload"}};
  for (const auto dimension : dimensions) columns.push_back({.title = std::string(dimension)});
  columns.push_back({.title = "grade"});
  columns.push_back({.title = "EDR max", .is_text = false, .drop_order = 4});
  columns.push_back({.title = "EDR", .is_text = false, .drop_order = 2});
  columns.push_back({.title = "eta", .is_text = false});
  columns.push_back({.title = "95 % interval", .is_text = false, .drop_order = 1});
  columns.push_back({.title = "n", .is_text = false, .drop_order = 3});
  columns.push_back({.title = "verdict"});
  return columns;
}

std::size_t total_width(const std::vector<Column>& columns) {
  std::size_t total = kIndent + kGap * (columns.size() - 1);
  for (const Column& column : columns) total += column.width;
  return total;
}

/// Takes away a whole column, the least needed one first. False when only what must stay is left.
bool drop_column(std::vector<Column>& columns, std::vector<Line>& lines) {
  const auto next = std::max_element(columns.begin(), columns.end(), [](const Column& a, const Column& b) {
    return a.drop_order < b.drop_order;
  });
  if (next->drop_order == 0) return false;
  const auto place = next - columns.begin();
  for (Line& line : lines) line.fields.erase(line.fields.begin() + place);
  columns.erase(next);
  return true;
}

/// Shortens the widest text column by one. False when all are at their narrowest.
bool shrink_text(std::vector<Column>& columns) {
  Column* widest = nullptr;
  for (Column& column : columns)
    if (column.is_text && column.width > kNarrowestText && column.title != "verdict" &&
        (widest == nullptr || column.width > widest->width))
      widest = &column;
  if (widest == nullptr) return false;
  widest->width -= 1;
  return true;
}

void set_natural_widths(std::vector<Column>& columns, const std::vector<Line>& lines) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].width = display_width(columns[i].title);
    for (const Line& line : lines)
      columns[i].width = std::max(columns[i].width, display_width(line.fields[i]));
  }
}

/// First names become shorter; when that is not enough a column goes and the names get their room back.
void fit(std::vector<Column>& columns, std::vector<Line>& lines, std::size_t width) {
  set_natural_widths(columns, lines);
  while (total_width(columns) > width) {
    if (shrink_text(columns)) continue;
    if (!drop_column(columns, lines)) break;
    set_natural_widths(columns, lines);
  }
  while (total_width(columns) > width) {  // A terminal too small even for that: the last means.
    const auto widest = std::max_element(columns.begin(), columns.end(),
                                         [](const Column& a, const Column& b) { return a.width < b.width; });
    widest->width -= 1;
  }
}

std::string table_row(const std::vector<Column>& columns, const std::vector<std::string>& fields) {
  std::string row(kIndent, ' ');
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string field = shorten_middle(fields[i], columns[i].width);
    if (i > 0) row += std::string(kGap, ' ');
    row += columns[i].is_text ? pad_right(field, columns[i].width) : pad_left(field, columns[i].width);
  }
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

std::string table_text(const std::vector<const Group*>& groups, std::size_t width) {
  auto dimensions = varying_dimensions(groups);
  std::vector<Line> lines;
  for (const Group* group : groups) lines.push_back(line_of(*group, dimensions));
  std::vector<Column> columns = columns_for(dimensions);
  fit(columns, lines, width);
  std::vector<std::string> titles;
  for (const Column& column : columns) titles.push_back(column.title);
  std::string text = table_row(columns, titles);
  std::string heading;
  for (const Line& line : lines) {
    if (line.heading != heading) text += paragraph(line.heading, width);
    heading = line.heading;
    text += table_row(columns, line.fields);
  }
  return text;
}

std::string controls_text(const Analysis& analysis, std::size_t width) {
  if (analysis.controls.empty()) return "";
  std::string text = "controls\n";
  for (const ControlOutcome& control : analysis.controls) {
    const auto eta = [](const std::optional<double>& value) {
      return value ? decimals(*value, 4) : "missing";
    };
    std::string line =
        fmt::format("  {} {} on {}: {}; eta of files {}, of cas {}, {} pairs", control.payload, control.grade,
                    control.probe, control.passed ? "passed" : "FAILED, verdicts withheld",
                    eta(control.eta_files), eta(control.eta_cas), control.pairs);
    if (!control.passed) line += "; " + control.reason;
    text += paragraph(line, width, 2 * kIndent);
  }
  return text;
}

/// The first few paragraphs, and how many more stand in the report.
std::string first_few(const std::vector<std::string>& paragraphs) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t index = 0; index < std::min(kShown, paragraphs.size()); ++index) text += paragraphs[index];
  if (paragraphs.size() > kShown)
    text += fmt::format("  and {} more, in the report\n", paragraphs.size() - kShown);
  return text;
}

/// From rung to rung at the highest grade of each point, and where duplicates vanish.
std::string ladders_text(const std::vector<const Group*>& groups, std::size_t width) {
  std::vector<std::string> lines;
  const auto dimensions = varying_dimensions(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    // Groups of one point stand together, by grade: the last one is the highest.
    const bool last =
        i + 1 == groups.size() || point_without_grade(*groups[i + 1]) != point_without_grade(*groups[i]);
    if (last && groups[i]->ladder)
      lines.push_back(
          paragraph(fmt::format("  {}: {}", point_name(*groups[i], dimensions), describe(*groups[i]->ladder)),
                    width, 2 * kIndent));
  }
  return lines.empty() ? "" : "ladder\n" + first_few(lines);
}

/// Why a line of the table has no clear word.
std::string reasons_text(const std::vector<const Group*>& groups, std::size_t width) {
  std::vector<std::string> lines;
  const auto dimensions = varying_dimensions(groups);
  for (const Group* group : groups) {
    const auto verdict = group->verdicts.find(std::string(kHeadlineProbe));
    if (verdict == group->verdicts.end()) continue;
    const VerdictWord word = verdict->second.word;
    // Withheld is explained by its control.
    if (word != VerdictWord::kInconclusive && word != VerdictWord::kTooFewRepetitions) continue;
    lines.push_back(paragraph(fmt::format("  {}: {}", point_name(*group, dimensions), verdict->second.reason),
                              width, 2 * kIndent));
  }
  return lines.empty() ? "" : "no verdict\n" + first_few(lines);
}

std::string counts_text(const Analysis& analysis, std::size_t width) {
  std::string text =
      paragraph(fmt::format("records: {} valid, {} invalid, {} superseded, {} unsupported", analysis.valid,
                            analysis.invalid, analysis.superseded, analysis.unsupported),
                width);
  for (const auto& [reason, count] : analysis.invalid_reasons)
    text += paragraph(fmt::format("  {} invalid: {}", count, reason), width, 2 * kIndent);
  return text;
}

std::string warnings_text(const Analysis& analysis, std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string& warning : analysis.warnings)
    lines.push_back(paragraph("warning: " + warning, width, kIndent));
  return first_few(lines);
}

}  // namespace

std::string answer_table(const Analysis& analysis, std::size_t width) {
  const std::size_t room = std::max(width, kNarrowestTable);
  const std::string stage = headline_stage(analysis.groups);
  const auto groups = headline_groups(analysis.groups, stage);
  std::string text;
  if (groups.empty())
    text = "no record of a stage that inserts\n";
  else
    text = fmt::format("{}, probe {}\n", stage, kHeadlineProbe) + units_text(groups, room) +
           table_text(groups, room);
  return text + ladders_text(groups, room) + controls_text(analysis, room) + reasons_text(groups, room) +
         counts_text(analysis, room) + warnings_text(analysis, room);
}

}  // namespace lab::report
