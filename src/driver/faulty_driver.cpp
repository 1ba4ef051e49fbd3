// Each call asks the script first; what passes goes to the real connection.
// SPDX-License-Identifier: Apache-2.0
#include "driver/faulty_driver.hpp"

#include <algorithm>

namespace lab {
namespace {

/// Fails, lies with a `T` made of nothing, or passes the call on.
template <class T, class Forward>
Result<T> through(FaultScript& script, const char* operation, const CallContext& call, Forward&& forward) {
  FaultScript::Decision decision = script.decide(operation, call);
  switch (decision.answer) {
    case FaultScript::Answer::kFail:
      return std::move(decision.error);
    case FaultScript::Answer::kLie:
      return T{};
    case FaultScript::Answer::kPass:
      break;
  }
  return forward();
}

}  // namespace

FaultScript::Decision FaultScript::decide(std::string_view operation, const CallContext& call) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t earlier = calls_[std::string(operation)]++;
  Clock::duration& longest = longest_[std::string(operation)];
  longest = std::max(longest, call.deadline - Clock::now());
  for (const Fault& fault : faults_) {
    if (fault.operation != operation || earlier < fault.after_calls) continue;
    if (fault.once && earlier != fault.after_calls) continue;
    if (fault.lie) return {Answer::kLie, {}};
    return {Answer::kFail, {fault.code, "faulty." + fault.operation, fault.detail, fault.retryable}};
  }
  return {};
}

std::uint64_t FaultScript::calls(std::string_view operation) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(operation);
  return found == calls_.end() ? 0 : found->second;
}

std::map<std::string, Clock::duration, std::less<>> FaultScript::longest_waits() const {
  const std::lock_guard lock(mutex_);
  return longest_;
}

FaultyDriver::FaultyDriver(std::unique_ptr<Driver> inner, std::shared_ptr<FaultScript> script)
    : inner_(std::move(inner)), script_(std::move(script)) {}

Status FaultyDriver::prove(const CallContext& call) {
  return through<Unit>(*script_, "prove", call, [&] { return inner_->prove(call); });
}

Status FaultyDriver::reset(const CallContext& call) {
  return through<Unit>(*script_, "reset", call, [&] { return inner_->reset(call); });
}

Status FaultyDriver::put(const CallContext& call, const Object& object) {
  return through<Unit>(*script_, "put", call, [&] { return inner_->put(call, object); });
}

Status FaultyDriver::read_all(const CallContext& call, const ObjectSink& sink) {
  return through<Unit>(*script_, "read_all", call, [&] { return inner_->read_all(call, sink); });
}

Result<std::uint64_t> FaultyDriver::count(const CallContext& call) {
  return through<std::uint64_t>(*script_, "count", call, [&] { return inner_->count(call); });
}

Status FaultyDriver::flush(const CallContext& call) {
  return through<Unit>(*script_, "flush", call, [&] { return inner_->flush(call); });
}

Status FaultyDriver::put_batch(const CallContext& call, std::span<const Object> objects) {
  return through<Unit>(*script_, "put_batch", call, [&] { return inner_->put_batch(call, objects); });
}

Status FaultyDriver::put_stream(const CallContext& call, const ObjectSource& source) {
  return through<Unit>(*script_, "put_stream", call, [&] { return inner_->put_stream(call, source); });
}

Result<std::string> FaultyDriver::get(const CallContext& call, const ObjectKey& key) {
  return through<std::string>(*script_, "get", call, [&] { return inner_->get(call, key); });
}

Status FaultyDriver::erase(const CallContext& call, std::span<const ObjectKey> keys) {
  return through<Unit>(*script_, "erase", call, [&] { return inner_->erase(call, keys); });
}

Status FaultyDriver::erase_all(const CallContext& call, DeleteAll how) {
  return through<Unit>(*script_, "erase_all", call, [&] { return inner_->erase_all(call, how); });
}

Result<MaintenanceOutcome> FaultyDriver::maintain(const CallContext& call) {
  return through<MaintenanceOutcome>(*script_, "maintain", call, [&] { return inner_->maintain(call); });
}

FaultyObserver::FaultyObserver(std::unique_ptr<Observer> inner, std::shared_ptr<FaultScript> script)
    : inner_(std::move(inner)), script_(std::move(script)) {}

Result<ServerIdentity> FaultyObserver::identity(const CallContext& call) {
  return through<ServerIdentity>(*script_, "identity", call, [&] { return inner_->identity(call); });
}

Result<std::map<std::string, std::string>> FaultyObserver::settings(const CallContext& call) {
  return through<std::map<std::string, std::string>>(*script_, "settings", call,
                                                     [&] { return inner_->settings(call); });
}

Result<std::map<std::string, double>> FaultyObserver::busy(const CallContext& call) {
  return through<std::map<std::string, double>>(*script_, "busy", call, [&] { return inner_->busy(call); });
}

Result<std::vector<Counter>> FaultyObserver::activity(const CallContext& call) {
  return through<std::vector<Counter>>(*script_, "activity", call, [&] { return inner_->activity(call); });
}

Result<Footprint> FaultyObserver::footprint(const CallContext& call) {
  return through<Footprint>(*script_, "footprint", call, [&] { return inner_->footprint(call); });
}

Result<std::vector<std::filesystem::path>> FaultyObserver::directories(const CallContext& call) {
  return through<std::vector<std::filesystem::path>>(*script_, "directories", call,
                                                     [&] { return inner_->directories(call); });
}

std::optional<FilePart> FaultyObserver::part_of(const std::filesystem::path& relative) const {
  return inner_->part_of(relative);
}

Result<double> FaultyObserver::copies(const CallContext& call) {
  return through<double>(*script_, "copies", call, [&] { return inner_->copies(call); });
}

Result<std::map<std::string, double>> FaultyObserver::statement_seconds(const CallContext& call) {
  return through<std::map<std::string, double>>(*script_, "statement_seconds", call,
                                                [&] { return inner_->statement_seconds(call); });
}

FaultySession::FaultySession(std::unique_ptr<Session> inner, std::shared_ptr<FaultScript> script)
    : inner_(std::move(inner)), script_(std::move(script)) {}

Result<std::unique_ptr<Driver>> FaultySession::open_driver(const CallContext& call) {
  FaultScript::Decision decision = script_->decide("open_driver", call);
  if (decision.answer == FaultScript::Answer::kFail) return std::move(decision.error);
  auto driver = inner_->open_driver(call);
  if (!driver) return driver;
  return std::unique_ptr<Driver>(new FaultyDriver(std::move(*driver), script_));
}

Result<std::unique_ptr<Observer>> FaultySession::open_observer(const CallContext& call) {
  FaultScript::Decision decision = script_->decide("open_observer", call);
  if (decision.answer == FaultScript::Answer::kFail) return std::move(decision.error);
  auto observer = inner_->open_observer(call);
  if (!observer) return observer;
  return std::unique_ptr<Observer>(new FaultyObserver(std::move(*observer), script_));
}

}  // namespace lab
