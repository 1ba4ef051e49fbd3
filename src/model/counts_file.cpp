// SPDX-License-Identifier: Apache-2.0
#include "model/counts_file.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr Bytes kCountsFileMax{1LL << 30};

}  // namespace

Result<CountsFile> load_counts(const std::filesystem::path& path) {
  std::error_code unseen;
  if (const auto status = std::filesystem::status(path, unseen);
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return Error{ErrorCode::kInvalidArgument, "popularity", path.string() + ": is not a regular file"};
  const auto text = read_file(path, kCountsFileMax);
  if (!text) return text.error();
  CountsFile read{.counts = {}, .sha256 = to_hex(sha256(*text))};
  std::size_t line = 0;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string_view word = trim(std::string_view(*text).substr(at, end - at));
    at = end + 1;
    line += 1;
    if (word.empty() || word.starts_with('#')) continue;
    std::uint64_t count = 0;
    const auto [stop, code] = std::from_chars(word.data(), word.data() + word.size(), count);
    // Products with the number of copies stay within 128 bits.
    if (code != std::errc{} || stop != word.data() + word.size() || count >= 1ULL << 62U)
      return Error{ErrorCode::kInvalidArgument, "popularity",
                   fmt::format("{}:{}: '{}' is not a whole number below 2^62", path.string(), line,
                               to_valid_utf8(word.substr(0, 40)))};
    read.counts.push_back(count);
  }
  if (read.counts.empty())
    return Error{ErrorCode::kInvalidArgument, "popularity", path.string() + ": no counts in this file"};
  return read;
}

}  // namespace lab
