// SPDX-License-Identifier: Apache-2.0
#include "probe/prometheus.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "probe/testing/fake_prometheus.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }

TEST(PromQl, ValuesAreQuotedAndNamesAreNames) {
  const auto text =
      to_promql({"m:x", {{"a", LabelMatch::kEquals, "q\"b\\n\n{}"}, {"b", LabelMatch::kRegex, "x.*"}}});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"(m:x{a="q\"b\\n\n{}",b=~"x.*"})");
  EXPECT_EQ(*to_promql({"m", {}}), "m{}");
  for (const SeriesSelector& bad :
       {SeriesSelector{"m{", {}}, SeriesSelector{"", {}}, SeriesSelector{"1m", {}},
        SeriesSelector{"m", {{"a b", LabelMatch::kEquals, ""}}},
        SeriesSelector{"m", {{"a:b", LabelMatch::kEquals, ""}}}})
    EXPECT_EQ(to_promql(bad).error().code, ErrorCode::kInvalidArgument);
}

TEST(PromQl, ALiteralMatchesItselfAndNothingElse) {
  EXPECT_EQ(regex_literal("data-a.b+(c)|d"), R"(data-a\.b\+\(c\)\|d)");
  EXPECT_EQ(regex_any_of({"a.b", "c"}), R"(a\.b|c)");
}

TEST(PrometheusClient, GivesTheValueAndTheAgeOfEachSeries) {
  FakePrometheus server;
  server.series["m"] = {{R"("volume":"a","node":"x")", "1.1917312e+08", 12.5}, {R"("volume":"b")", "0", 0}};
  Prometheus prometheus(server.config());
  const auto samples = prometheus.query({"m", {{"volume", LabelMatch::kRegex, "a|b"}}}, soon());
  ASSERT_TRUE(samples) << samples.error().text();
  ASSERT_EQ(samples->size(), 2U);
  const SeriesSample& first = (*samples)[0].label("volume") == "a" ? (*samples)[0] : (*samples)[1];
  EXPECT_EQ(first.value, 119'173'120);
  EXPECT_EQ(first.age, 12'500ms);
  EXPECT_EQ(first.label("node"), "x");
  EXPECT_EQ(first.label("none"), "");
  EXPECT_FALSE(first.labels.contains("deduplab_part"));
  EXPECT_EQ(server.questions().back().path, "/api/v1/query");
}

TEST(PrometheusClient, TheExpressionGoesEncodedInTheBody) {
  FakePrometheus server;
  Prometheus prometheus(server.config());
  const std::string odd = "a&b=c+d%20 \"\\\n\xC3\xA9";
  const auto samples = prometheus.query({"m", {{"l", LabelMatch::kEquals, odd}}}, soon());
  ASSERT_TRUE(samples) << samples.error().text();
  EXPECT_TRUE(samples->empty());
  const auto question = server.questions().back();
  const std::string selector = *to_promql({"m", {{"l", LabelMatch::kEquals, odd}}});
  EXPECT_EQ(question.query, "label_replace(" + selector + R"(,"deduplab_part","value","","") or )" +
                                "label_replace(timestamp(" + selector + R"(),"deduplab_part","time","",""))");
  EXPECT_EQ(question.body, "query=" + percent_encode(question.query));
}

TEST(PrometheusClient, ASampleThatIsTooOldIsMissingWithItsAge) {
  FakePrometheus server;
  server.series["m"] = {{R"("volume":"a")", "1", 1}, {R"("volume":"b")", "2", 143.5}};
  Prometheus prometheus(server.config());
  const auto stale = prometheus.query({"m", {}}, soon());
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(stale.error().detail,
            "stale: the newest sample of m{volume=\"b\"} is 143.5 s old, 90.0 s are allowed");
  server.series["m"] = {{R"("volume":"a")", "1", -200}};
  EXPECT_FALSE(prometheus.query({"m", {}}, soon())) << "a sample from the future";
}

TEST(PrometheusClient, WhatIsNoFigureIsAnError) {
  for (const char* value : {"NaN", "+Inf", "-Inf", "", "abc", "1 2"}) {
    SCOPED_TRACE(value);
    FakePrometheus server;
    server.series["m"] = {{R"("volume":"a")", value, 1}};
    Prometheus prometheus(server.config());
    const auto failed = prometheus.query({"m", {}}, soon());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kCorruption);
  }
}

TEST(PrometheusClient, AnAnswerWithWarningsIsRefused) {
  FakePrometheus server;
  server.series["m"] = {{R"("volume":"a")", "1", 1}};
  server.more = R"(,"warnings":["remote read: one store is away"])";
  Prometheus prometheus(server.config());
  const auto failed = prometheus.query({"m", {}}, soon());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kRefused);
  EXPECT_NE(failed.error().detail.find("one store is away"), std::string::npos);
  server.more = R"(,"warnings":[])";
  EXPECT_TRUE(prometheus.query({"m", {}}, soon()));
}

TEST(PrometheusClient, AnAnswerThatIsNotOfTheApiIsAnError) {
  const std::string ok = R"({"status":"success","data":{"resultType":"vector","result":[)";
  for (const std::string& body :
       {std::string(), std::string("<html>"), std::string("[]"), std::string("{}"),
        std::string(R"({"status":"error","errorType":"bad_data","error":"x"})"),
        std::string(R"({"status":"success"})"), std::string(R"({"status":"success","data":[]})"),
        std::string(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"),
        std::string(R"({"status":"success","data":{"resultType":"vector","result":{}}})"), ok + "]}",
        ok + "1]}}", ok + R"({"metric":{},"value":[1]}]}})", ok + R"({"metric":{},"value":["1","2"]}]}})",
        ok + R"({"metric":{},"value":[1,2]}]}})", ok + R"({"metric":{"a":1},"value":[1,"2"]}]}})",
        ok + R"({"metric":{},"value":[1,"2"]}]}})",
        ok + R"({"metric":{"deduplab_part":"value"},"value":[1,"2"]}]}})",
        ok + R"({"metric":{"deduplab_part":"time"},"value":[1,"2"]}]}})"}) {
    SCOPED_TRACE(body);
    ScriptedHttp server(ScriptedHttp::Answer{200, body, "application/json"});
    Prometheus prometheus({.endpoint = {.url = server.url()}});
    const auto failed = prometheus.query({"m", {}}, soon());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kCorruption);
  }
}

TEST(PrometheusClient, AServerThatIsGoneIsAskedThreeTimesAndIsMissing) {
  FakePrometheus server;
  server.series["m"] = {{"", "1", 1}};
  ScriptedTime time;
  Prometheus prometheus(server.config(), time);
  ASSERT_TRUE(prometheus.query({"m", {}}, soon()));
  server.stop();
  const auto failed = prometheus.query({"m", {}}, soon());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(failed.error().detail.ends_with("(asked 3 times)")) << failed.error().text();
}

TEST(PrometheusClient, ScrapesOfOneThingAreOneIfTheyAgree) {
  const std::vector<SeriesSample> agree{{{{"v", "a"}, {"job", "x"}}, 1, {}},
                                        {{{"v", "a"}, {"job", "y"}}, 1, {}}};
  const auto one = values_by_label(agree, "v", "m");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, (std::map<std::string, double>{{"a", 1}}));
  const std::vector<SeriesSample> differ{{{{"v", "a"}, {"job", "x"}}, 1, {}},
                                         {{{"v", "a"}, {"job", "y"}}, 2, {}}};
  EXPECT_EQ(values_by_label(differ, "v", "m").error().code, ErrorCode::kCorruption);
  EXPECT_EQ(values_by_label(agree, "w", "m").error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace lab
