// SPDX-License-Identifier: Apache-2.0
#include "cli/file_classes.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "core/text.hpp"

namespace lab::cli {
namespace {

constexpr const char* kAll = "all";
constexpr const char* kOther = "other";
constexpr std::size_t kClassesMax = 128;

struct Pattern {
  std::string glob{};
  std::size_t index = 0;
};

Error bad(const std::string& word, const std::string& why) {
  return {ErrorCode::kInvalidArgument, "scan", fmt::format("--class: '{}' {}", word, why)};
}

bool matches(const std::string& glob, const std::filesystem::path& path) {
  const std::string text = glob.find('/') == std::string::npos ? path.filename() : path;
  return ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

}  // namespace

Result<FileClasses> file_classes(const std::vector<std::string>& words) {
  FileClasses classes;
  std::vector<Pattern> patterns;
  for (const std::string& word : words) {
    const std::size_t cut = word.rfind('=');
    if (cut == std::string::npos || cut == 0 || cut + 1 == word.size())
      return bad(word, "is not GLOB=NAME, as in *.log=log");
    const std::string name = word.substr(cut + 1);
    if (to_valid_utf8(name) != name) return bad(to_valid_utf8(word), "names a class that is no UTF-8");
    if (name == kAll || name == kOther)
      return bad(word, fmt::format("names the class '{}', which is there anyway", name));
    const auto known = std::find(classes.names.begin(), classes.names.end(), name);
    patterns.push_back({word.substr(0, cut), static_cast<std::size_t>(known - classes.names.begin())});
    if (known == classes.names.end()) classes.names.push_back(name);
    if (classes.names.size() >= kClassesMax)
      return bad(word, fmt::format("is beyond {} classes", kClassesMax));
  }
  classes.names.emplace_back(words.empty() ? kAll : kOther);
  classes.class_of = [patterns = std::move(patterns), rest = classes.names.size() - 1](const auto& path) {
    for (const Pattern& pattern : patterns)
      if (matches(pattern.glob, path)) return pattern.index;
    return rest;
  };
  return classes;
}

}  // namespace lab::cli
