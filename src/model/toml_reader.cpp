// The edge to toml++: its exceptions and its types end here.
// SPDX-License-Identifier: Apache-2.0
#include "model/toml_reader.hpp"

#include <fmt/format.h>

#include <tuple>

#include "core/text.hpp"

namespace lab {
namespace {

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "plan", std::move(detail)}; }

std::string_view type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a point";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

std::string_view line_of(std::string_view text, std::uint32_t number) {
  for (std::uint32_t line = 1; line < number; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// Bytes of the first `points` code points of valid UTF-8.
std::size_t bytes_of(std::string_view text, std::size_t points) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts && points-- == 0) break;
    ++at;
  }
  return at;
}

bool may_hold_password(std::string_view line) {
  return line.find('@') != std::string_view::npos || line.find("://") != std::string_view::npos ||
         line.find("assw") != std::string_view::npos;
}

/// The line with a caret below its `column` (code points from 1), a long line cut to what stands around it.
std::string marked_line(std::string_view line, std::uint32_t column) {
  constexpr std::size_t kBefore = 70;
  constexpr std::size_t kShown = 100;
  if (may_hold_password(line)) return "\n    (the line is not shown: it may hold a password)";
  const std::size_t before = column > 0 ? column - 1 : 0;
  const std::size_t skipped = before > kBefore ? before - kBefore : 0;
  line.remove_prefix(bytes_of(line, skipped));
  line = line.substr(0, bytes_of(line, kShown));
  std::string margin;
  for (const char letter : line.substr(0, bytes_of(line, before - skipped))) {
    if ((static_cast<unsigned char>(letter) & 0xC0U) != 0x80U) margin += letter == '\t' ? '\t' : ' ';
  }
  return fmt::format("\n    {}\n    {}^", line, margin);
}

std::uint32_t line_of_bad_utf8(std::string_view text) {
  const std::string valid = to_valid_utf8(text);
  const auto [at, unused] = std::mismatch(text.begin(), text.end(), valid.begin(), valid.end());
  return 1 + static_cast<std::uint32_t>(std::count(text.begin(), at, '\n'));
}

/// What a key that looks like a secret is called where the plan says only where it is; empty for other keys.
std::string place_of_secret(const std::string& name, std::initializer_list<std::string_view> known) {
  const auto takes = [&](const std::string& key) {
    return std::find(known.begin(), known.end(), key + "_env") != known.end();
  };
  if (!name.starts_with("password") && !name.ends_with("token") && name != "secret") return "";
  if (takes(name)) return name;
  return !takes("password") && takes("token") ? "token" : "password";
}

constexpr std::size_t kPartsMax = 1000;

/// Where so many dots follow each other with nothing between them that ends a key; in a text that holds them
/// too.
std::optional<std::size_t> line_of_deep_key(std::string_view text) {
  std::size_t dots = 0;
  std::size_t line = 1;
  for (const char letter : text) {
    if (letter == '.')
      dots += 1;
    else if (std::string_view(",={}[]\n").find(letter) != std::string_view::npos)
      dots = 0;
    if (dots >= kPartsMax) return line;
    line += letter == '\n' ? 1 : 0;
  }
  return std::nullopt;
}

}  // namespace

Result<toml::table> parse_toml(std::string_view text, const std::string& file) try {
  if (to_valid_utf8(text) != text) return bad(fmt::format("{}:{}: not UTF-8", file, line_of_bad_utf8(text)));
  if (const auto line = line_of_deep_key(text))
    return bad(fmt::format("{}:{}: a key has more than {} parts", file, *line, kPartsMax));
  return toml::parse(text, std::string_view(file));
} catch (const toml::parse_error& failure) {
  const auto& at = failure.source().begin;
  return bad(fmt::format("{}:{}: not valid TOML: {}{}", file, at.line, failure.description(),
                         marked_line(line_of(text, at.line), at.column)));
}

Error TomlReader::error_on_line(std::uint32_t line, std::string_view key, std::string_view what) const {
  const std::string full = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  return bad(fmt::format("{}:{}: key '{}': {}", file_, std::max(line, 1U), full, what));
}

Error TomlReader::error_at(const toml::node& node, std::string_view key, std::string_view what) const {
  return error_on_line(node.source().begin.line, key, what);
}

Error TomlReader::wrong_type(const toml::node& node, std::string_view key, std::string_view want) const {
  return error_at(node, key, fmt::format("must be {}, is {}", want, type_of(node)));
}

Error TomlReader::error(std::string_view key, std::string_view what) const {
  const toml::node* node = table_.get(key);
  return error_at(node != nullptr ? *node : table_, key, what);
}

