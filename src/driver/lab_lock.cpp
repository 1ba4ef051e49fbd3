// SPDX-License-Identifier: Apache-2.0
#include "driver/lab_lock.hpp"

#include <fmt/format.h>

#include <chrono>

namespace lab {
namespace {

constexpr Millis kBeatLimit{5'000};     // One heartbeat; a later one makes up for one that failed.
constexpr Millis kReleaseLimit{2'000};  // Giving up must not hold a SIGTERM up.

}  // namespace

Status LabLock::check_free(const std::optional<LockState>& found, const std::string& run_id, Millis expiry) {
  const bool free = !found || found->run_id.empty() || found->run_id == run_id || found->age >= expiry;
  if (free) return ok();
  const auto seconds = [](Millis span) { return std::chrono::duration<double>(span).count(); };
  return Error{ErrorCode::kInUse, "lock",
               fmt::format("held by run {}, whose heartbeat is {:.0f} s old; it may be taken when that is "
                           "older than {:.0f} s",
                           found->run_id, seconds(found->age), seconds(expiry))};
}

Status LabLock::check_free(LockStore& store, const std::string& run_id, const CallContext& call) {
  const auto found = store.read(call);
  if (!found) return found.error();
  return check_free(*found, run_id);
}

Result<std::unique_ptr<LabLock>> LabLock::take(std::unique_ptr<LockStore> store, std::string run_id,
                                               const CallContext& call, Millis heartbeat, Millis expiry) {
  const auto found = store->read(call);
  if (!found) return found.error();
  LAB_TRY(check_free(*found, run_id, expiry));
  const auto expected = *found ? std::optional<std::string>((*found)->run_id) : std::nullopt;
  const auto written = store->write(call, expected, run_id);
  if (!written) return written.error();
  if (!*written) return Error{ErrorCode::kInUse, "lock", "another run took it at the same moment", true};
  return std::unique_ptr<LabLock>(new LabLock(std::move(store), std::move(run_id), heartbeat));
}

LabLock::LabLock(std::unique_ptr<LockStore> store, std::string run_id, Millis heartbeat)
    : store_(std::move(store)),
      run_id_(std::move(run_id)),
      heartbeat_(heartbeat),
      thread_([this](const std::stop_token& stop) { beat(stop); }) {}

LabLock::~LabLock() {
  thread_.request_stop();
  thread_.join();
  ignore(store_->write(within({}, kReleaseLimit), run_id_, ""), "it expires by itself");
}

void LabLock::beat(const std::stop_token& stop) {
  while (sleep_until(stop, Clock::now() + heartbeat_))
    ignore(store_->write(within({.stop = stop}, kBeatLimit), run_id_, run_id_),
           "a lost connection shows in the stage itself, and a lock that was taken over in its reset");
}

}  // namespace lab
