// SPDX-License-Identifier: Apache-2.0
#include "probe/settle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ranges>

namespace lab {
namespace {

/// Follows readings and knows of each probe since when it is quiet.
class Quiet {
 public:
  /// Quiet is what two readings at least agree on, `window` apart.
  Quiet(Bytes tolerance, Millis window) : tolerance_(tolerance), window_(window) {}

  /// While there is background work, an unchanged size is no rest: each probe begins anew.
  void see(const Reading& reading, bool busy, Clock::time_point now) {
    std::map<std::string, Rest> seen;
    for (const auto& [probe, value] : reading.bytes) {
      const auto old = rests_.find(probe);
      const bool same =
          !busy && old != rests_.end() && std::llabs(value - old->second.value) <= tolerance_.count;
      seen[probe] =
          same ? Rest{old->second.value, old->second.since, old->second.looks + 1} : Rest{value, now, 1};
    }
    lags_ = reading.lag;
    rests_ = std::move(seen);
    looks_ = busy ? 0 : looks_ + 1;
    ++all_looks_;
  }

  /// Whether anything moved cannot be told then.
  bool looked_once() const { return all_looks_ == 1; }

  /// A probe without a reading holds nothing up: two looks, and it is missing with its own reason.
  bool rests(const std::string& probe, Clock::time_point now) const {
    const auto found = rests_.find(probe);
    if (found == rests_.end()) return looks_ >= 2;
    const auto lag = lags_.find(probe);
    const Millis needed = std::max(window_, lag == lags_.end() ? Millis{0} : lag->second);
    return found->second.looks >= 2 && now - found->second.since >= needed;
  }

  /// Every probe that answers late has had its time.
  bool late_ones_rest(Clock::time_point now) const {
    return std::all_of(rests_.begin(), rests_.end(), [&](const auto& entry) {
      const auto lag = lags_.find(entry.first);
      return lag == lags_.end() || lag->second == Millis{0} || rests(entry.first, now);
    });
  }

 private:
  struct Rest {
    std::int64_t value = 0;  // When it came to rest.
    Clock::time_point since{};
    int looks = 0;
  };
  Bytes tolerance_;
  Millis window_;
  std::map<std::string, Rest> rests_{};
  std::map<std::string, Millis> lags_{};
  int looks_ = 0;      // Since the last work.
  int all_looks_ = 0;  // Since the beginning.
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
  note_uncertain(last, outcome.residue);
}

/// Whatever was not at rest has no figure.
void drop_unsettled(const Quiet& quiet, Clock::time_point now, const std::string& busy_with,
                    const std::string& when, Settled& outcome) {
  const std::string state = quiet.looked_once() ? "only one look" : "still moving";
  const std::string why = (busy_with.empty() ? state : busy_with) + " " + when;
  std::erase_if(outcome.reading.bytes, [&](const auto& entry) {
    if (busy_with.empty() && quiet.rests(entry.first, now)) return false;
    outcome.reading.missing[entry.first] = "unsettled: " + why;
    return true;
  });
}

}  // namespace

void note_uncertain(const Reading& reading, ByteMap& residue) {
  for (const auto& [probe, bytes] : reading.uncertain) residue[probe] = std::max(residue[probe], bytes);
}

SettleSource settle_source(Observer& observer, const ProbeSet& probes, bool background_work,
                           const CallContext& call, Millis look_limit) {
  return {[&observer, &probes, call, look_limit] {
            return read_probes(observer, probes, within(call, look_limit));
          },
          [&observer, call, look_limit] { return observer.busy(within(call, look_limit)); }, background_work};
}

Settled settle(const SettleSource& source, const SettlePlan& plan, std::span<const std::string> required,
               const CallContext& call, TimeSource& time) {
  const auto began = time.now();
  const auto limit = std::min(began + plan.limit, call.deadline);
  Settled outcome;
  Quiet quiet(plan.tolerance, source.background_work ? plan.window : Millis{0});
  std::optional<Reading> before;
  int looks = 0;
  while (true) {
    const auto busy = source.busy();
    const double work = busy ? total_of(*busy) : 1;
    const std::string busy_with = !busy      ? "busy counters unknown (" + busy.error().text() + ")"
                                  : work > 0 ? fmt::format("background work {:g}", work)
                                             : "";
    outcome.reading = source.read();
    outcome.lost = outcome.reading.lost;
    if (!busy && busy.error().code == ErrorCode::kConnectionLost) outcome.lost = busy.error();
    const auto now = time.now();
    quiet.see(outcome.reading, work > 0, now);
    if (before) note_residue(outcome.reading, *before, outcome);
    before = outcome.reading;
    outcome.seconds = std::chrono::duration<double>(now - began).count();
    if (outcome.lost) {
      drop_unsettled(quiet, now, "the connection was lost", "while it settled", outcome);
      return outcome;
    }
    const auto rests = [&](const auto& probe) { return quiet.rests(probe, now); };
    // Where none is required, those that answer are what is waited for.
    const bool at_rest = required.empty()
                             ? std::ranges::all_of(std::views::keys(outcome.reading.bytes), rests)
                             : std::ranges::all_of(required, rests);
    outcome.settled = work <= 0 && at_rest;
    if (outcome.settled && quiet.late_ones_rest(now)) {
      drop_unsettled(quiet, now, "", "when the others had settled", outcome);
      return outcome;
    }
    // Without background work the second look follows at once: syncfs lies between the two.
    const bool second_at_once = !source.background_work && work <= 0 && looks++ == 0;
    const Millis pause = second_at_once ? Millis{0} : plan.interval;
    if (now >= limit || !time.sleep_until(call.stop, std::min(now + pause, limit))) {
      const bool one_look = quiet.looked_once() && busy_with.empty();
      const std::string when =
          call.stop.stop_requested()
              ? "when a stop was requested"
              : (one_look ? "within the limit of " : "at the limit of ") + format_duration(plan.limit);
      drop_unsettled(quiet, now, busy_with, when, outcome);
      return outcome;
    }
  }
}

Result<ByteMap> idle_drift(const SettleSource& source, const SettlePlan& plan, const CallContext& call,
                           TimeSource& time) {
  const Reading first = source.read();
  if (first.lost) return *first.lost;
  ByteMap drift;
  for (const auto& [probe, value] : first.bytes) drift[probe] = 0;
  // A late figure shows nothing of an idleness that is shorter than its lag.
  Millis longest = plan.idle;
  for (const auto& [probe, lag] : first.lag)
    if (lag <= plan.limit) longest = std::max(longest, lag);
  const auto began = time.now();
  const auto end = std::min(began + longest, call.deadline);
  int looks = 1;
  auto last = began;
  while (time.now() < end && time.sleep_until(call.stop, std::min(end, time.now() + plan.interval))) {
    last = time.now();
    const Reading now = source.read();
    if (now.lost) return *now.lost;
    ++looks;
    // What has stopped to answer was not watched: no drift is known, and that is not a drift of 0.
    std::erase_if(drift, [&](const auto& entry) { return !now.bytes.contains(entry.first); });
    for (auto& [probe, most] : drift)
      most = std::max<std::int64_t>(most, std::llabs(now.bytes.at(probe) - first.bytes.at(probe)));
  }
  std::erase_if(drift, [&](const auto& entry) {
    const auto lag = first.lag.find(entry.first);
    return looks < 2 || (lag != first.lag.end() && last - began < lag->second);
  });
  return drift;
}

}  // namespace lab
