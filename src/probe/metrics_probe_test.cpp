// Figures of exporters that are asked directly: any endpoint, and MinIO's.
// SPDX-License-Identifier: Apache-2.0
#include "probe/metrics_probe.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "probe/minio_probe.hpp"
#include "probe/testing/scripted_http.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }

constexpr const char* kPool =
    "# TYPE pool_used_bytes gauge\n"
    "pool_used_bytes{pool=\"a\",host=\"x\"} 1.5e+06\n"
    "pool_used_bytes{pool=\"a\",host=\"y\"} 500000\n"
    "pool_used_bytes{pool=\"b\",host=\"x\"} 7\n"
    "pool_ratio 0.5\n"
    "pool_used_bytes_bucket{le=\"+Inf\"} 3\n";

class MetricsProbes : public testing::Test {
 protected:
  Result<ByteMap> read(std::map<std::string, std::string> labels, bool sum,
                       const std::string& metric = "pool_used_bytes") {
    ScriptedHttp server(ScriptedHttp::Answer{200, text_, type_});
    const auto probe = make_metrics_probe({.name = "pool",
                                           .endpoint = {.url = server.url("/metrics")},
                                           .metric = metric,
                                           .labels = std::move(labels),
                                           .sum = sum});
    EXPECT_EQ(probe->info().name, "metrics:pool");
    return probe->read(soon());
  }

  std::string text_ = kPool;
  std::string type_ = "text/plain; version=0.0.4; charset=utf-8";
};

