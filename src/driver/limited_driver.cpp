// What is checked before a call reaches the system, and the bytes counted after it.
// SPDX-License-Identifier: Apache-2.0
#include "driver/limited_driver.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lab {
namespace {

Bytes size_of(std::span<const Object> objects) {
  Bytes total;
  for (const Object& object : objects) total += Bytes{std::ssize(object.payload)};
  return total;
}

}  // namespace

GuardedDriver::GuardedDriver(std::unique_ptr<Driver> inner, std::optional<Bytes> max_bytes)
    : inner_(std::move(inner)), max_bytes_(max_bytes) {}

Status GuardedDriver::admit(const CallContext& call, std::span<const Object> objects, Bytes under_way,
                            const char* operation) const {
  LAB_TRY(allowed(call, operation));
  const std::int64_t object_max = info().object_size_max;
  for (const Object& object : objects)
    if (object_max > 0 && std::ssize(object.payload) > object_max)
      return Error{ErrorCode::kInvalidArgument, operation,
                   fmt::format("object {} has {} bytes, {} takes at most {}", object.number,
                               object.payload.size(), info().system, object_max)};
  if (max_bytes_ && held_ + under_way + size_of(objects) > *max_bytes_)
    return Error{ErrorCode::kResourceExhausted, operation,
                 fmt::format("{} bytes more would exceed max_bytes = {}", size_of(objects).count,
                             format_bytes_exact(*max_bytes_))};
  return ok();
}

void GuardedDriver::note_put(std::span<const Object> objects) {
  held_ += size_of(objects);
  objects_ += std::ssize(objects);
}

Status GuardedDriver::prove(const CallContext& call) {
  LAB_TRY(allowed(call, "driver.prove"));
  return inner_->prove(call);
}

Status GuardedDriver::reset(const CallContext& call) {
  LAB_TRY(allowed(call, "driver.reset"));
  LAB_TRY(inner_->reset(call));
  held_ = {};
  objects_ = 0;
  return ok();
}

Status GuardedDriver::put(const CallContext& call, const Object& object) {
  const std::span<const Object> one(&object, 1);
  LAB_TRY(admit(call, one, {}, "driver.put"));
  LAB_TRY(inner_->put(call, object));
  note_put(one);
  return ok();
}

Status GuardedDriver::read_all(const CallContext& call, const ObjectSink& sink) {
  LAB_TRY(allowed(call, "driver.read_all"));
  return inner_->read_all(call, sink);
}

Result<std::uint64_t> GuardedDriver::count(const CallContext& call) {
  LAB_TRY(allowed(call, "driver.count"));
  return inner_->count(call);
}

Status GuardedDriver::flush(const CallContext& call) {
  LAB_TRY(allowed(call, "driver.flush"));
  return inner_->flush(call);
}

Status GuardedDriver::put_batch(const CallContext& call, std::span<const Object> objects) {
  LAB_TRY(admit(call, objects, {}, "driver.put_batch"));
  LAB_TRY(inner_->put_batch(call, objects));
  note_put(objects);
  return ok();
}

/// Each object is looked at as it comes, and counted once all are acknowledged.
Status GuardedDriver::put_stream(const CallContext& call, const ObjectSource& source) {
  const char* const operation = "driver.put_stream";
  LAB_TRY(allowed(call, operation));
  Bytes under_way;
  std::int64_t count = 0;
  Status done = inner_->put_stream(call, [&]() -> Result<const Object*> {
    auto object = source();
    if (!object || *object == nullptr) return object;
    const std::span<const Object> one(*object, 1);
    if (const Status fits = admit(call, one, under_way, operation); !fits) return fits.error();
    under_way += size_of(one);
    ++count;
    return object;
  });
  if (!done) return done;
  held_ += under_way;
  objects_ += count;
  return ok();
}

Result<std::string> GuardedDriver::get(const CallContext& call, const ObjectKey& key) {
  LAB_TRY(allowed(call, "driver.get"));
  return inner_->get(call, key);
}

Status GuardedDriver::erase(const CallContext& call, std::span<const ObjectKey> keys) {
  LAB_TRY(allowed(call, "driver.erase"));
  LAB_TRY(inner_->erase(call, keys));
  const std::int64_t erased = std::min(std::ssize(keys), objects_);
  if (erased == 0) return ok();
  held_ = held_ - Bytes{held_.count / objects_ * erased + held_.count % objects_ * erased / objects_};
  objects_ -= erased;
  return ok();
}

Status GuardedDriver::erase_all(const CallContext& call, DeleteAll how) {
  LAB_TRY(allowed(call, "driver.erase_all"));
  LAB_TRY(inner_->erase_all(call, how));
  held_ = {};
  objects_ = 0;
  return ok();
}

Result<MaintenanceOutcome> GuardedDriver::maintain(const CallContext& call) {
  LAB_TRY(allowed(call, "driver.maintain"));
  return inner_->maintain(call);
}

}  // namespace lab
