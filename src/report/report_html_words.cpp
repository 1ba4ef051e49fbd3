// The sentences at the head of the page: the question of the plan and one answer a system.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.hpp"
#include "model/dataset.hpp"
#include "report/figures.hpp"
#include "report/pairs.hpp"
#include "report/report_html_parts.hpp"

namespace lab::report {
namespace {

constexpr std::string_view kHeadlineStage = "bulk_insert";
constexpr std::string_view kUnanswered = "unanswered";
constexpr std::string_view kNoBreak = "\u00a0";

/// "0.000", "−0.012": three digits, a real minus sign, no negative zero.
std::string eta_text(double value) {
  const double rounded = std::round(value * 1000) / 1000;
  if (rounded == 0) return "0.000";
  return fmt::format("{}{:.3f}", rounded < 0 ? "\u2212" : "", std::abs(rounded));
}

/// The matrix points of one system and variant whose verdicts say the same.
struct Agreement {
  std::string system{}, variant{}, word{};
  std::vector<const Group*> groups{};

  const Verdict* verdict(std::size_t index) const {
    const auto found = groups[index]->verdicts.find(std::string(kHeadlineProbe));
    return found == groups[index]->verdicts.end() ? nullptr : &found->second;
  }
};

std::string word_of(const Group& group) {
  const auto found = group.verdicts.find(std::string(kHeadlineProbe));
  return std::string(found == group.verdicts.end() ? kUnanswered : to_string(found->second.word));
}

/// What two groups share when they differ in the grade alone.
std::string pairing_key(const Group& group) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", group.system, group.variant, group.payload,
                     group.object_size, group.duplicate_unit, group.total_bytes.value_or(-1), group.order,
                     group.placement, group.mode, group.cache, group.chain);
}

/// Of each set of groups that differ in the grade alone, the one at the highest grade above U0.
std::vector<const Group*> headline_groups(const Analysis& analysis) {
  std::vector<const Group*> chosen;
  std::map<std::string, std::size_t> places;
  for (const Group& group : analysis.groups) {
    if (group.control || group.stage != kHeadlineStage || grade_of(group) == 0) continue;
    const auto [place, added] = places.try_emplace(pairing_key(group), chosen.size());
    if (added)
      chosen.push_back(&group);
    else if (grade_of(group) > grade_of(*chosen[place->second]))
      chosen[place->second] = &group;
  }
  return chosen;
}

std::vector<Agreement> agreements(const std::vector<const Group*>& groups) {
  std::vector<Agreement> list;
  for (const Group* group : groups) {
    const std::string word = word_of(*group);
    const auto same = [&](const Agreement& a) {
      return a.system == group->system && a.variant == group->variant && a.word == word;
    };
    auto found = std::find_if(list.begin(), list.end(), same);
    if (found == list.end())
      found = list.insert(list.end(), {.system = group->system, .variant = group->variant, .word = word});
    found->groups.push_back(group);
  }
  // Verdicts of one system stand together, in the order of its first one.
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < list.size(); ++i) first.try_emplace(list[i].system + "\n" + list[i].variant, i);
  std::stable_sort(list.begin(), list.end(), [&first](const Agreement& a, const Agreement& b) {
    return first[a.system + "\n" + a.variant] < first[b.system + "\n" + b.variant];
  });
  return list;
}

/// All groups of an agreement have copies that were changed.
bool of_changed_copies(const Agreement& agreement) {
  return std::all_of(agreement.groups.begin(), agreement.groups.end(), [](const Group* group) {
    const auto unit = parse_duplicate_unit(group->duplicate_unit);
    return unit && unit->is_changed();
  });
}

std::string phrase(std::string_view word, bool changed) {
  if (word == "none") return changed ? "pays for every changed copy" : "pays for every duplicate";
  if (word == "partial")
    return changed ? "removes a part of what changed copies share" : "removes a part of the duplicates";
  if (word == "full")
    return changed ? "stores once what changed copies share" : "stores every duplicate once";
  if (word == "semantic") return "keeps one object per key, as it declares";
  if (word == "inconclusive") return "leaves the question open";
  if (word == "too_few_repetitions") return "has too few repetitions for a verdict";
  if (word == "withheld") return "has its verdict withheld";
  return "has no answer";
}

/// ", native", where the system's other verdicts on the same payloads are of other conditions than these.
std::string conditions_of(const Agreement& agreement, const std::vector<const Group*>& all) {
  std::string named;
  for (const auto condition : {&Group::object_size, &Group::duplicate_unit, &Group::order, &Group::placement,
                               &Group::mode, &Group::cache, &Group::chain}) {
    std::set<std::string> payloads, own;
    for (const Group* group : agreement.groups) {
      payloads.insert(group->payload);
      own.insert(group->*condition);
    }
    const bool differs = std::any_of(all.begin(), all.end(), [&](const Group* other) {
      return other->system == agreement.system && other->variant == agreement.variant &&
             payloads.contains(other->payload) && !own.contains(other->*condition);
    });
    if (!differs || own.size() != 1) continue;
    const auto bytes = parse_bytes(*own.begin());
    named += ", " + (bytes ? format_bytes_exact(*bytes) : *own.begin());
  }
  return named;
}

