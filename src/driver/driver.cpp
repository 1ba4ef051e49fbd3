// The refusals that a driver inherits for what it does not declare.
// SPDX-License-Identifier: Apache-2.0
#include "driver/driver.hpp"

#include <fmt/format.h>

namespace lab {

Error unsupported(const DriverInfo& info, std::string_view operation) {
  return {ErrorCode::kUnsupported, fmt::format("{}.{}", info.system, operation),
          fmt::format("{} variant {} does not declare {}", info.system, info.variant, operation)};
}

ObjectSource source_of(std::span<const Object* const> objects) {
  return [objects, next = std::size_t{0}]() mutable -> Result<const Object*> {
    return next < objects.size() ? objects[next++] : nullptr;
  };
}

Status Driver::put_batch(const CallContext& /*call*/, std::span<const Object> /*objects*/) {
  return unsupported(info(), "put_batch");
}

Status Driver::put_stream(const CallContext& /*call*/, const ObjectSource& /*source*/) {
  return unsupported(info(), "put_stream");
}

Result<std::string> Driver::get(const CallContext& /*call*/, const ObjectKey& /*key*/) {
  return unsupported(info(), "get");
}

Status Driver::erase(const CallContext& /*call*/, std::span<const ObjectKey> /*keys*/) {
  return unsupported(info(), "erase");
}

Status Driver::erase_all(const CallContext& /*call*/, DeleteAll how) {
  return unsupported(info(), to_string(how));
}

Result<MaintenanceOutcome> Driver::maintain(const CallContext& /*call*/) {
  return unsupported(info(), "maintain");
}

std::string_view to_string(DeleteAll how) noexcept {
  switch (how) {
    case DeleteAll::kLogical:
      return "delete_logical";
    case DeleteAll::kTruncate:
      return "delete_truncate";
    case DeleteAll::kDrop:
      return "delete_drop";
  }
  return "?";
}

}  // namespace lab
