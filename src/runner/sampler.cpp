// SPDX-License-Identifier: Apache-2.0
#include "runner/sampler.hpp"

#include <algorithm>
#include <ctime>

#include "probe/reading.hpp"

namespace lab {
namespace {

constexpr Millis kRoundLimit{
    10'000};  // One round's calls; a system that hangs must not hold stop() up for longer.

double thread_cpu_seconds() {
  timespec used{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

void KeptSamples::begin_round(bool last) {
  if (begins_.size() == kRoundsMax) thin();
  keeps_ = last || rounds_ % every_ == 0;
  ++rounds_;
  if (keeps_) begins_.push_back(samples_.size());
}

void KeptSamples::add(std::string_view metric, double value, std::string_view unit,
                      std::int64_t timestamp_ms) {
  if (keeps_) samples_.push_back({timestamp_ms, std::string(metric), value, std::string(unit)});
}

void KeptSamples::thin() {
  std::vector<Sample> samples;
  std::vector<std::size_t> begins;
  for (std::size_t round = 0; round < begins_.size(); round += 2) {
    const std::size_t end = round + 1 < begins_.size() ? begins_[round + 1] : samples_.size();
    begins.push_back(samples.size());
    for (std::size_t at = begins_[round]; at < end; ++at) samples.push_back(std::move(samples_[at]));
  }
  samples_ = std::move(samples);
  begins_ = std::move(begins);
  every_ *= 2;
}

Sampler::Sampler(std::unique_ptr<Observer> observer, Millis interval, StageProgress& progress,
                 std::optional<Bytes> max_bytes, std::stop_token run_stop)
    : observer_(std::move(observer)),
      interval_(interval),
      progress_(progress),
      max_bytes_(max_bytes),
      run_stop_(std::move(run_stop)),
      thread_([this](const std::stop_token& stop) { loop(stop); }) {}

Sampler::~Sampler() = default;

SamplerResult Sampler::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return std::move(result_);
}

void Sampler::loop(const std::stop_token& stop) {
  bool more = true;
  while (more) {
    const auto began = Clock::now();
    round(false);
    const auto took = Clock::now() - began;
    more = sleep_until(stop, std::max(began + interval_, Clock::now() + took));
  }
  round(true);  // The state at the end.
  result_.samples = kept_.take();
  const auto span = std::chrono::duration<double, std::milli>(last_round_ - first_round_).count();
  if (result_.rounds > 1) result_.interval_ms = span / static_cast<double>(result_.rounds - 1);
  result_.cpu_seconds = thread_cpu_seconds();
}

void Sampler::add(const char* metric, double value, const char* unit) {
  kept_.add(metric, value, unit, wall_time_ms());
}

void Sampler::round(bool last) {
  const CallContext call{Clock::now() + kRoundLimit, run_stop_};
  last_round_ = Clock::now();
  kept_.begin_round(last);
  if (result_.rounds++ == 0) first_round_ = last_round_;
  add("acked_objects", static_cast<double>(progress_.objects.load()), "1");
  add("acked_bytes", static_cast<double>(progress_.bytes.load()), "bytes");
  const Reading reading = read_cheap_probes(*observer_, call);
  for (const auto& [probe, size] : reading.bytes) {
    add(probe.c_str(), static_cast<double>(size), "bytes");
    auto& peak = result_.peak_bytes[probe];
    peak = std::max(peak, size);
  }
  const auto files = reading.bytes.find("files");
  if (max_bytes_ && files != reading.bytes.end() && files->second > max_bytes_->count)
    progress_.over_limit = true;
  const auto counters = observer_->activity(call);
  if (!counters) return;
  for (const Counter& counter : *counters) add(counter.name.c_str(), counter.value, counter.unit.c_str());
}

std::optional<double> seconds_to_95(const std::vector<Sample>& samples, const std::string& metric,
                                    std::int64_t began_ms, std::int64_t before, std::int64_t after) {
  if (after >= before) return std::nullopt;
  const double goal = static_cast<double>(before) - 0.95 * static_cast<double>(before - after);
  for (const Sample& sample : samples)
    if (sample.metric == metric && sample.timestamp_ms >= began_ms && sample.value <= goal)
      return static_cast<double>(sample.timestamp_ms - began_ms) / 1e3;
  return std::nullopt;
}

}  // namespace lab
