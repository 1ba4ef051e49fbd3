// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/reply.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/text.hpp"

namespace lab::clickhouse {
namespace {

constexpr std::size_t kWordsMax = 600;  // Of an exception: some repeat the whole statement or a grammar.
constexpr std::string_view kCodeMark = "Code: ";

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '0':
      return '\0';
    default:
      return letter;  // A backslash, a quote.
  }
}

struct Meaning {
  ErrorCode code = ErrorCode::kInternal;
  bool retryable = false;
};

/// By the server's own numbers (its ErrorCodes.cpp), which never change.
Meaning meaning_of(int code) {
  switch (code) {
    case 60:  // UNKNOWN_TABLE
    case 81:  // UNKNOWN_DATABASE
      return {ErrorCode::kNotFound};
    case 164:  // READONLY
    case 192:  // UNKNOWN_USER
    case 193:  // WRONG_PASSWORD
    case 194:  // REQUIRED_PASSWORD
    case 195:  // IP_ADDRESS_NOT_ALLOWED
    case 291:  // DATABASE_ACCESS_DENIED
    case 497:  // ACCESS_DENIED
    case 516:  // AUTHENTICATION_FAILED
      return {ErrorCode::kRefused};
    case 236:  // ABORTED
    case 394:  // QUERY_WAS_CANCELLED, by somebody else: ours ends before its answer.
      return {ErrorCode::kRefused, true};
    case 173:  // CANNOT_ALLOCATE_MEMORY
    case 241:  // MEMORY_LIMIT_EXCEEDED
    case 243:  // NOT_ENOUGH_SPACE
      return {ErrorCode::kResourceExhausted};
    case 202:  // TOO_MANY_SIMULTANEOUS_QUERIES
    case 252:  // TOO_MANY_PARTS
      return {ErrorCode::kResourceExhausted, true};
    case 159:  // TIMEOUT_EXCEEDED
      return {ErrorCode::kTimeout};
    case 40:   // CHECKSUM_DOESNT_MATCH
    case 246:  // CORRUPTED_DATA
    case 271:  // CANNOT_DECOMPRESS
      return {ErrorCode::kCorruption};
    case 48:   // NOT_IMPLEMENTED
    case 344:  // SUPPORT_IS_DISABLED
      return {ErrorCode::kUnsupported};
    case 209:  // SOCKET_TIMEOUT
    case 210:  // NETWORK_ERROR
      return {ErrorCode::kIo, true};
    default:
      return {};
  }
}

}  // namespace

Rows parse_rows(std::string_view text) {
  Rows rows;
  std::vector<std::string> row(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (letter == '\t') {
      row.emplace_back();
    } else if (letter == '\n') {
      rows.push_back(std::move(row));
      row.assign(1, "");
    } else if (letter == '\\' && at + 1 < text.size()) {
      row.back() += unescaped(text[++at]);
    } else {
      row.back() += letter;
    }
  }
  if (row.size() > 1 || !row.back().empty()) rows.push_back(std::move(row));
  return rows;
}

std::optional<int> exception_code(std::string_view text) {
  const std::size_t mark = text.find(kCodeMark);
  if (mark == std::string_view::npos || text.find("DB::", mark) == std::string_view::npos)
    return std::nullopt;
  const std::string_view digits = text.substr(mark + kCodeMark.size());
  int code = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code);
  if (read.ec != std::errc{}) return std::nullopt;
  return code;
}

Error exception_error(std::string_view text, const char* operation) {
  const auto code = exception_code(text);
  if (!code)
    return {ErrorCode::kInternal, operation,
            fmt::format("an answer that is no exception of ClickHouse: {}",
                        to_valid_utf8(trim(text.substr(0, kWordsMax))))};
  const Meaning meaning = meaning_of(*code);
  std::string_view words = text.substr(text.find(kCodeMark));
  const std::size_t twice = words.find(", e.what() = ");  // Old servers add the exception's class at the end.
  if (twice != std::string_view::npos) words = words.substr(0, twice);
  const bool shortened = words.size() > kWordsMax;
  return {meaning.code, operation,
          to_valid_utf8(trim(words.substr(0, kWordsMax))) + (shortened ? " ..." : ""), meaning.retryable};
}

std::string literal(std::string_view text) {
  std::string made = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') made += '\\';
    made += letter;
  }
  return made + "'";
}

std::string identifier(std::string_view name) {
  std::string made = "`";
  for (const char letter : name) {
    if (letter == '`' || letter == '\\') made += '\\';
    made += letter;
  }
  return made + "`";
}

}  // namespace lab::clickhouse
