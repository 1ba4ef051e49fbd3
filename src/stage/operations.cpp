// SPDX-License-Identifier: Apache-2.0
#include "stage/operations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/random.hpp"
#include "stage/timed.hpp"

namespace lab {
namespace {

constexpr std::size_t kBatchObjects = 512;  // An acknowledgement covers at most this many objects
constexpr std::int64_t kBatchBytes = 32LL
                                     << 20;  // or this many bytes, whichever is less; one object at least.
constexpr std::int64_t kStreamBytes = 256LL
                                      << 20;  // An acknowledgement of a stream covers at most this much.
constexpr std::uint64_t kUpdatePurpose = 0x7570646174ULL;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// Takes objects from the producer and accounts for the wait and for the progress.
class Feed {
 public:
  Feed(const Load& load, OperationsOutcome& outcome, std::uint64_t count,
       std::function<ObjectOrder(std::uint64_t)> order_of)
      : load_(load), outcome_(outcome), producer_(load.state.dataset_pointer(), count, std::move(order_of)) {}

  /// What can be made ahead is not the system's time.
  Status start(const CallContext& call) {
    LAB_TRY(producer_.wait_until_ready(call));
    outcome_.began = Clock::now();
    return ok();
  }

  Result<std::optional<MadeObject>> next(const CallContext& call) {
    if (load_.progress.over_limit)
      return Error{ErrorCode::kResourceExhausted, "stage", "max_bytes of this system is on disk"};
    const auto began = Clock::now();
    auto object = producer_.next(call);
    outcome_.client_wait_seconds += seconds_since(began);
    if (load_.look && object && *object) LAB_TRY(load_.look(**object));
    return object;
  }

  void acknowledged(const MadeObject& object) {
    acknowledged(1, static_cast<std::int64_t>(object.payload.size()));
  }
  void acknowledged(std::uint64_t objects, std::int64_t bytes) {
    outcome_.objects += objects;
    outcome_.bytes += Bytes{bytes};
    load_.progress.objects = outcome_.objects;
    load_.progress.bytes = outcome_.bytes.count;
  }

  void recycle(MadeObject&& object) { producer_.recycle(std::move(object)); }

 private:
  const Load& load_;
  OperationsOutcome& outcome_;
  Producer producer_;
};

Feed dataset_feed(const Load& load, OperationsOutcome& outcome) {
  return {load, outcome, load.state.dataset().objects(),
          [&state = load.state](std::uint64_t number) { return state.order_of(number); }};
}

Status send_batch(const Load& load, const CallContext& call, OperationsOutcome& outcome, Feed& feed,
                  std::vector<MadeObject>& batch) {
  std::vector<Object> views;
  views.reserve(batch.size());
  for (const MadeObject& object : batch) views.push_back(object.view());
  LAB_TRY(timed(outcome, [&] { return load.driver.put_batch(call, views); }));
  for (MadeObject& object : batch) {
    feed.acknowledged(object);
    load.state.note_put(object.key, object.digest);
    feed.recycle(std::move(object));
  }
  batch.clear();
  return ok();
}

Status bulk_insert(const Load& load, const CallContext& call, OperationsOutcome& outcome) {
  Feed feed = dataset_feed(load, outcome);
  LAB_TRY(feed.start(call));
  std::vector<MadeObject> batch;
  std::int64_t batch_bytes = 0;
  while (true) {
    auto object = feed.next(call);
    if (!object) return object.error();
    const auto size = *object ? static_cast<std::int64_t>((*object)->payload.size()) : 0;
    const bool full = batch.size() >= kBatchObjects || batch_bytes + size > kBatchBytes;
    if (!batch.empty() && (full || !*object)) {
      LAB_TRY(send_batch(load, call, outcome, feed, batch));
      batch_bytes = 0;
    }
    if (!*object) return load.state.finish_insert();
    batch_bytes += size;
    batch.push_back(std::move(**object));
    // Not with the next object in hand, which may be as large as all of it.
    if (batch_bytes < kBatchBytes) continue;
    LAB_TRY(send_batch(load, call, outcome, feed, batch));
    batch_bytes = 0;
  }
}

/// A part of the load that is acknowledged as a whole, its objects handed out one by one.
class Stream {
 public:
  Stream(const Load& load, const CallContext& call, Feed& feed, MadeObject&& first)
      : load_(load), call_(call), feed_(feed), coming_(std::move(first)) {}

