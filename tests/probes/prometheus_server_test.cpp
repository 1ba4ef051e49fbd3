// What a real Prometheus does when targets, series and the server itself go away: the probes have no figure
// then. SPDX-License-Identifier: Apache-2.0
#include "prometheus_server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/text.hpp"
#include "driver/waiting.hpp"
#include "probe/kubelet_probe.hpp"
#include "probe/longhorn_probe.hpp"
#include "probe/testing/scripted_http.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }

/// LAB_REQUIRE=prometheus: there a missing program is a failure and not a skip.
bool required() {
  const char* const list = std::getenv("LAB_REQUIRE");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  const auto names = split(list == nullptr ? "" : list, ',');
  return std::find(names.begin(), names.end(), "prometheus") != names.end();
}

class PrometheusServerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = PrometheusServer::program();
    if (!found && !required()) GTEST_SKIP() << found.error().text() << "; scripts/setup servers installs it";
    ASSERT_TRUE(found) << found.error().text();
  }

  void serve(const std::string& text) {
    const std::lock_guard hold(mutex_);
    text_ = text;
  }
  /// A claim on a healthy volume that holds `bytes`, with what the exporters of Kubernetes and Longhorn say.
  static std::string volume(const std::string& held) {
    return "kube_persistentvolumeclaim_info{namespace=\"db\",persistentvolumeclaim=\"data-pg-0\",volumename="
           "\"v\"} 1\n"
           "longhorn_volume_robustness{volume=\"v\",node=\"n\",state=\"healthy\"} 1\n"
           "longhorn_volume_robustness{volume=\"v\",node=\"n\",state=\"degraded\"} 0\n"
           "longhorn_engine_replica_mode{volume=\"v\",replica=\"r1\",mode=\"RW\"} 1\n"
           "longhorn_engine_replica_mode{volume=\"v\",replica=\"r2\",mode=\"RW\"} 1\n"
           "kubelet_volume_stats_used_bytes{namespace=\"db\",persistentvolumeclaim=\"data-pg-0\"} 1024\n"
           "longhorn_volume_actual_size_bytes{volume=\"v\",node=\"n\"} " +
           held + "\n";
  }
  PrometheusConfig config(Millis age_max = 20s) const { return {{.url = server_->url()}, age_max}; }
  void start(const std::string& password = "") {
    server_.emplace(target_.port(), password);
    const Status started = server_->start();
    ASSERT_TRUE(started) << started.error().text();
  }
  /// Reads until `wanted` is true of what comes, at most half a minute; the last reading.
  template <class Wanted>
  static Result<ByteMap> read_until(Probe& probe, Wanted&& wanted) {
    Result<ByteMap> last = Error{};
    ignore(poll_until(soon(), 50ms, "test.read",
                      [&]() -> Result<bool> {
                        last = probe.read(soon());
                        return wanted(last);
                      }),
           "the caller looks at what was read last");
    return last;
  }
  static bool is_there(const Result<ByteMap>& read) { return read.has_value(); }
  static bool is_missing(const Result<ByteMap>& read) { return !read; }

  std::mutex mutex_{};
  std::string text_{};
  ScriptedHttp target_{[this](const auto&) {
    const std::lock_guard hold(mutex_);
    return ScriptedHttp::Answer{200, text_};
  }};
  std::optional<PrometheusServer> server_{};
};