TEST_F(MetricsProbes, TheOneSeriesThatMatchesIsTheFigure) {
  const auto one = read({{"pool", "a"}, {"host", "y"}}, false);
  ASSERT_TRUE(one) << one.error().text();
  EXPECT_EQ(*one, (ByteMap{{"metrics:pool", 500'000}}));
  EXPECT_EQ(*read({{"pool", "b"}, {"zone", ""}}, false), (ByteMap{{"metrics:pool", 7}}));
}

TEST_F(MetricsProbes, AnExporterThatHangsHasItsOwnLimitWhateverTheCallAllows) {
  ScriptedHttp server([](const ScriptedHttp::Question&) {
    std::this_thread::sleep_for(1s);
    return ScriptedHttp::Answer{200, kPool};
  });
  const auto probe = make_metrics_probe({.name = "pool",
                                         .endpoint = {.url = server.url("/metrics")},
                                         .metric = "pool_ratio",
                                         .limit = Millis{100}});
  const auto figure = probe->read({Clock::now() + 1h, {}});
  ASSERT_FALSE(figure);
  EXPECT_EQ(figure.error().code, ErrorCode::kTimeout) << figure.error().text();
}

TEST_F(MetricsProbes, SeveralThatMatchAreSummedWhenAskedForAndElseRefused) {
  EXPECT_EQ(*read({{"pool", "a"}}, true), (ByteMap{{"metrics:pool", 2'000'000}}));
  EXPECT_EQ(*read({}, true), (ByteMap{{"metrics:pool", 2'000'007}}));
  const auto several = read({{"pool", "a"}}, false);
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().code, ErrorCode::kRefused);
  EXPECT_EQ(several.error().detail,
            "2 series match: pool_used_bytes{host=\"x\",pool=\"a\"}, pool_used_bytes{host=\"y\",pool=\"a\"}");
}

TEST_F(MetricsProbes, NoneThatMatchesIsMissingAndNeverZero) {
  for (const bool sum : {false, true}) {
    const auto none = read({{"pool", "c"}}, sum);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(
        none.error().detail,
        "no series matches pool_used_bytes{pool=\"c\"}; there is pool_used_bytes{host=\"x\",pool=\"a\"}");
    EXPECT_EQ(read({}, sum, "pool_used").error().detail, "pool_used is not among the metrics");
    EXPECT_EQ(read({}, sum, "no name").error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(MetricsProbes, AValueThatIsNoNumberOfBytesMakesTheFigureMissing) {
  for (const char* value : {"NaN", "+Inf", "-1", "0.5"}) {
    SCOPED_TRACE(value);
    text_ = std::string(kPool) + "pool_used_bytes{pool=\"d\"} " + value + "\n";
    const auto bad = read({}, true);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::kCorruption);
    EXPECT_TRUE(read({{"pool", "b"}}, false)) << "other series are not touched by it";
  }
}

TEST_F(MetricsProbes, ABrokenOrCutAnswerIsMissingEvenIfTheSeriesIsThere) {
  text_ = std::string(kPool) + "broken{\n";
  EXPECT_EQ(read({{"pool", "b"}}, false).error().code, ErrorCode::kCorruption);
  text_ = std::string(kPool) + "pool_used_bytes{pool=\"d\"} 1";
  EXPECT_EQ(read({{"pool", "b"}}, false).error().code, ErrorCode::kCorruption);
  text_ = "<html>not found</html>\n";
  EXPECT_EQ(read({}, true).error().code, ErrorCode::kCorruption);
}

TEST_F(MetricsProbes, ATimestampThatIsOldOrAheadMakesItStale) {
  const auto with_age = [&](std::int64_t seconds) {
    text_ = fmt::format("pool_used_bytes 5 {}\n", wall_time_ms() - seconds * 1'000);
    return read({}, false);
  };
  EXPECT_EQ(*with_age(10), (ByteMap{{"metrics:pool", 5}}));
  const auto old = with_age(600);
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(old.error().detail.starts_with("stale: pool_used_bytes{} is 60")) << old.error().text();
  EXPECT_FALSE(with_age(-600));
  text_ = "pool_used_bytes 5 -9223372036854775808\n";
  EXPECT_FALSE(read({}, false));
}

TEST_F(MetricsProbes, OpenMetricsIsReadByItsOwnRules) {
  type_ = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  text_ = fmt::format("pool_used_bytes 5 {}.5\n# EOF\n", wall_time_ms() / 1'000);
  EXPECT_EQ(*read({}, false), (ByteMap{{"metrics:pool", 5}}));
  text_ = "pool_used_bytes 5\n";
  EXPECT_EQ(read({}, false).error().code, ErrorCode::kCorruption);
}

TEST_F(MetricsProbes, AnExporterThatIsGoneIsMissing) {
  ScriptedHttp server(ScriptedHttp::Answer{200, kPool});
  ScriptedTime time;
  const auto probe = make_metrics_probe(
      {.name = "pool", .endpoint = {.url = server.url()}, .metric = "pool_used_bytes", .sum = true}, time);
  ASSERT_TRUE(probe->read(soon()));
  server.stop();
  const auto gone = probe->read(soon());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kConnectionLost);
}

TEST_F(MetricsProbes, ASumIsOfTheSameSeriesAtEachReading) {
  const std::string a = "pool_used_bytes{host=\"x\"} 10\n";
  const std::string b = "pool_used_bytes{host=\"y\"} 20\n";
  struct Case {
    const char* what;
    std::string later;
    const char* word;
  };
  for (const Case& one :
       {Case{"one is gone", a, "{host=\"y\"} is gone"},
        Case{"one is new", a + b + "pool_used_bytes{host=\"z\"} 1\n", "{host=\"z\"} is new"}}) {
    SCOPED_TRACE(one.what);
    const std::string answers[] = {a + b, b + a, one.later};
    std::size_t asked = 0;
    ScriptedHttp server(
        [&](const ScriptedHttp::Question&) { return ScriptedHttp::Answer{200, answers[asked++]}; });
    const auto probe = make_metrics_probe(
        {.name = "pool", .endpoint = {.url = server.url()}, .metric = "pool_used_bytes", .sum = true});
    EXPECT_EQ(*probe->read(soon()), (ByteMap{{"metrics:pool", 30}}));
    EXPECT_EQ(*probe->read(soon()), (ByteMap{{"metrics:pool", 30}})) << "their order is nobody's promise";
    const auto other = probe->read(soon());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::kRefused);
    EXPECT_NE(other.error().detail.find(one.word), std::string::npos) << other.error().detail;
  }
}

/// What a cluster of four drives says, with a trap: usage of buckets.
std::string minio_text(const std::string& more) {
  return "# TYPE minio_cluster_capacity_raw_total_bytes gauge\n"
         "minio_cluster_capacity_raw_total_bytes{server=\"a:9000\"} 4e+09\n"
         "minio_cluster_capacity_usable_total_bytes{server=\"a:9000\"} 3e+09\n"
         "minio_cluster_usage_total_bytes{server=\"a:9000\"} 123\n" +
         more;
}

Result<ByteMap> read_minio(const std::string& more) {
  ScriptedHttp server(ScriptedHttp::Answer{200, minio_text(more)});
  const auto probe = make_minio_probe({{.url = server.url("/minio/v2/metrics/cluster"), .secret = "token"}});
  EXPECT_EQ(probe->info().name, "minio");
  EXPECT_GE(probe->info().lag, 60s);
  const auto read = probe->read(soon());
  EXPECT_EQ(server.questions().back().authorization, "Bearer token");
  return read;
}

TEST(MinioProbe, WhatIsInUseOnTheDrivesIsTheFigureAndNotTheUsageOfBuckets) {
  const std::string free = "minio_cluster_capacity_raw_free_bytes{server=\"a:9000\"} 2.5e+09\n";
  for (const char* const offline :
       {"minio_cluster_drive_offline_total", "minio_cluster_disk_offline_total"}) {
    const auto read = read_minio(free + offline + "{server=\"a:9000\"} 0\n");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, (ByteMap{{"minio", 1'500'000'000}}));
  }
}

TEST(MinioProbe, ADriveThatIsOfflineOrNotToldOfMakesItMissing) {
  const std::string free = "minio_cluster_capacity_raw_free_bytes 2.5e+09\n";
  const auto offline = read_minio(free + "minio_cluster_drive_offline_total 1\n");
  ASSERT_FALSE(offline);
  EXPECT_EQ(offline.error().code, ErrorCode::kRefused);
  EXPECT_EQ(offline.error().detail, "1 drives are offline");
  EXPECT_EQ(read_minio(free).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_minio("minio_cluster_drive_offline_total 0\n").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_minio("minio_cluster_drive_offline_total 0\nminio_cluster_capacity_raw_free_bytes 5e9\n")
                .error()
                .code,
            ErrorCode::kCorruption);
  EXPECT_EQ(
      read_minio(
          free +
          "minio_cluster_capacity_raw_free_bytes{server=\"b\"} 1\nminio_cluster_drive_offline_total 0\n")
          .error()
          .code,
      ErrorCode::kCorruption);
}

}  // namespace
}  // namespace lab
