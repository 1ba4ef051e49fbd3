// SPDX-License-Identifier: Apache-2.0
#include "probe/settle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace lab {
namespace {

/// Follows readings and knows since when they are quiet.
class Quiet {
 public:
  Quiet(Bytes tolerance, std::span<const std::string> required)
      : tolerance_(tolerance), required_(required) {}

  void see(const Reading& reading, bool busy, Clock::time_point now) {
    equal_in_row_ = !busy && first_ && same(reading, *first_, required_) ? equal_in_row_ + 1 : 1;
    if (equal_in_row_ == 1) {
      first_ = reading;
      since_ = now;
    }
  }
  int equal_in_row() const { return equal_in_row_; }
  Clock::duration lasted(Clock::time_point now) const { return now - since_; }
  bool moved(const std::string& probe, const Reading& now) const {
    const std::string name[] = {probe};
    return !first_ || !same(now, *first_, name);
  }

 private:
  bool same(const Reading& a, const Reading& b, std::span<const std::string> probes) const {
    return std::all_of(probes.begin(), probes.end(), [&](const std::string& probe) {
      const auto left = a.bytes.find(probe);
      const auto right = b.bytes.find(probe);
      if (left == a.bytes.end() || right == b.bytes.end())  // Both missing: there is nothing to wait for.
        return left == a.bytes.end() && right == b.bytes.end();
      return std::llabs(left->second - right->second) <= tolerance_.count;
    });
  }

  Bytes tolerance_;
  std::span<const std::string> required_;
  std::optional<Reading> first_{};
  Clock::time_point since_{};
  int equal_in_row_ = 0;
};

double total_of(const std::map<std::string, double>& counters) {
  double total = 0;
  for (const auto& [name, value] : counters) total += value;
  return total;
}

void note_residue(const Reading& last, const Reading& before, Settled& outcome) {
  for (const auto& [probe, value] : last.bytes)
    if (const auto old = before.bytes.find(probe); old != before.bytes.end())
      outcome.residue[probe] = std::llabs(value - old->second);
}

/// Whatever was still moving has no figure.
void drop_unsettled(const Quiet& quiet, const Reading& reading, const std::string& busy_with,
                    const std::string& why, Settled& outcome) {
  for (const auto& [probe, value] : reading.bytes) {
    if (busy_with.empty() && !quiet.moved(probe, reading)) continue;
    outcome.reading.bytes.erase(probe);
    outcome.reading.missing[probe] =
        "unsettled: " + (busy_with.empty() ? "still moving " : busy_with + " ") + why;
  }
}

}  // namespace

SettleSource settle_source(Observer& observer, bool background_work, const CallContext& call) {
  return {[&observer, call] { return read_probes(observer, call); },
          [&observer, call] { return observer.busy(call); }, background_work};
}

Settled settle(const SettleSource& source, const SettlePlan& plan, std::span<const std::string> required,
               const CallContext& call, TimeSource& time) {
  const auto began = time.now();
  const auto limit = std::min(began + plan.limit, call.deadline);
  Settled outcome;
  Quiet quiet(plan.tolerance, required);
  std::optional<Reading> before;
  int looks = 0;
  while (true) {
    const auto busy = source.busy();
    const double work = busy ? total_of(*busy) : 1;
    const std::string busy_with = !busy      ? "busy counters unknown (" + busy.error().text() + ")"
                                  : work > 0 ? fmt::format("background work {:g}", work)
                                             : "";
    outcome.reading = source.read();
    const auto now = time.now();
    quiet.see(outcome.reading, work > 0, now);
    if (before) note_residue(outcome.reading, *before, outcome);
    before = outcome.reading;
    outcome.seconds = std::chrono::duration<double>(now - began).count();
    const bool rested = source.background_work ? quiet.equal_in_row() >= 2 && quiet.lasted(now) >= plan.window
                                               : quiet.equal_in_row() >= 2;
    outcome.settled = work <= 0 && rested;
    if (outcome.settled) {
      drop_unsettled(quiet, Reading(outcome.reading), "", "when the others had settled", outcome);
      return outcome;
    }
    // Without background work the second look follows at once: syncfs lies between the two.
    const bool second_at_once = !source.background_work && work <= 0 && looks++ == 0;
    const Millis pause = second_at_once ? Millis{0} : plan.interval;
    if (now >= limit || !time.sleep_until(call.stop, std::min(now + pause, limit))) {
      const std::string why = call.stop.stop_requested() ? "when a stop was requested"
                                                         : "at the limit of " + format_duration(plan.limit);
      drop_unsettled(quiet, Reading(outcome.reading), busy_with, why, outcome);
      return outcome;
    }
  }
}

ByteMap idle_drift(const SettleSource& source, const SettlePlan& plan, const CallContext& call,
                   TimeSource& time) {
  const Reading first = source.read();
  ByteMap drift;
  for (const auto& [probe, value] : first.bytes) drift[probe] = 0;
  const auto end = std::min(time.now() + plan.idle, call.deadline);
  while (time.now() < end && time.sleep_until(call.stop, std::min(end, time.now() + plan.interval))) {
    const Reading now = source.read();
    for (auto& [probe, most] : drift)
      if (const auto value = now.bytes.find(probe); value != now.bytes.end())
        most = std::max<std::int64_t>(most, std::llabs(value->second - first.bytes.at(probe)));
  }
  return drift;
}

}  // namespace lab
