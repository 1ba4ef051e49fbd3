// The page as text: foreign text stays text, nothing is loaded, absent figures stay absent. How it looks and
// runs is checked in a browser by tests/e2e. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <string_view>

#include "model/cell.hpp"
#include "report/report_html_parts.hpp"

namespace lab::report {
namespace {

using nlohmann::json;

// The last ones: a comment with a script inside would hide the end of the page's own, and some engines take
// the two separators for ends of lines.
constexpr std::string_view kPlanted =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>--><!--<script>\u2028\u2029";

StageRow row_of(const std::string& system, int grade, int repetition) {
  StageRow row{.stage_id = repetition, .attempt = 1};
  StageRecord& record = row.record;
  record.cell = {
      .system = system, .variant = "default", .mode = "blob", .cache = "warm", .repetition = repetition};
  record.cell.dataset.payload = "random_binary";
  record.cell.dataset.grade = grade;
  record.cell.dataset.objects = 100;
  record.cell_id = cell_id(record.cell);
  record.chain = record.stage = "bulk_insert";
  record.server = {"SQLite", "3.40.1", "/data", ""};
  record.valid = true;
  record.objects = 100;
  record.logical_bytes = 100 * 131'072;
  record.duration_seconds = 2;
  record.started_ms = 1'000'000;
  record.ended_ms = 1'002'000;
  return row;
}

/// The group of these rows of `run`, all of one matrix point.
Group group_of(const RunData& run, std::vector<std::size_t> rows) {
  const StageRecord& record = run.stages[rows.front()].record;
  Group group{
      .system = record.cell.system, .variant = record.cell.variant, .payload = record.cell.dataset.payload};
  group.object_size = object_size_name(record.cell.dataset);
  group.objects = record.cell.dataset.objects;
  group.grade = grade_name(record.cell.dataset.grade);
  group.order = "shuffled";
  group.placement = "within";
  group.mode = "blob";
  group.cache = "warm";
  group.chain = group.stage = record.stage;
  group.valid_rows = rows.size();
  group.rows = std::move(rows);
  return group;
}

Verdict verdict_of(VerdictWord word, std::optional<double> eta) {
  Verdict verdict{.grade = "U90", .stage = "bulk_insert", .probe = "files", .eta = eta};
  if (eta) verdict.low = *eta - 0.001, verdict.high = *eta + 0.001;
  verdict.n = 5;
  verdict.word = word;
  return verdict;
}

/// One valid record of sqlite at U90 with verdict none.
struct Sample1 {
  RunData run{};
  Analysis analysis{};
  Sample1() {
    run.info = {.run_id = "run-1",
                .seed = 18'446'744'073'709'551'615ULL,
                .plan_toml = "# Question: does it?\nseed = 1\n"};
    run.stages.push_back(row_of("sqlite", 90, 1));
    analysis.figures.push_back({.stored_bytes = {{"files", 13'200'000}}, .edr = {{"files", 0.993}}});
    analysis.groups.push_back(group_of(run, {0}));
    analysis.groups[0].verdicts["files"] = verdict_of(VerdictWord::kNone, 0.0004);
    analysis.valid = 1;
  }
};

Result<std::vector<Sample>> no_samples(const StageRow& /*row*/) { return std::vector<Sample>{}; }

std::string page_of(const RunData& run, const Analysis& analysis, const SampleSource& samples = no_samples) {
  const auto page = report_html(run, analysis, samples);
  EXPECT_TRUE(page) << (page ? "" : page.error().text());
  return page ? *page : "";
}

/// What stands between the first `begin` after `from` and the next `end`.
std::string between(std::string_view text, std::string_view begin, std::string_view end,
                    std::size_t from = 0) {
  const std::size_t at = text.find(begin, from);
  if (at == std::string_view::npos) return "";
  const std::size_t start = at + begin.size();
  return std::string(text.substr(start, text.find(end, start) - start));
}

json data_of(const std::string& page) {
  return json::parse(between(page, R"(id="report-data">)", "</script>"), nullptr, false);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

TEST(ReportHtml, ForeignTextNeverBecomesMarkup) {
  Sample1 sample;
  StageRecord& record = sample.run.stages[0].record;
  record.server = {std::string(kPlanted), std::string(kPlanted), std::string(kPlanted), ""};
  record.cell.dataset.payload = sample.analysis.groups[0].payload = kPlanted;
  record.settings = {{std::string(kPlanted), std::string(kPlanted)}};
  record.missing = {{"engine", std::string(kPlanted)}};
  sample.analysis.groups[0].verdicts["files"].reason = kPlanted;
  sample.run.info.run_id = kPlanted;
  sample.run.info.plan_toml = fmt::format("# Question: {}\n", kPlanted);
  sample.run.environment_json = fmt::format(R"({{"kernel": "{}"}})", kPlanted);
  sample.run.notes = {std::string(kPlanted)};
  const std::string page = page_of(sample.run, sample.analysis);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img src=x"), std::string::npos);
  EXPECT_EQ(page.find("<!--<script"), std::string::npos);
  EXPECT_EQ(count_of(page, "</script>"), 3U) << "data, charts and the page's own";
  const json data = data_of(page);
  EXPECT_EQ(data["servers"][0]["version"], kPlanted) << "text arrives unchanged";
  EXPECT_EQ(data["points"][0]["payload"], kPlanted);
  EXPECT_EQ(data["run"]["notes"][0], kPlanted);
}

TEST(ReportHtml, BytesThatAreNotUtf8DoNotBreakThePage) {
  Sample1 sample;
  sample.run.stages[0].record.server.version = "3.\xff\xfe";
  sample.run.info.plan_toml = "# Question: \xff?\n";
  EXPECT_EQ(data_of(page_of(sample.run, sample.analysis))["servers"][0]["version"], "3.\uFFFD\uFFFD");
}

TEST(ReportHtml, LoadsNothing) {
  Sample1 sample;
  std::string page = page_of(sample.run, sample.analysis);
  // The scripts hold words such as href= as text; the policy, checked below, keeps them from loading.
  page = std::regex_replace(between(page, "<!doctype", R"(<script type="application/json")"),
                            std::regex("<!--.*?-->"), "");
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("url("), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_EQ(count_of(page, "href="), count_of(page, "href=\"#") + count_of(page, "href=\"data:,\""));
}

TEST(ReportHtml, AllowsOnlyItsOwnScriptsToRun) {
  Sample1 sample;
  const std::string page = page_of(sample.run, sample.analysis);
  const std::string policy = between(page, R"(http-equiv="Content-Security-Policy" content=")", "\"");
  EXPECT_TRUE(policy.starts_with("default-src 'none';")) << policy;
  const std::string scripts = between(policy, "script-src", ";");
  EXPECT_EQ(count_of(scripts, "'sha256-"), 2U) << policy;
  EXPECT_EQ(scripts.find("unsafe"), std::string::npos) << policy;
  EXPECT_EQ(policy.find("connect-src"), std::string::npos) << "default-src forbids it";
}

TEST(ReportHtml, FiguresThatAreNotKnownStayAbsent) {
  Sample1 sample;
  sample.analysis.figures[0] = {.missing = {{"files", "below resolution"}}};
  sample.analysis.groups[0].verdicts["files"] = verdict_of(VerdictWord::kInconclusive, std::nullopt);
  const json data = data_of(page_of(sample.run, sample.analysis));
  EXPECT_TRUE(data["points"][0]["verdicts"]["files"]["eta"].is_null());
  EXPECT_TRUE(data["points"][0]["verdicts"]["files"]["low"].is_null());
  EXPECT_FALSE(data["points"][0].contains("edr"));
  EXPECT_FALSE(data["points"][0].contains("edr_max"));
  const json& row = data["rows"][0];
  EXPECT_TRUE(row["stored"].empty());
  for (const char* key : {"freed", "reuse", "latency", "to_95", "peak"})
    EXPECT_FALSE(row.contains(key)) << key;
  EXPECT_EQ(data["texts"][row["missing"][0][1].get<std::size_t>()], "below resolution");
}

TEST(ReportHtml, HoldsLadderScopeCostsLatenciesAndServerTimes) {
  Sample1 sample;
  StageRecord& record = sample.run.stages[0].record;
  record.server_seconds = {{"INSERT", 1.5}};
  record.client_cpu_seconds = 0.25;
  Group& group = sample.analysis.groups[0];
  group.ladder = LadderSummary{.steps = {{"L", "files", 0.993, 0.99, 0.996}}, .whole = 0.993, .n = 5};
  group.ladder->scope = {{"files", "one copy"}};
  group.ladder->broken = std::string(kPlanted);
  group.ladder->vanishing = Vanishing{VanishWord::kNowhere, {}, "none at every rung"};
  group.costs = {{.quantity = "stored_bytes:files",
                  .original = Estimate{.mean = 131'073, .n = 1},
                  .copy = Estimate{.mean = 131'072, .no_interval = std::string(kPlanted), .n = 1},
                  .refused = {{std::string(kPlanted), 2}}}};
  group.edr = {{"files", Estimate{.mean = 2, .no_interval = "noise floor not measured", .n = 5}},
               {"apparent", Estimate{.mean = 2, .low = 1.5, .high = 2.5, .n = 5}}};
  group.latencies["p99"] = {.n = 4, .missing = "n too small"};
  const std::string page = page_of(sample.run, sample.analysis);
  EXPECT_EQ(count_of(page, "</script>"), 3U) << "a reason is foreign text";
  const json data = data_of(page);
  const json& point = data["points"][0];
  const auto text = [&](const json& index) { return data["texts"][index.get<std::size_t>()]; };
  EXPECT_EQ(point["ladder"]["steps"][0], json({"L", "files", 0.993, 0.99, 0.996}));
  EXPECT_EQ(point["scope"]["files"], "one copy");
  EXPECT_EQ(text(point["ladder"]["broken"]), kPlanted);
  EXPECT_EQ(point["ladder"]["vanish"][0], "nowhere");
  EXPECT_EQ(point["costs"][0]["copy"], json({131'072, nullptr, nullptr})) << "one block has no interval";
  EXPECT_EQ(text(point["costs"][0]["no_interval"]), kPlanted);
  EXPECT_EQ(text(point["edr"]["files"][4]), "noise floor not measured");
  EXPECT_EQ(point["edr"]["apparent"], json({2, 1.5, 2.5, 5, nullptr}));
  EXPECT_TRUE(point["latencies"]["p99"].find("median") == point["latencies"]["p99"].end());
  EXPECT_EQ(text(point["latencies"]["p99"]["missing"]), "n too small");
  EXPECT_EQ(data["rows"][0]["server"]["INSERT"], 1.5);
  EXPECT_EQ(data["rows"][0]["cpu"], 0.25);
}

TEST(ReportHtml, NumbersOfInvalidAndSupersededRecordsDoNotReachThePage) {
  Sample1 sample;
  sample.run.stages.push_back(row_of("sqlite", 90, 2));
  sample.run.stages[1].record.valid = false;
  sample.run.stages[1].record.reason = "CONNECTION_LOST in the stage";
  sample.run.stages.push_back(row_of("sqlite", 90, 3));
  sample.run.stages[2].record.superseded = true;
  sample.analysis.figures.resize(3, {.stored_bytes = {{"files", 987'654'321}}});
  const json data = data_of(page_of(sample.run, sample.analysis));
  for (const std::size_t row : {1U, 2U})
    for (const char* key : {"stored", "L", "seconds", "acked"})
      EXPECT_FALSE(data["rows"][row].contains(key)) << key;
  EXPECT_EQ(data["rows"][1]["state"], 1);
  EXPECT_EQ(data["rows"][2]["state"], 2);
  EXPECT_EQ(data["texts"][data["rows"][1]["reason"].get<std::size_t>()], "CONNECTION_LOST in the stage");
}

TEST(ReportHtml, SeedKeepsAllItsDigits) {
  Sample1 sample;
  EXPECT_EQ(data_of(page_of(sample.run, sample.analysis))["run"]["seed"], "18446744073709551615");
}

TEST(ReportHtml, AnEmptyRunHasAPage) {
  const json data = data_of(page_of(RunData{}, Analysis{}));
  EXPECT_TRUE(data["rows"].empty());
  EXPECT_TRUE(data["answers"].empty());
}

TEST(ReportHtml, EightThousandRecordsTakeLessThanEightMegabytes) {
  RunData run;
  Analysis analysis;
  for (int i = 0; i < 8'064; ++i) {
    run.stages.push_back(row_of(fmt::format("system_{}", i / 500), i % 100, i / 5 % 5 + 1));
    run.stages.back().record.latency.values_us = {{"p50", 1.0 / 3}, {"p90", 2.0 / 3}, {"p99", 10.0 / 3}};
    ByteMap bytes;
    for (const char* probe :
         {"engine", "apparent", "files", "files:payload", "files:index", "files:log", "files:meta"})
      bytes[probe] = 13'107'200 + i;
    analysis.figures.push_back({.stored_bytes = bytes});
  }
  const std::string page = page_of(run, analysis);
  EXPECT_GT(page.size(), 100'000U);
  EXPECT_LT(page.size(), 8'000'000U);
}

TEST(ReportHtml, SaysWhySamplesAreNotThere) {
  Sample1 sample;
  const auto unreadable = [](const StageRow&) -> Result<std::vector<Sample>> {
    return Error{ErrorCode::kCorruption, "journal.samples", "malformed"};
  };
  const json curves = data_of(page_of(sample.run, sample.analysis, unreadable))["curves"];
  EXPECT_EQ(curves["unread"], 1);
  EXPECT_NE(curves["unread_reason"].get<std::string>().find("malformed"), std::string::npos);
}

TEST(ReportQuestion, IsTheFirstCommentOfThePlan) {
  struct Case {
    const char* what;
    const char* plan;
    const char* want;
  };
  for (const Case& c : {Case{"with its label", "# Question: does it?\n[run]\n", "does it?"},
                        Case{"without a label", "\n## Why is it so?\n", "Why is it so?"},
                        Case{"an empty comment first", "#\n# Question: and now?\n", "and now?"},
                        Case{"no comment", "[run]\n# later\n", ""}, Case{"nothing", "", ""}}) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(plan_question(c.plan), c.want);
  }
}

TEST(ReportAnswer, IsOneSentenceASystemAtTheHighestGrade) {
  struct Case {
    const char* what = "";
    Verdict verdict;
    const char* want = "";
  };
  Verdict semantic = verdict_of(VerdictWord::kSemantic, std::nullopt);
  semantic.removed = 90;
  semantic.of = 100;
  for (const Case& c :
       {Case{"none", verdict_of(VerdictWord::kNone, -0.0001),
             "sqlite pays for every duplicate (random_binary at U90): eta 0.000 [\u22120.001, 0.001], "
             "verdict none "
             "(n\u00a0=\u00a05)"},
        Case{"full", verdict_of(VerdictWord::kFull, 0.998),
             "sqlite stores every duplicate once (random_binary at U90): eta 0.998 [0.997, 0.999], verdict "
             "full "
             "(n\u00a0=\u00a05)"},
        Case{
            "no estimate", verdict_of(VerdictWord::kInconclusive, std::nullopt),
            "sqlite leaves the question open (random_binary at U90): verdict inconclusive (n\u00a0=\u00a05)"},
        Case{"semantic", semantic,
             "sqlite keeps one object per key, as it declares (random_binary at U90): 90 of 100 objects "
             "removed, "
             "verdict semantic (n\u00a0=\u00a05)"}}) {
    SCOPED_TRACE(c.what);
    Sample1 sample;
    sample.analysis.groups[0].verdicts["files"] = c.verdict;
    Group lower = sample.analysis.groups[0];
    lower.grade = "U50";
    lower.verdicts["files"].word = VerdictWord::kPartial;
    sample.analysis.groups.push_back(lower);
    const auto list = answers(sample.analysis);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].sentence(), c.want);
  }
}

TEST(ReportAnswer, UnitesPayloadsThatSayTheSameAndKeepsTheOthersApart) {
  Sample1 sample;
  for (const auto& [payload, word, eta] : {std::tuple{"structured_json", VerdictWord::kNone, 0.002},
                                           std::tuple{"text_document", VerdictWord::kFull, 0.99}}) {
    Group group = sample.analysis.groups[0];
    group.payload = payload;
    group.verdicts["files"] = verdict_of(word, eta);
    sample.analysis.groups.push_back(group);
  }
  const auto list = answers(sample.analysis);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].where, "random_binary, structured_json at U90");
  EXPECT_EQ(list[0].figures, "eta from 0.000 to 0.002, verdict none (n\u00a0=\u00a05)");
  EXPECT_EQ(list[1].where, "text_document at U90");
}

TEST(ReportAnswer, NamesTheConditionsInWhichTwoAnswersOfOneSystemDiffer) {
  Sample1 sample;
  Group native = sample.analysis.groups[0];
  native.mode = "native";
  native.verdicts["files"] = verdict_of(VerdictWord::kPartial, 0.5);
  sample.analysis.groups.push_back(native);
  const auto list = answers(sample.analysis);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].where, "random_binary at U90, " + sample.analysis.groups[0].mode);
  EXPECT_EQ(list[1].where, "random_binary at U90, native");
  sample.analysis.groups[1].payload = "text_document";
  EXPECT_EQ(answers(sample.analysis)[1].where, "text_document at U90") << "the payload says it";
  sample.analysis.groups[1] = native;
  sample.analysis.groups[1].mode = sample.analysis.groups[0].mode;
  sample.analysis.groups[1].object_size = "65536";
  EXPECT_EQ(answers(sample.analysis)[1].where, "random_binary at U90, 64 KiB");
}

TEST(ReportAnswer, LeavesOutControlsOtherStagesAndU0) {
  Sample1 sample;
  const Group group = sample.analysis.groups[0];
  for (auto change : {+[](Group& g) { g.control = true; }, +[](Group& g) { g.stage = "refill"; },
                      +[](Group& g) { g.grade = "U0"; }}) {
    sample.analysis.groups = {group};
    change(sample.analysis.groups[0]);
    EXPECT_TRUE(answers(sample.analysis).empty());
  }
}

TEST(ReportAnswer, SaysThatThereIsNoneWhereNoPairIsValid) {
  Sample1 sample;
  sample.analysis.groups[0].verdicts.clear();
  const auto list = answers(sample.analysis);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].sentence(),
            "sqlite has no answer (random_binary at U90): no complete valid pair of bulk_insert");
}

