// Fields of a struct as JSON: one list of fields serves writing and reading, so that the two cannot drift
// apart. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/text.hpp"

namespace lab::json_fields {

enum class Need : std::uint8_t { kRequired, kOptional };

template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

/// Adds fields to a JSON object.
class FieldWriter {
 public:
  explicit FieldWriter(nlohmann::ordered_json& out) : out_(out) {}

  template <class T>
  void operator()(const char* key, const T& value, Need = Need::kOptional) {
    put(out_, key, value);
  }

  template <class T>
  void operator()(const char* key, const std::optional<T>& value, Need = Need::kOptional) {
    if (value) put(out_, key, *value);
  }

 private:
  template <class T>
  static void put(nlohmann::ordered_json& out, const std::string& key, const T& value) {
    if constexpr (IsMap<T>::value) {
      nlohmann::ordered_json inner = nlohmann::ordered_json::object();
      for (const auto& [name, item] : value) put(inner, to_valid_utf8(name), item);
      out[key] = std::move(inner);
    } else if constexpr (std::is_same_v<T, std::string>) {
      out[key] = to_valid_utf8(value);
    } else if constexpr (std::is_same_v<T, double>) {
      if (std::isfinite(value)) out[key] = value;
    } else {
      out[key] = value;
    }
  }

  nlohmann::ordered_json& out_;
};

/// Takes fields out of a JSON object; the first thing that is wrong stays in `problem`.
class FieldReader {
 public:
  FieldReader(const nlohmann::ordered_json& in, std::string prefix, std::string& problem)
      : in_(in), prefix_(std::move(prefix)), problem_(problem) {}

  template <class T>
  void operator()(const char* key, T& value, Need need = Need::kOptional) {
    if (const nlohmann::ordered_json* found = find(key, need)) take(*found, key, value);
  }

  template <class T>
  void operator()(const char* key, std::optional<T>& value, Need need = Need::kOptional) {
    if (const nlohmann::ordered_json* found = find(key, need)) take(*found, key, value.emplace());
  }

 private:
  const nlohmann::ordered_json* find(const char* key, Need need) {
    const auto at = in_.find(key);
    if (at != in_.end()) return &*at;
    if (need == Need::kRequired) complain(key, "is missing");
    return nullptr;
  }

  void complain(std::string_view key, std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("key '{}{}' {}", prefix_, key, what);
  }

  void must_be(const char* what, const nlohmann::ordered_json& item, std::string_view key) {
    complain(key, fmt::format("must be {}, is {}", what, item.type_name()));
  }

  template <class T>
  void take(const nlohmann::ordered_json& item, std::string_view key, T& value) {
    if constexpr (IsMap<T>::value) {
      if (!item.is_object()) return must_be("an object", item, key);
      for (const auto& [name, inner] : item.items())
        take(inner, fmt::format("{}.{}", key, name), value[name]);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!item.is_string()) return must_be("a string", item, key);
      value = item.get<std::string>();
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!item.is_boolean()) return must_be("true or false", item, key);
      value = item.get<bool>();
    } else if constexpr (std::is_same_v<T, double>) {
      if (!item.is_number()) return must_be("a number", item, key);
      value = item.get<double>();
    } else {
      take_integer(item, key, value);
    }
  }

  template <class T>
  void take_integer(const nlohmann::ordered_json& item, std::string_view key, T& value) {
    static_assert(std::is_integral_v<T>);
    if (!item.is_number_integer()) return must_be("an integer", item, key);
    const bool fits = item.is_number_unsigned() ? std::in_range<T>(item.get<std::uint64_t>())
                                                : std::in_range<T>(item.get<std::int64_t>());
    if (!fits) return complain(key, "is out of range");
    value = item.is_number_unsigned() ? static_cast<T>(item.get<std::uint64_t>())
                                      : static_cast<T>(item.get<std::int64_t>());
  }

  const nlohmann::ordered_json& in_;
  std::string prefix_;
  std::string& problem_;
};

}  // namespace lab::json_fields
