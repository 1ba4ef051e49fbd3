// SPDX-License-Identifier: Apache-2.0
#include "payload/real_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/hash.hpp"
#include "core/process.hpp"
#include "core/text.hpp"
#include "payload/bank_table.hpp"
#include "payload/numeric_table.hpp"
#include "payload/sqlite_values.hpp"

namespace lab {
namespace {

constexpr Bytes kWholeMax{1LL << 30};          // Of a file that has to be in memory as a whole.
constexpr Bytes kSpreadsheetMax{256LL << 20};  // Of a spreadsheet, and of the table that is made of it.
constexpr Bytes kSpreadsheetExpandedMax{2LL << 30};
constexpr Millis kSpreadsheetLimit{600'000};

/// "csv" of "a.CSV".
std::string ending_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  std::string ending(dot == std::string_view::npos ? "" : name.substr(dot + 1));
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return ending;
}

bool is_one_of(std::string_view name, std::span<const std::string_view> endings) {
  return std::ranges::find(endings, ending_of(name)) != endings.end();
}

constexpr std::array<std::string_view, 3> kSqlite = {"db", "sqlite", "sqlite3"};
constexpr std::array<std::string_view, 3> kBank = {"csv", "tsv", "xlsx"};
constexpr std::array<std::string_view, 13> kText = {
    "txt", "text", "md", "html", "htm", "xml", "log", "json", "jsonl", "ndjson", "db", "sqlite", "sqlite3"};
constexpr std::array<std::string_view, 9> kNumeric = {"csv",  "tsv", "txt",    "dat",    "data",
                                                      "xlsx", "db",  "sqlite", "sqlite3"};

constexpr std::array<std::string_view, 7> kPictures = {"jpg", "jpeg", "png", "tif", "tiff", "gif", "webp"};
constexpr std::array<std::string_view, 7> kVideos = {"mp4", "m4v", "mov", "mkv", "webm", "avi", "ogv"};
constexpr std::array<std::string_view, 4> kBooks = {"txt", "text", "html", "htm"};
constexpr std::array<std::string_view, 3> kEvents = {"json", "jsonl", "ndjson"};

Result<std::string> whole(const SourceFile& file, Bytes limit) {
  if (file.size > limit)
    return Error{ErrorCode::kResourceExhausted, "payload.real_world",
                 fmt::format("{}: {} are more than the {} that are read of such a file", file.label,
                             format_bytes_exact(file.size), format_bytes_exact(limit))};
  std::string bytes;
  LAB_TRY(file.read([&bytes](std::span<const std::byte> piece) {
    bytes += as_text(piece);
    return ok();
  }));
  return bytes;
}

/// A program of its own: a forged spreadsheet is its trouble, and ends with it.
Result<std::string> table_of_spreadsheet(const SourceFile& file) {
  constexpr const char* kOperation = "payload.spreadsheet";
  const auto program = find_program("xlsx2csv");
  if (!program)
    return Error{
        ErrorCode::kUnsupported, kOperation,
        fmt::format("{}: xlsx2csv, which reads spreadsheets, is not installed (Debian: apt-get install "
                    "xlsx2csv)",
                    file.label)};
  auto bytes = whole(file, kSpreadsheetMax);
  if (!bytes) return bytes;
  // A spreadsheet is a zip file: what it expands to is known before another program tries.
  ExpansionBudget budget{.limit = kSpreadsheetExpandedMax};
  const ArchiveReader look{.begin = [](const std::string&) { return Result<bool>(true); },
                           .bytes = [](std::span<const std::byte>) { return ok(); }};
  if (const auto zip = read_zip(file.label, *bytes, budget, look); !zip) return zip.error();
  Command command{
      .argv = {program->string(), "--all", "--sheetdelimiter", "", "--dateformat", "%Y-%m-%d", "/dev/stdin"},
      .environment = {"LC_ALL=C.UTF-8"},
      .input = std::move(*bytes)};
  auto ended =
      run_command(within({}, kSpreadsheetLimit), command, {.output = kSpreadsheetMax, .errors_apart = true});
  if (!ended) return Error{ended.error().code, kOperation, file.label + ": " + ended.error().detail};
  // It says what is wrong in its first line; but of an exception that is the last one.
  const auto lines = split(trim(ended->errors), '\n');
  const bool thrown = lines.front().starts_with("Traceback");
  const std::string said(trim(thrown ? lines.back() : lines.front()));
  if (ended->exit_code != 0 || !said.empty())
    return Error{ErrorCode::kCorruption, kOperation,
                 fmt::format("{}: xlsx2csv ended with exit code {}: {}", file.label, ended->exit_code, said)};
  if (ended->cut)
    return Error{
        ErrorCode::kResourceExhausted, kOperation,
        fmt::format("{}: its table is larger than {}", file.label, format_bytes_exact(kSpreadsheetMax))};
  return std::move(ended->output);
}

/// The bytes of a file, or of a spreadsheet its table, into what reads tables.
template <class Table>
Status read_table(const SourceFile& file, Table table) {
  if (ending_of(file.content) == "xlsx") {
    const auto text = table_of_spreadsheet(file);
    if (!text) return text.error();
    LAB_TRY(table.take(*text));
  } else {
    LAB_TRY(file.read([&table](std::span<const std::byte> piece) { return table.take(as_text(piece)); }));
  }
  return table.finish();
}

Status as_it_is(const SourceFile& file, const TextSink& sink) {
  return file.read([&sink](std::span<const std::byte> piece) { return sink(as_text(piece)); });
}

Status convert_sqlite(const SourceFile& file, SqliteValues values, const TextSink& sink) {
  const auto image = whole(file, kWholeMax);
  if (!image) return image.error();
  return read_sqlite(file.label, *image, values, sink);
}

Status convert_bank(const SourceFile& file, const TextSink& sink) {
  const bool spreadsheet = ending_of(file.content) == "xlsx";
  return read_table(file, BankTable(file.label, spreadsheet, sink));
}

Status convert_text(const SourceFile& file, const TextSink& sink) {
  if (is_one_of(file.content, kSqlite)) return convert_sqlite(file, SqliteValues::kText, sink);
  return as_it_is(file, sink);
}

Status convert_numeric(const SourceFile& file, const TextSink& sink) {
  if (is_one_of(file.content, kSqlite)) return convert_sqlite(file, SqliteValues::kNumbers, sink);
  return read_table(file, NumericTable(file.label, sink));
}

Status bank_records(const SourceFile& file, const TextSink& sink) {
  const bool spreadsheet = ending_of(file.content) == "xlsx";
  return read_table(file, BankTable(file.label, spreadsheet, sink, BankForm::kRecord));
}

/// Columns of text take no other bytes.
Status text_record(const SourceFile& file, std::string text, const TextSink& sink) {
  const std::string utf8 = as_utf8(std::move(text));
  if (utf8.find('\0') == std::string::npos) return sink(utf8);
  return Error{ErrorCode::kCorruption, "payload.text",
               file.label + ": a zero byte, which stands in no record of text"};
}

/// Each line, without its end.
Status line_records(const SourceFile& file, const TextSink& sink) {
  std::string line;
  const auto end_line = [&] {
    if (line.ends_with('\r')) line.pop_back();
    return text_record(file, std::exchange(line, {}), sink);
  };
  Status read = file.read([&](std::span<const std::byte> piece) -> Status {
    std::string_view left = as_text(piece);
    for (std::size_t end = left.find('\n'); end != std::string_view::npos; end = left.find('\n')) {
      line += left.substr(0, end);
      left.remove_prefix(end + 1);
      LAB_TRY(end_line());
    }
    line += left;
    if (Bytes{std::ssize(line)} <= kWholeMax) return ok();
    return Error{ErrorCode::kResourceExhausted, "payload.text",
                 fmt::format("{}: a line of more than {}", file.label, format_bytes_exact(kWholeMax))};
  });
  if (!read || line.empty()) return read;
  return end_line();
}

Status text_records(const SourceFile& file, const TextSink& sink) {
  constexpr std::array<std::string_view, 2> kLines = {"jsonl", "ndjson"};
  if (is_one_of(file.content, kSqlite))
    return convert_sqlite(file, SqliteValues::kText, [&](std::string_view value) {
      return text_record(file, std::string(value.substr(0, value.size() - 1)), sink);  // Without the newline.
    });
  if (is_one_of(file.content, kLines)) return line_records(file, sink);
  auto text = whole(file, kWholeMax);
  if (!text) return text.error();
  return text_record(file, *std::move(text), sink);
}

Status numeric_records(const SourceFile& file, const TextSink& sink) {
  if (is_one_of(file.content, kSqlite)) return convert_sqlite(file, SqliteValues::kNumberRows, sink);
  return read_table(file, NumericTable(file.label, sink));  // It gives row by row.
}

constexpr std::array<RealKind, 7> kRealKinds = {{
    {"bank_transactions", "account statements below real_world_dir, as rows of one form",
     "text/csv; charset=utf-8", kBank, &convert_bank, false, &bank_records,
     "text/tab-separated-values; charset=utf-8"},
    {"text_corpus", "texts below real_world_dir", "text/plain; charset=utf-8", kText, &convert_text, false,
     &text_records, "text/plain; charset=utf-8"},
    {"numeric_dataset", "numbers of tables below real_world_dir, 8 bytes each", "application/octet-stream",
     kNumeric, &convert_numeric, false, &numeric_records, "application/octet-stream"},
    {"nasa_image", "downloaded pictures", "application/octet-stream", kPictures, &as_it_is, true},
    {"blender_video", "downloaded videos", "application/octet-stream", kVideos, &as_it_is, true},
    {"gutenberg_text", "downloaded books", "text/plain; charset=utf-8", kBooks, &as_it_is, true},
    {"github_events", "downloaded event records", "text/plain; charset=utf-8", kEvents, &as_it_is, true},
}};

}  // namespace

std::span<const RealKind> real_kinds() { return kRealKinds; }

bool is_read(const RealKind& kind, std::string_view content) { return is_one_of(content, kind.endings); }

std::string kinds_of_records() {
  std::vector<std::string> names;
  for (const RealKind& kind : kRealKinds)
    if (kind.records != nullptr) names.emplace_back(kind.name);
  return join(names, ", ");
}

const RealKind* find_real_kind(std::string_view name) {
  const auto* const found = std::ranges::find(kRealKinds, name, &RealKind::name);
  return found == kRealKinds.end() ? nullptr : found;
}

}  // namespace lab
