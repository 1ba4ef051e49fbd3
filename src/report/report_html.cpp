// The self-contained page: template, style, charts, scripts and data put together, with a policy that lets
// nothing else run or load.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <span>
#include <utility>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "generated/report_charting_js.hpp"
#include "generated/report_charts_js.hpp"
#include "generated/report_costs_js.hpp"
#include "generated/report_curves_js.hpp"
#include "generated/report_data_js.hpp"
#include "generated/report_dom_js.hpp"
#include "generated/report_facts_js.hpp"
#include "generated/report_forest_js.hpp"
#include "generated/report_header_js.hpp"
#include "generated/report_ladder_js.hpp"
#include "generated/report_lifecycle_js.hpp"
#include "generated/report_matrix_js.hpp"
#include "generated/report_page_html.hpp"
#include "generated/report_page_js.hpp"
#include "generated/report_records_js.hpp"
#include "generated/report_scans_js.hpp"
#include "generated/report_speed_js.hpp"
#include "generated/report_style_css.hpp"
#include "report/outputs.hpp"
#include "report/report_html_parts.hpp"

namespace lab::report {
namespace {

std::string base64(std::span<const std::byte> bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

/// Allows an inline script by its content, so that no other script on the page can run.
std::string script_source(std::string_view script) {
  return fmt::format("'sha256-{}'", base64(sha256(script)));
}

/// The parts in one scope of their own, from the bottom one to the one that starts the page.
std::string page_script() {
  std::string script = "(() => {\n'use strict';\n";
  for (const std::string_view part :
       {embedded::report_data_js(), embedded::report_dom_js(), embedded::report_charting_js(),
        embedded::report_header_js(), embedded::report_matrix_js(), embedded::report_forest_js(),
        embedded::report_ladder_js(), embedded::report_scans_js(), embedded::report_curves_js(),
        embedded::report_speed_js(), embedded::report_costs_js(), embedded::report_lifecycle_js(),
        embedded::report_records_js(), embedded::report_facts_js(), embedded::report_page_js()})
    script += part;
  return script + "})();\n";
}

std::string answers_as_html(const std::vector<Answer>& list) {
  std::string html;
  for (const Answer& answer : list) html += fmt::format("<li>{}</li>", html_escape(answer.sentence()));
  return html.empty() ? html : fmt::format("<ul>{}</ul>", html);
}

struct Slot {
  std::string_view name{};
  std::string_view text{};
};

/// Replaces each {{name}} of the template. One pass: what is put in is not looked at again.
std::string fill(std::string_view page, std::initializer_list<Slot> slots) {
  std::string out;
  while (true) {
    const std::size_t begin = page.find("{{");
    if (begin == std::string_view::npos) break;
    const std::size_t end = page.find("}}", begin);
    LAB_CHECK(end != std::string_view::npos, "a slot of the page's template is closed");
    const std::string_view name = page.substr(begin + 2, end - begin - 2);
    const auto* slot =
        std::find_if(slots.begin(), slots.end(), [name](const Slot& s) { return s.name == name; });
    LAB_CHECK(slot != slots.end(), "a slot of the page's template is known");
    out.append(page.substr(0, begin)).append(slot->text);
    page.remove_prefix(end + 2);
  }
  return out.append(page);
}

}  // namespace

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : to_valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string script_safe(std::string json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

Result<std::string> report_html(const RunData& run, const Analysis& analysis,
                                const SampleSource& samples) try {
  const std::string question = plan_question(run.info.plan_toml);
  const std::string script = page_script();
  const std::string_view charts = embedded::report_charts_js();
  const std::string data = script_safe(page_data(run, analysis, collect_curves(run, samples)));
  return fill(embedded::report_page_html(),
              {{"title", html_escape(question.empty() ? "deduplab " + run.info.run_id : question)},
               {"scripts", fmt::format("{} {}", script_source(charts), script_source(script))},
               {"style", embedded::report_style_css()},
               {"question", html_escape(question.empty() ? "Run " + run.info.run_id : question)},
               {"answers", answers_as_html(answers(analysis))},
               {"data", data},
               {"charts", charts},
               {"script", script}});
} catch (const std::exception& bad) {
  return Error{ErrorCode::kInternal, "report.html", bad.what()};
}

Result<std::string> report_html(const RunData& run, const Analysis& analysis) {
  return report_html(run, analysis, [&run](const StageRow& row) { return load_samples(run, row); });
}

}  // namespace lab::report