TEST_F(PrometheusServerTest, TheVolumesFigureIsReadAndFollowsItsTarget) {
  serve(volume("1.048576e+06"));
  start();
  const auto probe = make_longhorn_probe({config(), {"db", "data-pg"}});
  const auto first = read_until(*probe, is_there);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(*first, (ByteMap{{"volume", 1'048'576}, {"volume:data-pg-0", 1'048'576}}));
  const auto copies = probe->storage_copies(soon());
  ASSERT_TRUE(copies) << copies.error().text();
  EXPECT_EQ(**copies, 2.0);
  const auto states = probe->examine(soon());
  ASSERT_TRUE(states) << states.error().text();
  EXPECT_EQ((*states)[0].file_system_used, Bytes{1'024});
  const auto kubelet = make_kubelet_probe({config(), {"db", "data-pg"}});
  const auto used = kubelet->read(soon());
  ASSERT_TRUE(used) << used.error().text();
  EXPECT_EQ(used->at("kubelet"), 1'024);
  serve(volume("2097152"));
  const auto second =
      read_until(*probe, [](const auto& read) { return read && read->at("volume") == 2'097'152; });
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->at("volume"), 2'097'152);
}

TEST_F(PrometheusServerTest, ASeriesThatEndsIsMissingAtOnceAndNotItsOldValue) {
  serve(volume("4096"));
  start();
  const auto probe = make_longhorn_probe({config(300s), {"db", "data-pg"}});
  ASSERT_TRUE(read_until(*probe, is_there));
  const std::string text = volume("4096");
  serve(text.substr(0, text.find("longhorn_volume_actual_size_bytes")));
  const auto gone = read_until(*probe, is_missing);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().detail,
            "no longhorn_volume_actual_size_bytes of data-pg-0 (v): not there, or its series has ended");
  serve(volume("8192"));
  const auto back = read_until(*probe, is_there);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->at("volume"), 8'192);
}

TEST_F(PrometheusServerTest, ATargetThatStopsIsMissing) {
  serve(volume("4096"));
  start();
  const auto probe = make_longhorn_probe({config(300s), {"db", "data-pg"}});
  ASSERT_TRUE(read_until(*probe, is_there));
  target_.stop();
  const auto gone = read_until(*probe, is_missing);
  ASSERT_FALSE(gone) << gone->at("volume");
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
}

TEST_F(PrometheusServerTest, AGapThatTheServerFillsWithOldDataIsMissingWithItsAge) {
  // A sample with a time of its own gets no end when its target stops: for five minutes the server goes on
  // giving it.
  serve(fmt::format("m 4096 {}\n", wall_time_ms()));
  start();
  Prometheus patient(config(300s));
  const auto there = [&](Prometheus& prometheus) { return prometheus.query({"m", {}}, soon()); };
  ASSERT_TRUE(poll_until(soon(), 50ms, "test.wait", [&]() -> Result<bool> {
    const auto samples = there(patient);
    return samples && !samples->empty();
  }));
  target_.stop();
  sleep_until({}, Clock::now() + 1'500ms);
  const auto old = there(patient);
  ASSERT_TRUE(old) << old.error().text();
  ASSERT_EQ(old->size(), 1U) << "the trap that this test is about";
  EXPECT_EQ((*old)[0].value, 4'096);
  EXPECT_GE((*old)[0].age, 1'500ms);
  Prometheus strict(config(1s));
  const auto stale = there(strict);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(stale.error().detail.starts_with("stale: the newest sample of m{")) << stale.error().text();
}

TEST_F(PrometheusServerTest, AServerThatIsKilledHalfWayLeavesNoFigure) {
  serve(volume("4096"));
  start();
  const auto probe = make_longhorn_probe({config(), {"db", "data-pg"}});
  ASSERT_TRUE(read_until(*probe, is_there));
  server_->stop();
  const auto gone = probe->read(soon());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(gone.error().detail.ends_with("(asked 3 times)")) << gone.error().text();
}

TEST_F(PrometheusServerTest, NamesWithSpecialCharactersFindThemselvesAndNothingElse) {
  serve("m{c=\"a.b\"} 1\nm{c=\"axb\"} 2\nm{c=\"q\\\"u\\\\o\\nt{e}+&%=\xC3\xA9\"} 3\nm{c=\"a|b\"} 4\n");
  start();
  Prometheus prometheus(config());
  ASSERT_TRUE(poll_until(soon(), 50ms, "test.wait", [&]() -> Result<bool> {
    const auto samples = prometheus.query({"m", {}}, soon());
    return samples && samples->size() == 4;
  }));
  const std::vector<std::pair<std::string, double>> names{
      {"a.b", 1}, {"axb", 2}, {"q\"u\\o\nt{e}+&%=\xC3\xA9", 3}, {"a|b", 4}};
  for (const auto& [name, value] : names) {
    SCOPED_TRACE(name);
    for (const LabelMatcher& matcher : {LabelMatcher{"c", LabelMatch::kEquals, name},
                                        LabelMatcher{"c", LabelMatch::kRegex, regex_literal(name)}}) {
      const auto samples = prometheus.query({"m", {matcher}}, soon());
      ASSERT_TRUE(samples) << samples.error().text();
      ASSERT_EQ(samples->size(), 1U);
      EXPECT_EQ((*samples)[0].value, value);
      EXPECT_EQ((*samples)[0].label("c"), name);
    }
  }
  const auto two = prometheus.query({"m", {{"c", LabelMatch::kRegex, regex_any_of({"a.b", "a|b"})}}}, soon());
  ASSERT_TRUE(two) << two.error().text();
  EXPECT_EQ(two->size(), 2U);
}

TEST_F(PrometheusServerTest, ValuesThatAreNoFiguresAreErrors) {
  serve("m{c=\"nan\"} NaN\nm{c=\"inf\"} +Inf\nm{c=\"good\"} 1\n");
  start();
  Prometheus prometheus(config());
  const auto value_of = [&](const char* name) {
    return prometheus.query({"m", {{"c", LabelMatch::kEquals, name}}}, soon());
  };
  ASSERT_TRUE(poll_until(soon(), 50ms, "test.wait", [&]() -> Result<bool> {
    const auto samples = value_of("good");
    return samples && !samples->empty();
  }));
  EXPECT_EQ(value_of("nan").error().code, ErrorCode::kCorruption);
  EXPECT_EQ(value_of("inf").error().code, ErrorCode::kCorruption);
}

TEST_F(PrometheusServerTest, APasswordLetsUsInAndStaysOutOfTheErrorWhereItIsWrong) {
  serve("m 1\n");
  start("hunter2");
  const auto query = [&](const std::string& password) {
    PrometheusConfig with = config();
    with.endpoint.user = "lab";
    with.endpoint.secret = password;
    return Prometheus(with).query({"m", {}}, soon());
  };
  const auto in = query("hunter2");
  EXPECT_TRUE(in) << in.error().text();
  const auto out = query("hunter3");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::kRefused);
  EXPECT_NE(out.error().detail.find("HTTP status 401"), std::string::npos) << out.error().text();
  EXPECT_EQ(out.error().detail.find("hunter"), std::string::npos) << out.error().text();
}

}  // namespace
}  // namespace lab