/// "random_binary at U90", or "3 payloads at U90".
std::string where(const Agreement& agreement, const std::vector<const Group*>& all) {
  std::set<std::string> payloads;
  std::set<int> grades;
  for (const Group* group : agreement.groups) {
    payloads.insert(group->payload);
    grades.insert(grade_of(*group));
  }
  std::vector<std::string> names(payloads.begin(), payloads.end());
  const std::string grade = *grades.begin() == *grades.rbegin()
                                ? grade_name(*grades.begin())
                                : grade_name(*grades.begin()) + "\u2013" + grade_name(*grades.rbegin());
  const std::string what = names.size() <= 3 ? join(names, ", ") : fmt::format("{} payloads", names.size());
  const std::size_t points = agreement.groups.size();
  std::string conditions = conditions_of(agreement, all);
  std::set<std::string> units;
  for (const Group* group : agreement.groups) units.insert(group->duplicate_unit);
  units.erase("object");
  if (!units.empty() && conditions.find(*units.begin()) == std::string::npos)
    conditions = fmt::format(", {}{}", fmt::join(units, ", "), conditions);
  return fmt::format("{} at {}{}{}", what, grade, conditions,
                     points > names.size() ? fmt::format(", {} points", points) : "");
}

std::string count_text(const Agreement& agreement) {
  std::set<std::uint64_t> counts;
  for (std::size_t i = 0; i < agreement.groups.size(); ++i) counts.insert(agreement.verdict(i)->n);
  std::string least = fmt::format("n{0}={0}{1}", kNoBreak, *counts.begin());
  if (*counts.begin() == *counts.rbegin()) return least;
  return fmt::format("{}\u2013{}", least, *counts.rbegin());
}

/// "eta 0.000 [−0.001, 0.001]", or the range over several points; empty where no eta is known.
std::string eta_part(const Agreement& agreement) {
  std::vector<double> etas;
  for (std::size_t i = 0; i < agreement.groups.size(); ++i)
    if (const auto eta = agreement.verdict(i)->eta) etas.push_back(*eta);
  if (etas.empty()) return "";
  if (agreement.groups.size() > 1) {
    const auto [least, most] = std::minmax_element(etas.begin(), etas.end());
    const std::string low = eta_text(*least), high = eta_text(*most);
    if (low == high) return fmt::format("eta {} in all, ", low);
    return fmt::format("eta from {} to {}, ", low, high);
  }
  const Verdict& verdict = *agreement.verdict(0);
  if (!verdict.low || !verdict.high) return fmt::format("eta {}, ", eta_text(etas.front()));
  return fmt::format("eta {} [{}, {}], ", eta_text(etas.front()), eta_text(*verdict.low),
                     eta_text(*verdict.high));
}

/// "460 of 512 objects removed", where all points say the same.
std::string removed_part(const Agreement& agreement) {
  const Verdict& first = *agreement.verdict(0);
  if (!first.removed || !first.of) return "";
  for (std::size_t i = 1; i < agreement.groups.size(); ++i)
    if (agreement.verdict(i)->removed != first.removed || agreement.verdict(i)->of != first.of) return "";
  return fmt::format("{} of {} objects removed, ", *first.removed, *first.of);
}

std::string spaced(std::string word) {
  std::replace(word.begin(), word.end(), '_', ' ');
  return word;
}

std::string figures_of(const Agreement& agreement) {
  if (agreement.word == kUnanswered) return fmt::format("no complete valid pair of {}", kHeadlineStage);
  return fmt::format("{}verdict {} ({})",
                     agreement.word == "semantic" ? removed_part(agreement) : eta_part(agreement),
                     spaced(agreement.word), count_text(agreement));
}

Answer answer_of(const Agreement& agreement, const std::vector<const Group*>& all) {
  Answer answer{.system = agreement.system, .variant = agreement.variant, .word = agreement.word};
  answer.name =
      agreement.variant == "default" ? agreement.system : agreement.system + "/" + agreement.variant;
  answer.claim = phrase(agreement.word, of_changed_copies(agreement));
  answer.where = where(agreement, all);
  answer.figures = figures_of(agreement);
  for (std::size_t i = 0; i < agreement.groups.size(); ++i)
    if (const Verdict* verdict = agreement.verdict(i)) answer.verdicts.push_back(*verdict);
  return answer;
}

}  // namespace

std::string plan_question(std::string_view plan_toml) {
  for (const std::string& line : split(plan_toml, '\n')) {
    std::string_view text = trim(line);
    if (text.empty()) continue;
    if (!text.starts_with('#')) return "";
    text.remove_prefix(std::min(text.find_first_not_of('#'), text.size()));
    text = trim(text);
    constexpr std::string_view kLabel = "Question:";
    if (text.starts_with(kLabel)) text = trim(text.substr(kLabel.size()));
    if (!text.empty()) return std::string(text);
  }
  return "";
}

std::string Answer::sentence() const { return fmt::format("{} {} ({}): {}", name, claim, where, figures); }

std::vector<Answer> answers(const Analysis& analysis) {
  std::vector<Answer> list;
  const auto groups = headline_groups(analysis);
  for (const Agreement& agreement : agreements(groups)) list.push_back(answer_of(agreement, groups));
  return list;
}

}  // namespace lab::report
