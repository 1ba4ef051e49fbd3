// SPDX-License-Identifier: Apache-2.0
#include "runner/load.hpp"

#include <fmt/format.h>

#include "driver/limited_driver.hpp"
#include "model/plan.hpp"
#include "runner/home_look.hpp"
#include "stage/operations.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "load";
constexpr Millis kProgressInterval{100};

CallContext step(const CallContext& call) { return within(call, StagesPlan{}.step_limit); }

/// What the variant would do to the dataset: a grade is exact only where all objects stay.
Status check_keeps(const DriverInfo& info) {
  if (info.keeps == Keeps::kAll) return ok();
  return Error{
      ErrorCode::kInvalidArgument, kOperation,
      fmt::format("variant {} of {} keeps one object per key, so that the dataset would not be there "
                  "as it was made: name another variant",
                  info.variant, info.system)};
}

Status check_sizes(const DriverInfo& info, const Dataset& dataset, const CallContext& call) {
  if (info.object_size_max == 0) return ok();
  for (std::uint64_t number = 0; number < dataset.objects(); ++number) {
    const ObjectFacts facts = dataset.facts(number);
    if (facts.copy_of) continue;
    LAB_TRY(allowed(call, kOperation));
    const auto size = dataset.source().size_of(facts.content);
    if (!size) return size.error();
    if (size->count > info.object_size_max)
      return Error{ErrorCode::kInvalidArgument, kOperation,
                   fmt::format("object {} has {} bytes, {} takes at most {}", number, size->count,
                               info.system, info.object_size_max)};
  }
  return ok();
}

class DatasetLoad {
 public:
  DatasetLoad(const LoadRequest& request, const CallContext& call, LoadReached& reached)
      : request_(request), call_(call), reached_(reached) {}

  Result<GenerateSummary> run() {
    reached_.began = true;
    LAB_TRY(open());
    if (Status fits = check_fit(); !fits) return give_back(std::move(fits).error());
    LAB_TRY(driver_->reset(step(call_)));
    LAB_TRY(send());
    LAB_TRY(driver_->flush(step(call_)));
    const auto held = driver_->count(step(call_));
    if (!held) return held.error();
    if (*held != request_.dataset->objects())
      return Error{ErrorCode::kCorruption, kOperation,
                   fmt::format("{} objects were sent and acknowledged, {} counts {}",
                               request_.dataset->objects(), request_.entry.name, *held)};
    reached_.loaded = true;
    return summary_;
  }

 private:
  Status open() {
    auto session = open_session(request_.entry, request_.config, step(call_));
    if (!session) return std::move(session).error();
    session_ = std::move(*session);
    auto driver = session_->open_driver(step(call_));
    if (!driver) return std::move(driver).error();
    driver_ = std::make_unique<GuardedDriver>(std::move(*driver));
    return ok();
  }

  Status check_fit() {
    LAB_TRY(check_keeps(driver_->info()));
    return check_sizes(driver_->info(), *request_.dataset, call_);
  }

  /// The marker and the lock are all that is there yet.
  Error give_back(Error why) {
    driver_.reset();
    session_.reset();
    reached_.began = !remove_namespace(request_.entry, request_.config, step(call_));
    return why;
  }

  Status send() {
    ChainState state(request_.dataset, driver_->info().keeps);
    StageProgress progress;
    const Load load{*driver_, state, progress,
                    [&](const MadeObject& object) { return note(object, progress); }};
    OperationsOutcome outcome;
    Status sent = bulk_load(load, within(call_, request_.limit), outcome);
    reached_.acknowledged = outcome.objects;
    if (sent) tell(progress);
    return sent;
  }

  Status note(const MadeObject& object, const StageProgress& progress) {
    const ObjectFacts facts = request_.dataset->facts(object.key.number);
    if (request_.look) LAB_TRY(request_.look(facts, object));
    summary_.add(facts, Bytes{std::ssize(object.payload)});
    if (Clock::now() - told_ >= kProgressInterval) tell(progress);
    return ok();
  }

  void tell(const StageProgress& progress) {
    told_ = Clock::now();
    const std::uint64_t objects = progress.objects;
    if (request_.progress && objects > 0) request_.progress(objects, Bytes{progress.bytes});
  }

  const LoadRequest& request_;
  const CallContext& call_;
  LoadReached& reached_;
  GenerateSummary summary_{};
  Clock::time_point told_ = Clock::now();
  std::unique_ptr<Session> session_{};
  std::unique_ptr<Driver> driver_{};  // After the session, which outlives it.
};

}  // namespace

Result<GenerateSummary> load_dataset(const LoadRequest& request, const CallContext& call,
                                     LoadReached& reached) {
  return DatasetLoad(request, call, reached).run();
}

Result<std::vector<std::string>> what_is_there(const SystemEntry& entry, const Registry& registry,
                                               const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, kOperation));
  if (entry.leftovers != nullptr) return entry.leftovers(config, call);
  const auto ours = look_at_home(config.path, entry.name, registry);
  if (!ours) return ours.error();
  std::vector<std::string> lines;
  if (ours->ours) lines.push_back("folder " + config.path.string());
  return lines;
}

}  // namespace lab
