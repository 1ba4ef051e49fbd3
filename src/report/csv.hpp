// CSV that a spreadsheet, a database and a script read alike, written row by row into a file that appears
// whole. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/files.hpp"
#include "core/result.hpp"

namespace lab::report {

/// A file that is written piece by piece beside its place and takes it by rename, synced. Without commit
/// nothing stays behind. Errors carry the path.
class StreamedFile {
 public:
  static Result<StreamedFile> create(const std::filesystem::path& path);
  ~StreamedFile();
  StreamedFile(StreamedFile&& other) noexcept;
  StreamedFile& operator=(StreamedFile&&) = delete;

  Status write(std::string_view text);
  Status commit();

 private:
  StreamedFile() = default;
  Status flush();

  std::filesystem::path path_{};
  std::filesystem::path temporary_{};
  FileHandle file_{};
  std::string buffer_{};
  bool open_ = false;
};

/// One row: fields in the order of the columns. Fields are separated by commas, the row ends with a line
/// feed.
class CsvRow {
 public:
  /// Text that others chose (names, reasons, replies of a server). Quoted after RFC 4180 where it needs it. A
  /// spreadsheet runs a cell that starts with = + - @ tab or carriage return as a formula; such a text gets
  /// an apostrophe in front, so that it stays text. Bytes that are not UTF-8 become U+FFFD.
  CsvRow& text(std::string_view value);

  /// Numbers, never changed: a minus sign stays. Blank when absent or not finite.
  CsvRow& number(std::optional<double> value);
  CsvRow& number(std::optional<std::int64_t> value);
  CsvRow& number(std::optional<std::uint64_t> value);
  CsvRow& raw(std::string_view number);  // A number that is text already; blank when empty.
  CsvRow& flag(bool value);              // "true", "false"
  CsvRow& blank();

  /// The finished row; the object is empty afterwards.
  std::string take();

 private:
  void separate();
  std::string row_{};
  bool first_ = true;
};

/// The header row.
std::string csv_header(std::span<const std::string> columns);

/// The shortest decimal that reads back as the same number; nothing when it is not finite.
std::optional<std::string> number_text(double value);

}  // namespace lab::report