std::vector<std::string> TomlReader::keys() const {
  std::vector<std::tuple<std::uint32_t, std::uint32_t, std::string>> found;
  for (const auto& [key, value] : table_)
    found.emplace_back(key.source().begin.line, key.source().begin.column, std::string(key.str()));
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [line, column, name] : found) names.push_back(std::move(name));
  return names;
}

Status TomlReader::allow_only(std::initializer_list<std::string_view> known) const {
  for (const std::string& name : keys()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::uint32_t line = 1;
    for (const auto& [key, value] : table_)
      if (key.str() == name) line = key.source().begin.line;
    if (const std::string where = place_of_secret(name, known); !where.empty())
      return error_on_line(line, name, fmt::format("a plan holds no secret: use {0}_env or {0}_file", where));
    const std::vector<std::string> words(known.begin(), known.end());
    return error_on_line(line, name, "unknown key" + suggestion(name, words));
  }
  return ok();
}

Result<std::string> TomlReader::string_of(const toml::node& node, std::string_view key, bool integers) const {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>(); integers && number)
    return fmt::format("{}", *number);
  return wrong_type(node, key, integers ? "a string or an integer" : "a string");
}

Result<const toml::array*> TomlReader::array_of(const toml::node& node, std::string_view key) const {
  const toml::array* items = node.as_array();
  if (items == nullptr) return wrong_type(node, key, "a list");
  if (items->empty()) return error_at(node, key, "must not be empty");
  return items;
}

Result<std::vector<std::string>> TomlReader::strings_of(const toml::node& node, std::string_view key) const {
  const auto items = array_of(node, key);
  if (!items) return items.error();
  std::vector<std::string> texts;
  for (const toml::node& item : **items) {
    auto text = string_of(item, key, false);
    if (!text) return std::move(text).error();
    texts.push_back(std::move(*text));
  }
  return texts;
}

bool TomlReader::is_empty_list(std::string_view key) const {
  const toml::array* items = table_.get_as<toml::array>(key);
  return items != nullptr && items->empty();
}

Status TomlReader::scalar(std::string_view key, std::string& out) const {
  const toml::node& node = *table_.get(key);
  if (const auto flag = node.value_exact<bool>()) {
    out = *flag ? "true" : "false";
    return ok();
  }
  if (!node.is_string() && !node.is_integer())
    return wrong_type(node, key, "a string, an integer, true or false");
  auto text = string_of(node, key, true);
  if (!text) return std::move(text).error();
  out = std::move(*text);
  return ok();
}

Status TomlReader::integer(std::string_view key, std::int64_t least, std::int64_t most,
                           std::int64_t& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto number = node->value_exact<std::int64_t>();
  if (!number) return wrong_type(*node, key, "an integer");
  if (*number < least || *number > most)
    return error_at(*node, key, fmt::format("must be from {} to {}, is {}", least, most, *number));
  out = *number;
  return ok();
}

Status TomlReader::flag(std::string_view key, bool& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto flag = node->value_exact<bool>();
  if (!flag) return wrong_type(*node, key, "true or false");
  out = *flag;
  return ok();
}

Status TomlReader::text(std::string_view key, std::optional<std::string>& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  auto text = string_of(*node, key, false);
  if (!text) return std::move(text).error();
  if (text->empty()) return error_at(*node, key, "must not be empty");
  if (text->find('\0') != std::string::npos) return error_at(*node, key, "must not hold a NUL");
  out = std::move(*text);
  return ok();
}

Status TomlReader::size(std::string_view key, std::int64_t least, Bytes& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto text = string_of(*node, key, true);
  if (!text) return text.error();
  const auto bytes = parse_bytes(*text);
  if (!bytes) return error_at(*node, key, bytes.error().detail);
  if (bytes->count < least)
    return error_at(*node, key, fmt::format("must be at least {} bytes, is '{}'", least, *text));
  out = *bytes;
  return ok();
}

Status TomlReader::duration(std::string_view key, Millis least, Millis& out) const {
  constexpr Millis kMost{365LL * 86'400'000};
  const auto parse = [&](std::string_view text) -> Result<Millis> {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value < least || *value > kMost)
      return bad(fmt::format("must be from {} to {}, is '{}'", format_duration(least), format_duration(kMost),
                             text));
    return *value;
  };
  return word(key, parse, out);
}

Result<std::optional<TomlReader>> TomlReader::inner(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return std::optional<TomlReader>();
  const toml::table* table = node->as_table();
  if (table == nullptr) return wrong_type(*node, key, "a table");
  return std::optional(
      TomlReader(file_, *table, path_.empty() ? std::string(key) : path_ + "." + std::string(key)));
}

}  // namespace lab
