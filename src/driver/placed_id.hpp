// An object's id together with its container: the key under which in-memory maps of drivers keep it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <functional>

#include "core/random.hpp"
#include "model/dataset.hpp"

namespace lab {

struct PlacedId {
  std::uint32_t container = 0;
  ObjectId id{};
  friend bool operator==(const PlacedId&, const PlacedId&) = default;
};

struct PlacedIdHash {
  std::size_t operator()(const PlacedId& key) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, key.id.data(), 8);
    std::memcpy(&low, key.id.data() + 8, 8);
    return mix64(high ^ mix64(low + key.container));
  }
};

/// Errors: kInvalidArgument when `container` is not one of the `containers` of the session.
inline Status check_container(std::uint32_t container, std::uint32_t containers, const char* operation) {
  if (container < containers) return ok();
  return Error{ErrorCode::kInvalidArgument, operation, "there is no container " + std::to_string(container)};
}

}  // namespace lab
