// Quoting, and the rename that makes a file appear whole.
// SPDX-License-Identifier: Apache-2.0
#include "report/csv.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <utility>

#include "core/text.hpp"

namespace lab::report {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr unsigned kReadableByOthers = 0644;  // Results are there to be shown; the umask still applies.

std::string rfc4180(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string all = "\"";
  for (const char letter : text) {
    if (letter == '"') all += '"';
    all += letter;
  }
  return all + "\"";
}

}  // namespace

Result<StreamedFile> StreamedFile::create(const std::filesystem::path& path) {
  StreamedFile file;
  file.path_ = path;
  file.temporary_ = path.parent_path() / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
  auto handle = open_file(file.temporary_, O_WRONLY | O_CREAT | O_TRUNC, kReadableByOthers);
  if (!handle) return std::move(handle).error();
  file.file_ = std::move(*handle);
  file.open_ = true;
  return file;
}

StreamedFile::StreamedFile(StreamedFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      file_(std::move(other.file_)),
      buffer_(std::move(other.buffer_)),
      open_(std::exchange(other.open_, false)) {}

StreamedFile::~StreamedFile() {
  if (open_) ::unlink(temporary_.c_str());
}

Status StreamedFile::write(std::string_view text) {
  buffer_ += text;
  return buffer_.size() < kBufferBytes ? ok() : flush();
}

Status StreamedFile::flush() {
  LAB_TRY(write_all(file_, buffer_, path_));
  buffer_.clear();
  return ok();
}

Status StreamedFile::commit() {
  LAB_TRY(flush());
  if (::fsync(file_.get()) != 0) return errno_error("fsync", path_.string(), errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return errno_error("rename", path_.string(), errno);
  open_ = false;
  return sync_directory(path_.has_parent_path() ? path_.parent_path() : std::filesystem::path("."));
}

void CsvRow::separate() {
  if (!first_) row_ += ',';
  first_ = false;
}

CsvRow& CsvRow::text(std::string_view value) {
  separate();
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  const bool formula = !value.empty() && kFormulaStarts.find(value.front()) != std::string_view::npos;
  row_ += rfc4180((formula ? "'" : "") + to_valid_utf8(value));
  return *this;
}

CsvRow& CsvRow::number(std::optional<double> value) {
  separate();
  if (value) row_ += number_text(*value).value_or("");
  return *this;
}

CsvRow& CsvRow::number(std::optional<std::int64_t> value) {
  separate();
  if (value) row_ += fmt::format("{}", *value);
  return *this;
}

CsvRow& CsvRow::number(std::optional<std::uint64_t> value) {
  separate();
  if (value) row_ += fmt::format("{}", *value);
  return *this;
}

CsvRow& CsvRow::raw(std::string_view number) {
  separate();
  row_ += number;
  return *this;
}

CsvRow& CsvRow::flag(bool value) {
  separate();
  row_ += value ? "true" : "false";
  return *this;
}

CsvRow& CsvRow::blank() {
  separate();
  return *this;
}

std::string CsvRow::take() {
  first_ = true;
  return std::exchange(row_, {}) + "\n";
}

std::string csv_header(std::span<const std::string> columns) { return join(columns, ",") + "\n"; }

std::optional<std::string> number_text(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return fmt::format("{}", value);
}

}  // namespace lab::report
