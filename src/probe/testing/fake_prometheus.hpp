// A Prometheus that knows some series and answers the query API's question for a value and its time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "probe/prometheus.hpp"
#include "probe/testing/scripted_http.hpp"

namespace lab {

class FakePrometheus {
 public:
  struct Series {
    std::string labels{};  // As JSON, without braces: "volume":"pvc-1"
    std::string value{};
    double age_seconds = 1;
  };

  FakePrometheus() : http_([this](const auto& question) { return answer(question); }) {}

  /// By the metric's name. Selectors are not evaluated: what is there is what matches.
  std::map<std::string, std::vector<Series>> series{};
  std::string more{};  // Of the answer's object: ,"warnings":["..."]

  PrometheusConfig config() const { return {.endpoint = {.url = http_.url()}}; }
  std::vector<ScriptedHttp::Question> questions() { return http_.questions(); }
  void stop() { http_.stop(); }

 private:
  ScriptedHttp::Answer answer(const ScriptedHttp::Question& question) {
    const std::string begin = "label_replace(";
    const std::string metric = question.query.substr(begin.size(), question.query.find('{') - begin.size());
    constexpr double kNow = 1'764'122'400.25;
    std::string result;
    for (const Series& one : series[metric]) {
      const std::string labels = one.labels.empty() ? "" : "," + one.labels;
      result +=
          fmt::format(R"({}{{"metric":{{"__name__":"{}","deduplab_part":"value"{}}},"value":[{},"{}"]}},)",
                      result.empty() ? "" : ",", metric, labels, kNow, one.value);
      result += fmt::format(R"({{"metric":{{"deduplab_part":"time"{}}},"value":[{},"{}"]}})", labels, kNow,
                            kNow - one.age_seconds);
    }
    return {200,
            R"({"status":"success","data":{"resultType":"vector","result":[)" + result + "]}" + more + "}",
            "application/json"};
  }

  ScriptedHttp http_;
};

}  // namespace lab
