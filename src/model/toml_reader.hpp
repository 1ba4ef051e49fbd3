// Strict, typed access to a TOML table: every key is known or refused, every error names file, line and key.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace lab {

/// The table of a whole document. Errors: kInvalidArgument with "FILE:LINE: ...", for bad syntax with the
/// line and a caret below (left out where the line may hold a password).
/// Also for a key of more parts than anybody writes: the library goes as deep as they are many, to the end of
/// the stack.
Result<toml::table> parse_toml(std::string_view text, const std::string& file);

/// One table of a plan. Readers leave `out` as it is where the key is absent. Borrows the table and the name.
class TomlReader {
 public:
  TomlReader(const std::string& file, const toml::table& table, std::string path)
      : file_(file), table_(table), path_(std::move(path)) {}

  /// Refuses every key that is not in `known`, the first one in the file first.
  Status allow_only(std::initializer_list<std::string_view> known) const;

  bool has(std::string_view key) const { return table_.contains(key); }
  bool is_empty_list(std::string_view key) const;
  std::vector<std::string> keys() const;  // In the order of the file.

  /// A string, an integer or a boolean as its text. Precondition: has(key).
  Status scalar(std::string_view key, std::string& out) const;
  Status integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t& out) const;
  Status text(std::string_view key, std::optional<std::string>& out) const;  // Never empty.
  Status flag(std::string_view key, bool& out) const;
  Status size(std::string_view key, std::int64_t least, Bytes& out) const;  // "4 KiB" or an integer of bytes.
  Status duration(std::string_view key, Millis least, Millis& out) const;

  /// A string that `parse` (string_view -> Result<T>) turns into `out`.
  template <class T, class Parse>
  Status word(std::string_view key, const Parse& parse, T& out) const;

  /// A list of at least one string, without duplicates after parsing.
  template <class T, class Parse>
  Status list(std::string_view key, const Parse& parse, std::vector<T>& out) const;

  /// The same, or one string or integer alone. Integers are parsed in their decimal spelling.
  template <class T, class Parse>
  Status one_or_list(std::string_view key, const Parse& parse, std::vector<T>& out) const;

  /// A list of at least one string, parsed as a whole by `parse` (vector<string> -> Result<T>).
  template <class T, class Parse>
  Status whole_list(std::string_view key, const Parse& parse, T& out) const;

  /// A list of such lists, without duplicates after parsing.
  template <class T, class Parse>
  Status list_of_lists(std::string_view key, const Parse& parse, std::vector<T>& out) const;

  /// The table under `key`; nothing when absent.
  Result<std::optional<TomlReader>> inner(std::string_view key) const;

  Error error(std::string_view key, std::string_view what) const;

 private:
  Error error_at(const toml::node& node, std::string_view key, std::string_view what) const;
  Error wrong_type(const toml::node& node, std::string_view key, std::string_view want) const;
  Error error_on_line(std::uint32_t line, std::string_view key, std::string_view what) const;
  Result<std::string> string_of(const toml::node& node, std::string_view key, bool integers) const;
  Result<const toml::array*> array_of(const toml::node& node, std::string_view key) const;
  Result<std::vector<std::string>> strings_of(const toml::node& node, std::string_view key) const;

  template <class T, class Parse>
  Status append(const toml::node& node, std::string_view key, bool integers, const Parse& parse,
                std::vector<T>& out) const;

  const std::string& file_;
  const toml::table& table_;
  std::string path_;  // "" or "systems.sqlite"
};

template <class T, class Parse>
Status TomlReader::word(std::string_view key, const Parse& parse, T& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto text = string_of(*node, key, false);
  if (!text) return text.error();
  auto value = parse(std::string_view(*text));
  if (!value) return error_at(*node, key, value.error().detail);
  out = std::move(*value);
  return ok();
}

template <class T, class Parse>
Status TomlReader::append(const toml::node& node, std::string_view key, bool integers, const Parse& parse,
                          std::vector<T>& out) const {
  const auto text = string_of(node, key, integers);
  if (!text) return text.error();
  auto value = parse(std::string_view(*text));
  if (!value) return error_at(node, key, value.error().detail);
  if (std::find(out.begin(), out.end(), *value) != out.end())
    return error_at(node, key, "'" + *text + "' stands twice in the list");
  out.push_back(std::move(*value));
  return ok();
}

template <class T, class Parse>
Status TomlReader::list(std::string_view key, const Parse& parse, std::vector<T>& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto items = array_of(*node, key);
  if (!items) return items.error();
  out.clear();
  for (const toml::node& item : **items) LAB_TRY(append(item, key, false, parse, out));
  return ok();
}

template <class T, class Parse>
Status TomlReader::one_or_list(std::string_view key, const Parse& parse, std::vector<T>& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  out.clear();
  if (!node->is_array()) return append(*node, key, true, parse, out);
  const auto items = array_of(*node, key);
  if (!items) return items.error();
  for (const toml::node& item : **items) LAB_TRY(append(item, key, true, parse, out));
  return ok();
}

template <class T, class Parse>
Status TomlReader::whole_list(std::string_view key, const Parse& parse, T& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto texts = strings_of(*node, key);
  if (!texts) return texts.error();
  auto value = parse(*texts);
  if (!value) return error_at(*node, key, value.error().detail);
  out = std::move(*value);
  return ok();
}

template <class T, class Parse>
Status TomlReader::list_of_lists(std::string_view key, const Parse& parse, std::vector<T>& out) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return ok();
  const auto lists = array_of(*node, key);
  if (!lists) return lists.error();
  out.clear();
  for (const toml::node& inner_list : **lists) {
    const auto texts = strings_of(inner_list, key);
    if (!texts) return texts.error();
    auto value = parse(*texts);
    if (!value) return error_at(inner_list, key, value.error().detail);
    if (std::find(out.begin(), out.end(), *value) != out.end())
      return error_at(inner_list, key, "the same list stands twice");
    out.push_back(std::move(*value));
  }
  return ok();
}

}  // namespace lab
