// One thread fills a bounded queue; errors travel through the queue at their place in the order.
// SPDX-License-Identifier: Apache-2.0
#include "payload/producer.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace lab {

struct Producer::State {
  std::shared_ptr<const Dataset> dataset{};
  std::uint64_t count = 0;
  std::function<ObjectOrder(std::uint64_t)> order_of{};
  std::int64_t buffer_bytes = 0;

  std::mutex mutex{};
  std::condition_variable_any changed{};
  // Below: under the mutex.
  std::deque<MadeObject> ready{};
  std::vector<std::vector<std::byte>> spare{};  // Given back, for reuse.
  std::int64_t held_bytes = 0;                  // Of `ready`, and of the object in the making.
  std::int64_t spare_bytes = 0;
  std::optional<Error> failure{};  // Delivered after what is ready, again and again.
  bool full = false;               // The next object does not fit.
  bool asked = false;              // Somebody waits for an object.
  bool finished = false;

  std::jthread thread{};  // Last: it stops and joins before what it uses is gone.

  void run(const std::stop_token& stop);
  Status make_one(const std::stop_token& stop, std::uint64_t index);
  bool make_room(const std::stop_token& stop, std::int64_t size, std::vector<std::byte>& buffer);
};

void Producer::State::run(const std::stop_token& stop) {
  std::optional<Error> failed;
  for (std::uint64_t index = 0; index < count && !failed && !stop.stop_requested(); ++index)
    if (Status made = make_one(stop, index); !made) failed = std::move(made).error();
  const std::lock_guard lock(mutex);
  failure = std::move(failed);
  finished = true;
  changed.notify_all();
}

/// Waits until an object of `size` fits, reserves it, and takes a used buffer if there is one.
bool Producer::State::make_room(const std::stop_token& stop, std::int64_t size,
                                std::vector<std::byte>& buffer) {
  std::unique_lock lock(mutex);
  // An object larger than the buffer passes alone, and a very large one not ahead of its use.
  const bool ahead = size <= buffer_bytes * 5 / 2;
  const auto fits = [&] { return ready.empty() ? ahead || asked : held_bytes + size <= buffer_bytes; };
  if (!fits()) {
    full = true;
    changed.notify_all();
  }
  if (!changed.wait(lock, stop, fits)) return false;
  full = false;
  held_bytes += size;
  if (!spare.empty()) {
    buffer = std::move(spare.back());
    spare.pop_back();
    spare_bytes -= static_cast<std::int64_t>(buffer.capacity());
  }
  return true;
}

Status Producer::State::make_one(const std::stop_token& stop, std::uint64_t index) {
  const ObjectOrder order = order_of(index);
  const auto size = dataset->source().size_of(order.content);
  if (!size) return size.error();
  MadeObject made{.key = order.key, .content = order.content};
  if (!make_room(stop, size->count, made.payload)) return ok();
  LAB_TRY(dataset->source().fill(order.content, made.payload));
  made.mime = dataset->source().mime_of(order.content);
  made.digest = sha256(made.payload);
  const std::lock_guard lock(mutex);
  ready.push_back(std::move(made));
  changed.notify_all();
  return ok();
}

Producer::Producer(std::shared_ptr<const Dataset> dataset, std::uint64_t count,
                   std::function<ObjectOrder(std::uint64_t)> order_of, Bytes buffer)
    : state_(new State{.dataset = std::move(dataset),
                       .count = count,
                       .order_of = std::move(order_of),
                       .buffer_bytes = buffer.count}) {
  state_->thread = std::jthread([state = state_.get()](const std::stop_token& stop) { state->run(stop); });
}

Producer::~Producer() = default;

Result<std::optional<MadeObject>> Producer::next(const CallContext& call) {
  LAB_TRY(allowed(call, "payload.next"));
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const auto answer = [&] { return !state.ready.empty() || state.finished; };
  state.asked = true;
  if (state.ready.empty()) state.changed.notify_all();
  const bool answered = state.changed.wait_until(lock, call.stop, call.deadline, answer);
  state.asked = false;
  if (!answered) {
    LAB_TRY(allowed(call, "payload.next"));
    return Error{ErrorCode::kTimeout, "payload.next"};
  }
  if (state.ready.empty()) {
    if (state.failure) return *state.failure;
    return std::optional<MadeObject>{};
  }
  std::optional<MadeObject> object(std::move(state.ready.front()));
  state.ready.pop_front();
  state.held_bytes -= static_cast<std::int64_t>(object->payload.size());
  state.changed.notify_all();
  return object;
}

Status Producer::wait_until_ready(const CallContext& call) {
  LAB_TRY(allowed(call, "payload.ready"));
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const auto ready = [&] { return state.full || state.finished; };
  if (state.changed.wait_until(lock, call.stop, call.deadline, ready)) return ok();
  LAB_TRY(allowed(call, "payload.ready"));
  return Error{ErrorCode::kTimeout, "payload.ready"};
}

void Producer::recycle(MadeObject&& object) {
  const auto capacity = static_cast<std::int64_t>(object.payload.capacity());
  const std::lock_guard lock(state_->mutex);
  if (capacity == 0 || state_->spare_bytes + capacity > state_->buffer_bytes) return;
  state_->spare_bytes += capacity;
  state_->spare.push_back(std::move(object.payload));
}

}  // namespace lab