TEST(ReportCurve, ThinningKeepsTheEndsAndThePeak) {
  std::vector<CurvePoint> line;
  for (int i = 0; i < 5'000; ++i) line.push_back({i, i == 3'210 ? 1e9 : std::sin(i * 0.01)});
  const auto kept = thin(line, 100);
  ASSERT_EQ(kept.size(), 100U);
  EXPECT_EQ(kept.front().time_ms, 0);
  EXPECT_EQ(kept.back().time_ms, 4'999);
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(), [](const CurvePoint& p) { return p.value == 1e9; }));
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(),
                             [](const auto& a, const auto& b) { return a.time_ms < b.time_ms; }));
  EXPECT_EQ(thin(kept, 100).size(), 100U) << "a short line is left alone";
}

TEST(ReportCurve, JoinsTheStagesOfAChainWithTheirReadings) {
  RunData run;
  for (const std::string stage : {"perfile_delete", "perfile_insert"}) {  // Not in the order of their begin.
    StageRow row = row_of("sqlite", 0, 1);
    row.record.chain = "perfile_insert>perfile_delete";
    row.record.stage = stage;
    const bool insert = stage == "perfile_insert";
    row.record.started_ms = insert ? 1'000 : 5'000;
    row.record.ended_ms = row.record.started_ms + 2'000;
    row.record.before_bytes = {{"files", insert ? 10 : 80}, {"apparent", 1}};
    row.record.after_bytes = {{"files", insert ? 80 : 30}};
    run.stages.push_back(row);
  }
  const auto samples = [](const StageRow& row) -> Result<std::vector<Sample>> {
    return std::vector<Sample>{{row.record.started_ms + 500, "files", 50, "bytes"},
                               {row.record.started_ms, "pages", 7, "1"}};
  };
  const Curves curves = collect_curves(run, samples);
  ASSERT_EQ(curves.list.size(), 1U);
  ASSERT_EQ(curves.list[0].stages.size(), 2U);
  EXPECT_EQ(curves.list[0].stages[0].row, 1U);
  ASSERT_EQ(curves.list[0].lines.size(), 1U) << "apparent was never sampled, pages is no size";
  const auto& line = curves.list[0].lines.at("files");
  std::vector<std::pair<std::int64_t, double>> points;
  for (const CurvePoint& point : line) points.emplace_back(point.time_ms, point.value);
  const std::vector<std::pair<std::int64_t, double>> want = {{0, 10},     {500, 50},   {2'000, 80},
                                                             {4'000, 80}, {4'500, 50}, {6'000, 30}};
  EXPECT_EQ(points, want);
}

TEST(ReportCurve, InvalidAndSupersededStagesHaveNone) {
  RunData run;
  run.stages = {row_of("sqlite", 0, 1), row_of("sqlite", 0, 2)};
  run.stages[0].record.valid = false;
  run.stages[1].record.superseded = true;
  const auto samples = [](const StageRow&) -> Result<std::vector<Sample>> {
    return std::vector<Sample>{{1'000'100, "files", 50, "bytes"}};
  };
  EXPECT_TRUE(collect_curves(run, samples).list.empty());
}

TEST(ReportCurve, ManyCurvesShareTheRoomOfOnePage) {
  RunData run;
  for (int i = 1; i <= 2'000; ++i) run.stages.push_back(row_of("sqlite", 0, i));
  const auto samples = [](const StageRow& row) -> Result<std::vector<Sample>> {
    std::vector<Sample> list;
    for (int i = 0; i < 500; ++i) list.push_back({row.record.started_ms + i, "files", i * 1.0, "bytes"});
    return list;
  };
  const Curves curves = collect_curves(run, samples);
  std::size_t points = 0;
  for (const Curve& curve : curves.list) points += curve.lines.at("files").size();
  EXPECT_EQ(curves.list.size(), 2'000U);
  EXPECT_LE(points, kCurvePointsTotal);
  EXPECT_EQ(curves.lines_thinned, 2'000U);
}

TEST(ReportHtml, AScanIsOnThePageByChunkerAndPartAndAMissingOneWithItsReason) {
  Sample1 sample;
  std::optional<StageScan>& scan = sample.run.stages[0].record.scan;
  scan.emplace();
  scan->rows = {{{ChunkerSpec::Kind::kCdc, 8192},
                 {.name = "log", .files = 1, .bytes = 1000, .unique_bytes = 250, .zero_bytes = 10}}};
  scan->census = CensusFigures{.copies_expected = 100, .copies_whole = 99, .parts = {{"log", 70, 50}}};
  json data = data_of(page_of(sample.run, sample.analysis));
  const json& row = data["rows"][0]["scan"]["rows"][0];
  EXPECT_EQ(data["texts"][row[0].get<std::size_t>()], "cdc:8192");
  EXPECT_EQ(data["texts"][row[1].get<std::size_t>()], "log");
  EXPECT_EQ(row[2], 1000);
  EXPECT_EQ(row[3], 250);
  EXPECT_EQ(row[4], 10);
  const json& census = data["rows"][0]["scan"]["census"];
  EXPECT_EQ(census["copies"], 100);
  EXPECT_EQ(census["whole"], 99);
  EXPECT_EQ(census["parts"][0][2], 50);
  EXPECT_FALSE(census.contains("gone"));
  *scan = StageScan{.missing = std::string(kPlanted)};
  const std::string page = page_of(sample.run, sample.analysis);
  EXPECT_EQ(count_of(page, "</script>"), 3U);
  data = data_of(page);
  EXPECT_EQ(data["texts"][data["rows"][0]["scan"]["missing"].get<std::size_t>()], kPlanted);
  scan.reset();
  EXPECT_FALSE(data_of(page_of(sample.run, sample.analysis))["rows"][0].contains("scan"));
}

}  // namespace
}  // namespace lab::report