  Result<const Object*> next() {
    if (current_) feed_.recycle(std::move(*current_));
    current_.reset();
    if (!coming_ && bytes_ < kStreamBytes) {
      auto object = feed_.next(call_);
      if (!object) return object.error();
      coming_ = std::move(*object);
    }
    if (!coming_) return nullptr;
    current_ = std::exchange(coming_, std::nullopt);
    view_ = current_->view();
    bytes_ += static_cast<std::int64_t>(view_.payload.size());
    ++objects_;
    load_.state.note_put(current_->key, current_->digest);
    return &view_;
  }

  std::uint64_t objects() const { return objects_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  const Load& load_;
  const CallContext& call_;
  Feed& feed_;
  std::optional<MadeObject> coming_;
  std::optional<MadeObject> current_{};
  Object view_{};
  std::uint64_t objects_ = 0;
  std::int64_t bytes_ = 0;
};

/// As statements without a pause for an acknowledgement; what they wait for objects is not their latency.
Status stream_insert(const Load& load, const CallContext& call, OperationsOutcome& outcome) {
  Feed feed = dataset_feed(load, outcome);
  LAB_TRY(feed.start(call));
  while (true) {
    auto first = feed.next(call);
    if (!first) return first.error();
    if (!*first) return load.state.finish_insert();
    Stream stream(load, call, feed, std::move(**first));
    const double waited = outcome.client_wait_seconds;
    LAB_TRY(timed(
        outcome, [&] { return load.driver.put_stream(call, [&stream] { return stream.next(); }); },
        [&] { return outcome.client_wait_seconds - waited; }));
    feed.acknowledged(stream.objects(), stream.bytes());
  }
}

Status perfile_insert(const Load& load, const CallContext& call, OperationsOutcome& outcome) {
  Feed feed = dataset_feed(load, outcome);
  LAB_TRY(feed.start(call));
  while (true) {
    auto object = feed.next(call);
    if (!object) return object.error();
    if (!*object) return load.state.finish_insert();
    LAB_TRY(timed(outcome, [&] { return load.driver.put(call, (*object)->view()); }));
    feed.acknowledged(**object);
    load.state.note_put((*object)->key, (*object)->digest);
    feed.recycle(std::move(**object));
  }
}

/// The numbers that the update stage rewrites: a seeded share, in stream order.
std::vector<std::uint64_t> chosen_for_update(const Dataset& dataset, int share_percent) {
  std::vector<std::uint64_t> numbers(dataset.objects());
  for (std::uint64_t number = 0; number < numbers.size(); ++number) numbers[number] = number;
  Random random(derive_seed(dataset.spec().dataset_seed, kUpdatePurpose));
  shuffle(std::span(numbers), random);
  numbers.resize(numbers.size() * static_cast<std::size_t>(share_percent) / 100);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// Each chosen object is made twice: as it is, so that its digest leaves the sum, and as it shall be.
Status update(const StageInput& input, const CallContext& call, OperationsOutcome& outcome) {
  const auto numbers = chosen_for_update(input.state.dataset(), input.plan.stages.update_share_percent);
  if (numbers.empty())
    return Error{ErrorCode::kInvalidArgument, "stage.update",
                 "update_share of this dataset is no object at all"};
  std::vector<ObjectOrder> orders;
  for (std::size_t index = 0; index < numbers.size(); ++index) {
    const ObjectOrder now = input.state.order_of(numbers[index]);
    ObjectOrder then = now;
    if (input.plan.stages.update_content == UpdateContent::kNew) {
      const auto spare = input.state.dataset().spare_content(index);
      if (!spare) return spare.error();
      then.content = *spare;
    }
    orders.push_back(now);
    orders.push_back(then);
  }
  const Load load{input.driver, input.state, input.progress};
  Feed feed(load, outcome, orders.size(), [&orders](std::uint64_t index) { return orders[index]; });
  for (std::size_t index = 0; index < numbers.size(); ++index) {
    auto before = feed.next(call);
    if (!before) return before.error();
    auto after = feed.next(call);
    if (!after) return after.error();
    LAB_TRY(timed(outcome, [&] { return input.driver.put(call, (*after)->view()); }));
    feed.acknowledged(**after);
    input.state.note_replaced((*after)->key, (*before)->digest, (*after)->digest, (*after)->content);
  }
  return input.state.finish_update();
}

Status perfile_delete(const StageInput& input, const CallContext& call, OperationsOutcome& outcome) {
  for (const std::uint64_t number : input.state.held_numbers()) {
    const ObjectKey key[] = {input.state.order_of(number).key};
    LAB_TRY(timed(outcome, [&] { return input.driver.erase(call, key); }));
    outcome.objects += 1;
    input.progress.objects = outcome.objects;
  }
  input.state.finish_delete();
  return ok();
}

Status delete_all(const StageInput& input, const CallContext& call, DeleteAll how,
                  OperationsOutcome& outcome) {
  const std::uint64_t held = input.state.expected().objects;
  LAB_TRY(timed(outcome, [&] { return input.driver.erase_all(call, how); }));
  outcome.objects = held;
  input.state.finish_delete();
  return ok();
}

Status maintenance(const StageInput& input, const CallContext& call, OperationsOutcome& outcome) {
  std::optional<MaintenanceOutcome> done;
  LAB_TRY(timed(outcome, [&]() -> Status {
    auto result = input.driver.maintain(call);
    if (!result) return result.error();
    done = *result;
    return ok();
  }));
  outcome.maintenance = done->what;
  if (!done->worked)
    return Error{ErrorCode::kRefused, "stage.maintenance",
                 done->what + " ended without error but did nothing"};
  input.state.finish_maintenance();
  return ok();
}

}  // namespace

Status bulk_load(const Load& load, const CallContext& call, OperationsOutcome& outcome) {
  const DriverInfo& info = load.driver.info();
  if (info.has(Capability::kStream) && load.state.dataset().spec().containers == 1)
    return stream_insert(load, call, outcome);
  return info.has(Capability::kBatch) ? bulk_insert(load, call, outcome)
                                      : perfile_insert(load, call, outcome);
}

Status run_operations(const StageInput& input, const CallContext& call, OperationsOutcome& outcome) {
  switch (input.kind) {
    case StageKind::kBulkInsert:
    case StageKind::kRefill:
      return bulk_load({input.driver, input.state, input.progress}, call, outcome);
    case StageKind::kPerfileInsert:
      return perfile_insert({input.driver, input.state, input.progress}, call, outcome);
    case StageKind::kUpdate:
      return update(input, call, outcome);
    case StageKind::kPerfileDelete:
      return perfile_delete(input, call, outcome);
    case StageKind::kDeleteLogical:
      return delete_all(input, call, DeleteAll::kLogical, outcome);
    case StageKind::kDeleteTruncate:
      return delete_all(input, call, DeleteAll::kTruncate, outcome);
    case StageKind::kDeleteDrop:
      return delete_all(input, call, DeleteAll::kDrop, outcome);
    case StageKind::kMaintenance:
      return maintenance(input, call, outcome);
  }
  return Error{ErrorCode::kInternal, "stage", "unknown stage"};
}

}  // namespace lab
