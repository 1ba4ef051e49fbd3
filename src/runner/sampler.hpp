// Looks at the system under test at a fixed interval while a stage runs, on a connection of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "driver/observer.hpp"
#include "model/record.hpp"
#include "stage/stage.hpp"

namespace lab {

/// The samples of a stage in bounded memory: once it holds kRoundsMax rounds, it drops every second one and
/// from then on keeps half as many as before, so that what is kept is evenly spaced over the whole stage. The
/// first round and the one that is marked as the last are always kept. Not thread-safe.
class KeptSamples {
 public:
  static constexpr std::size_t kRoundsMax = 32'768;  // 54 minutes at the usual ten rounds a second.

  void begin_round(bool last);
  void add(std::string_view metric, double value, std::string_view unit, std::int64_t timestamp_ms);
  std::vector<Sample> take() { return std::move(samples_); }

 private:
  void thin();

  std::vector<Sample> samples_{};
  std::vector<std::size_t> begins_{};  // Of each round that is kept: its first sample.
  std::uint64_t rounds_ = 0;           // Begun.
  std::uint64_t every_ = 1;            // One round of so many is kept.
  bool keeps_ = false;                 // The round that has begun.
};

struct SamplerResult {
  std::vector<Sample> samples{};
  ByteMap peak_bytes{};  // Largest `files` and `apparent` seen.
  std::uint64_t rounds = 0;
  double interval_ms = 0;  // Achieved: mean distance of two rounds; 0 with fewer than two.
  double cpu_seconds = 0;  // Of the sampling thread.
};

/// Samples from construction to stop(): `files` and `apparent` without syncfs, the system's activity
/// counters, and what the stage has acknowledged. Of a long stage the result has fewer rounds, as KeptSamples
/// says; peaks are of all. A reading that fails gives no sample. The first round is at once, the last one in
/// stop(); a stop of the run ends a round that a system holds up. The pause is never shorter than a round
/// took, so that sampling stays below half a core.
class Sampler {
 public:
  Sampler(std::unique_ptr<Observer> observer, Millis interval, StageProgress& progress,
          std::optional<Bytes> max_bytes, std::stop_token run_stop = {});
  ~Sampler();  // Stops and joins.
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  SamplerResult stop();

 private:
  void loop(const std::stop_token& stop);
  void round(bool last);
  void add(const char* metric, double value, const char* unit);

  std::unique_ptr<Observer> observer_;
  Millis interval_;
  StageProgress& progress_;
  std::optional<Bytes> max_bytes_;
  std::stop_token run_stop_;
  KeptSamples kept_{};
  SamplerResult result_{};
  Clock::time_point first_round_{};
  Clock::time_point last_round_{};
  std::jthread thread_;  // Last: it uses everything above.
};

/// Of the samples of `metric` from `began_ms` on: seconds until 95 % of the fall from `before` to `after` had
/// come. Nothing when nothing fell or no sample shows it.
std::optional<double> seconds_to_95(const std::vector<Sample>& samples, const std::string& metric,
                                    std::int64_t began_ms, std::int64_t before, std::int64_t after);

}  // namespace lab
