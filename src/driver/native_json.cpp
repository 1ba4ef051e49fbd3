// SPDX-License-Identifier: Apache-2.0
#include "driver/native_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace lab {
namespace {

using Json = nlohmann::json;

class Writer {
 public:
  explicit Writer(RecordForm form) : spaced_(form == RecordForm::kJsonb) {}

  void write(const Json& value) {
    if (value.is_object())
      write_object(value);
    else if (value.is_array())
      write_list(value);
    else
      text_ += value.dump();  // Numbers in their shortest form, text without needless escapes.
  }

  std::string take() { return std::move(text_); }

 private:
  void write_object(const Json& object) {
    std::vector<Json::const_iterator> fields;
    for (auto field = object.begin(); field != object.end(); ++field) fields.push_back(field);  // Bytewise.
    const auto shorter = [](const Json::const_iterator& a, const Json::const_iterator& b) {
      return a.key().size() < b.key().size();
    };
    if (spaced_) std::stable_sort(fields.begin(), fields.end(), shorter);
    text_ += '{';
    for (std::size_t at = 0; at < fields.size(); ++at) {
      separate(at);
      text_ += Json(fields[at].key()).dump();
      text_ += spaced_ ? ": " : ":";
      write(fields[at].value());
    }
    text_ += '}';
  }

  void write_list(const Json& list) {
    text_ += '[';
    for (std::size_t at = 0; at < list.size(); ++at) {
      separate(at);
      write(list[at]);
    }
    text_ += ']';
  }

  void separate(std::size_t at) {
    if (at > 0) text_ += spaced_ ? ", " : ",";
  }

  bool spaced_;
  std::string text_{};
};

}  // namespace

Result<std::string> canonical_json(std::string_view text, RecordForm form, const char* operation) {
  const Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded())
    return Error{ErrorCode::kCorruption, operation, fmt::format("{} bytes that are no JSON", text.size())};
  Writer writer(form);
  writer.write(value);
  return writer.take();
}

}  // namespace lab
