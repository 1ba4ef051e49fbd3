// Texts of users and of our own journal. SPDX-License-Identifier: Apache-2.0
#include <string>

#include "core/histogram.hpp"
#include "core/units.hpp"
#include "driver/server_url.hpp"
#include "model/chunker_spec.hpp"
#include "model/dataset.hpp"
#include "model/plan_load.hpp"
#include "model/plan_rules.hpp"
#include "model/plan_test_support.hpp"
#include "model/record_json.hpp"
#include "targets.hpp"

namespace lab::fuzz {

/// A plan that is read is written and read back as the same.
void plan(std::string_view bytes) {
  static const Vocabulary kWords = test_words();
  const auto loaded = parse_plan(bytes, "plan.toml", kWords);
  if (!loaded) {
    LAB_CHECK(!loaded.error().detail.empty(), "a refusal has words");
    return;
  }
  if (!loaded->not_built_in.empty()) return;
  const std::string text = save_plan(loaded->plan);
  const auto again = parse_plan(text, "plan.toml", kWords);
  LAB_CHECK(again.has_value(), "what save_plan writes is a plan");
  LAB_CHECK(save_plan(again->plan) == text, "equal plans give equal texts");
}

/// A record that is read is written and read back as the same.
void record(std::string_view bytes) {
  const auto read = record_from_json(bytes);
  if (!read) return;
  const std::string text = to_json_text(*read);
  const auto again = record_from_json(text);
  LAB_CHECK(again.has_value(), "what is written is a record");
  LAB_CHECK(to_json_text(*again) == text, "equal records give equal texts");
}

/// Sizes, durations, laws, urls: the words inside of plans and of the command line.
void words(std::string_view bytes) {
  static const std::string kSchemes[] = {"redis", "rediss"};
  static const std::string kParameters[] = {"tls_ca"};
  if (const auto size = parse_bytes(bytes)) {
    const auto again = parse_bytes(format_bytes_exact(*size));
    LAB_CHECK(again && *again == *size, "the exact spelling of a size is read back");
  }
  if (const auto time = parse_duration(bytes)) {
    const auto again = parse_duration(format_duration(*time));
    LAB_CHECK(again && *again == *time, "the spelling of a duration is read back");
  }
  static_cast<void>(parse_size_law(bytes));
  static_cast<void>(parse_popularity(bytes));
  static_cast<void>(parse_compressible(bytes));
  static_cast<void>(parse_chunker(bytes));
  static_cast<void>(Histogram::decode(bytes));
  static_cast<void>(plan_rules::holds_password(bytes));
  if (const auto url = parse_server_url(bytes, kSchemes, 6379, kParameters))
    LAB_CHECK(!url->host.empty(), "a server has a host");
}

}  // namespace lab::fuzz
